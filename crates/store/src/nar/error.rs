//! What is wrong with bytes that are no NAR.

use thiserror::Error;

use super::TreeError;

/// Why bytes are not a NAR, and where.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("NAR, byte {offset}")]
pub struct DecodeError {
    /// Where in the NAR: the beginning of the string at fault, the byte of padding at fault, or the end of a
    /// truncated NAR.
    pub offset: u64,
    /// What is wrong there.
    #[source]
    pub kind: DecodeErrorKind,
}

/// Why bytes are not a NAR.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DecodeErrorKind {
    /// Another word must stand there.
    #[error("expected {expected}, found '{found}'")]
    Word {
        /// What may stand there.
        expected: &'static str,
        /// What stands there, escaped.
        found: String,
    },
    /// A word must stand there, but the string is longer than any.
    #[error("expected {expected}, found a string of {length} bytes")]
    LongWord {
        /// What may stand there.
        expected: &'static str,
        /// The length the string claims.
        length: u64,
    },
    /// Padding that is not zero, so that there would be two NARs for one tree.
    #[error("expected zero padding, found byte {byte:#04x}")]
    Padding {
        /// What stands there.
        byte: u8,
    },
    /// The tree is not one that could be restored, or not in order.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// The bytes end before the tree does.
    #[error("the NAR ends early, expected {expected}")]
    Truncated {
        /// What may stand there.
        expected: &'static str,
    },
}
