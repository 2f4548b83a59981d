//! The Nix Archive: one tree of directories, regular files and symbolic links as a stream of bytes.
//!
//! Everything in a NAR is a string: its length as 8 little-endian bytes, its bytes, and zeros up to a
//! multiple of 8. In the grammar below a word in quotes is such a string.
//!
//! ```text
//! nar   = "nix-archive-1" node
//! node  = "(" "type" ( "directory" entry* | "regular" [ "executable" "" ] "contents" bytes
//!                    | "symlink" "target" path ) ")"
//! entry = "entry" "(" "name" name "node" node ")"
//! ```
//!
//! Here it is a sequence of [`Event`]s. [`Decoder`] makes them of bytes as the bytes come and [`Encoder`] makes
//! bytes of them; neither touches a file, and what the one refuses the other does not write. There is one NAR
//! for one tree: entries are sorted, padding is zero.
//!
//! The limits on names and targets are those of the file systems that Nix restores to, and of Nix itself from
//! 2.34.7 and the other patch releases of that spring on (`parse` in its `archive.cc`). Earlier versions read
//! longer strings, then fail to create the files.

mod cursor;
mod decode;
mod encode;
mod error;
mod listing;
mod size;
mod tree;

pub use decode::Decoder;
pub use encode::{EncodeError, Encoder};
pub use error::{DecodeError, DecodeErrorKind};
pub use listing::{Entry, ListingBuilder, Node};
pub use size::SizeCounter;
pub use tree::{NameError, TargetError, TreeError};

/// Longest name of a directory entry in bytes, Linux's `NAME_MAX`.
pub const MAX_NAME: usize = 255;

/// Longest target of a symbolic link in bytes, one less than Linux's `PATH_MAX`.
pub const MAX_TARGET: usize = 4095;

/// Most directories inside each other. Nix up to 2.34.6 restores to absolute paths, which `PATH_MAX` holds to
/// this. The same releases that have the other limits stop at 64, for the sake of their stack, but stores hold
/// deeper trees already.
pub const MAX_DEPTH: usize = 2048;

/// The string that every NAR begins with.
const MAGIC: &str = "nix-archive-1";

/// A step through the tree of a NAR, parents first and entries in the order of their names.
///
/// The root has an empty name, every other node that of its directory entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event<'a> {
    /// A directory. Its entries follow, then [`Event::EndDirectory`].
    Directory {
        /// Its name in the directory around it.
        name: &'a [u8],
    },
    /// The end of the directory that was opened last.
    EndDirectory,
    /// A regular file. Its contents follow in any number of pieces, then [`Event::EndFile`].
    File {
        /// Its name in the directory around it.
        name: &'a [u8],
        /// Whether it is executable, the only permission a NAR keeps.
        executable: bool,
        /// Bytes of its contents, as claimed; only [`Event::EndFile`] says that they came.
        size: u64,
    },
    /// The next piece of a file's contents, never empty when decoded.
    Contents(&'a [u8]),
    /// The end of a regular file.
    EndFile,
    /// A symbolic link.
    Symlink {
        /// Its name in the directory around it.
        name: &'a [u8],
        /// What it points to.
        target: &'a [u8],
    },
}

/// Zero bytes between `length` bytes and the next string, in NARs as in everything that Nix sends.
#[must_use]
pub const fn padding(length: u64) -> usize {
    (length.wrapping_neg() % 8) as usize
}

#[cfg(test)]
mod tests;
