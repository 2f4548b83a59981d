//! What makes a tree valid, checked alike when it is read and when it is written.

use thiserror::Error;

use super::{MAX_DEPTH, MAX_NAME, MAX_TARGET};
use crate::excerpt;

/// Why a directory entry's name is not allowed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NameError {
    /// It is empty or too long.
    #[error("a name has 1 to {MAX_NAME} bytes, found {length}")]
    Length {
        /// Bytes it has.
        length: u64,
    },
    /// It is `.` or `..`.
    #[error("a name must not be '.' or '..'")]
    Dots,
    /// It has a slash or a NUL.
    #[error("the name '{name}' has '{}' at byte {offset}", .byte.escape_ascii())]
    Byte {
        /// The name, escaped.
        name: String,
        /// Where the byte stands in the name.
        offset: usize,
        /// The byte.
        byte: u8,
    },
    /// The entry before it has the same name.
    #[error("the name '{name}' comes twice")]
    Duplicate {
        /// The name, escaped.
        name: String,
    },
    /// The entry before it has a greater name.
    #[error("the name '{name}' comes after '{previous}', expected entries sorted by their bytes")]
    Unsorted {
        /// The name, escaped.
        name: String,
        /// The name before it, escaped.
        previous: String,
    },
}

/// Why a symbolic link's target is not allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum TargetError {
    /// It is empty or too long.
    #[error("a symbolic link's target has 1 to {MAX_TARGET} bytes, found {length}")]
    Length {
        /// Bytes it has.
        length: u64,
    },
    /// It has a NUL.
    #[error("a symbolic link's target has a NUL at byte {offset}")]
    Nul {
        /// Where it stands in the target.
        offset: usize,
    },
}

/// Why a node is not allowed where it stands.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TreeError {
    /// Its name.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The target, if it is a symbolic link.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// It is a directory inside too many others.
    #[error("more than {MAX_DEPTH} directories inside each other")]
    TooDeep,
}

/// The directories that are open, each with the name of the entry it has come to.
#[derive(Debug, Default)]
pub(super) struct OpenDirectories {
    /// The names, one after the other.
    names: Vec<u8>,
    /// Where in `names` that of each open directory begins.
    starts: Vec<usize>,
}

impl OpenDirectories {
    pub(super) fn is_empty(&self) -> bool {
        self.starts.is_empty()
    }

    /// The name of the node at hand: empty for the root.
    pub(super) fn current_name(&self) -> &[u8] {
        &self.names[self.starts.last().copied().unwrap_or(0)..]
    }

    /// The name of the innermost open directory.
    pub(super) fn innermost_name(&self) -> &[u8] {
        match *self.starts {
            [] => &[],
            [end] => &self.names[..end],
            [.., start, end] => &self.names[start..end],
        }
    }

    /// Enters the directory that is the node at hand.
    pub(super) fn open(&mut self) -> Result<(), TreeError> {
        if self.starts.len() == MAX_DEPTH {
            return Err(TreeError::TooDeep);
        }
        self.starts.push(self.names.len());
        Ok(())
    }

    /// Leaves the directory that was entered last, which is the node at hand again.
    pub(super) fn close(&mut self) {
        if let Some(start) = self.starts.pop() {
            self.names.truncate(start);
        }
    }

    /// Comes to the entry `name` of the innermost open directory.
    pub(super) fn advance(&mut self, name: &[u8]) -> Result<(), NameError> {
        check_name(name)?;
        let start = self.starts.last().copied().unwrap_or(0);
        let previous = &self.names[start..];
        if name == previous {
            return Err(NameError::Duplicate { name: excerpt(name) });
        }
        if name < previous {
            return Err(NameError::Unsorted { name: excerpt(name), previous: excerpt(previous) });
        }
        self.names.truncate(start);
        self.names.extend_from_slice(name);
        Ok(())
    }
}

fn check_name(name: &[u8]) -> Result<(), NameError> {
    if name.is_empty() || name.len() > MAX_NAME {
        return Err(NameError::Length { length: name.len() as u64 });
    }
    if name == b"." || name == b".." {
        return Err(NameError::Dots);
    }
    match name.iter().position(|byte| matches!(byte, b'/' | 0)) {
        Some(offset) => Err(NameError::Byte { name: excerpt(name), offset, byte: name[offset] }),
        None => Ok(()),
    }
}

pub(super) fn check_target(target: &[u8]) -> Result<(), TargetError> {
    if target.is_empty() || target.len() > MAX_TARGET {
        return Err(TargetError::Length { length: target.len() as u64 });
    }
    match target.iter().position(|byte| *byte == 0) {
        Some(offset) => Err(TargetError::Nul { offset }),
        None => Ok(()),
    }
}
