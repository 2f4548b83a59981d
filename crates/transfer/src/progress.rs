//! What a transfer tells while it runs.

use store::store_path::StorePath;

use crate::ask::Need;

/// What a transfer tells while it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Progress<'a> {
    /// The target is asked for so many paths; with substitution it fetches now what it can, which may take
    /// long.
    Asking {
        /// Paths of the closure.
        paths: usize,
    },
    /// The target has answered: so much is to be sent.
    Needs(Need),
    /// Another part of a NAR has been sent, at most 64 KiB or as much as the local daemon gave at once.
    Sending {
        /// Of which path.
        path: &'a StorePath,
        /// Paths that have been sent as a whole.
        paths: usize,
        /// Bytes of NARs that have been sent.
        bytes: u64,
    },
    /// Everything has been sent; the target writes the last of it.
    Finishing,
}
