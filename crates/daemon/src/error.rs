//! Why an operation failed, and whether the connection survived it.

use std::{fmt, io, path::PathBuf};

use store::store_path::StorePath;
use thiserror::Error;

use crate::operation::Operation;

/// Why the daemon's answer to an operation could not be had.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// The daemon understood and refused or failed.
    #[error("cannot {operation}: the Nix daemon says no")]
    Daemon {
        /// What was asked.
        operation: Operation,
        /// Whether the connection is not known to be lost.
        connection_usable: bool,
        /// What the daemon said.
        source: DaemonError,
    },
    /// The daemon would refuse what only trusted clients may ask for, and leave; so it was not asked.
    #[error(
        "cannot {operation}: the Nix daemon does not trust this client; ask as a user that its setting \
         'trusted-users' names"
    )]
    NotTrusted {
        /// What was to be asked.
        operation: Operation,
    },
    /// A path must be absolute, for the daemon stands elsewhere; so it was not asked.
    #[error("cannot {operation}: '{}' is no absolute path", .path.display())]
    RelativePath {
        /// What was to be asked.
        operation: Operation,
        /// The path.
        path: PathBuf,
    },
    /// The path is known, but what its name was computed from is written in a form that came after this was
    /// written, or in none.
    #[error("cannot {operation}: {path} has a content address of an unknown form, {found}")]
    ContentAddress {
        /// What was asked.
        operation: Operation,
        /// The path.
        path: StorePath,
        /// The content address, cut, escaped and quoted.
        found: String,
    },
    /// The daemon sent something that the protocol does not allow here.
    #[error("cannot {operation}: the answer is not what a Nix daemon says")]
    Protocol {
        /// What was asked.
        operation: Operation,
        /// What came and what should have.
        source: ProtocolError,
    },
    /// The daemon's stream ended in the middle.
    #[error("cannot {operation}: the stream of the Nix daemon ended at byte {offset}, expected {expected}")]
    Ended {
        /// What was asked.
        operation: Operation,
        /// Bytes that had come since the connection was made.
        offset: u64,
        /// What should have come.
        expected: &'static str,
    },
    /// Reading or writing failed.
    #[error("cannot {operation}: the connection to the Nix daemon failed")]
    Io {
        /// What was asked.
        operation: Operation,
        /// What the system said.
        source: io::Error,
    },
    /// The connection had been given up before, so nothing was sent.
    #[error(
        "cannot {operation}: the connection to the Nix daemon was given up when it failed to {given_up_by}"
    )]
    GivenUp {
        /// What was asked.
        operation: Operation,
        /// The operation after which the two sides no longer agreed on where they were.
        given_up_by: Operation,
    },
}

impl Error {
    /// Whether the connection can be used for the next operation. If not, every further one is refused.
    ///
    /// This means that it is not known to be lost: a daemon may have said no, which is the end of most
    /// operations, and have left right after it. Then the next operation says so.
    #[must_use]
    pub fn connection_usable(&self) -> bool {
        match self {
            Self::Daemon { connection_usable, .. } => *connection_usable,
            Self::NotTrusted { .. } | Self::RelativePath { .. } | Self::ContentAddress { .. } => true,
            Self::Protocol { .. } | Self::Ended { .. } | Self::Io { .. } | Self::GivenUp { .. } => false,
        }
    }

    /// What the daemon said, if it was the daemon that refused.
    #[must_use]
    pub fn daemon(&self) -> Option<&DaemonError> {
        match self {
            Self::Daemon { source, .. } => Some(source),
            _ => None,
        }
    }

    pub(crate) fn new(operation: Operation, failure: Failure) -> Self {
        match failure {
            Failure::Daemon(source) => Self::Daemon { operation, connection_usable: true, source },
            Failure::LastWords(source) => Self::Daemon { operation, connection_usable: false, source },
            Failure::Read(error) => Self::read(operation, error),
            Failure::Write(source) => Self::Io { operation, source },
        }
    }

    fn read(operation: Operation, error: ReadError) -> Self {
        match error {
            ReadError::Protocol(source) => Self::Protocol { operation, source },
            ReadError::Ended { offset, expected } => Self::Ended { operation, offset, expected },
            ReadError::Io(source) => Self::Io { operation, source },
            ReadError::ContentAddress { path, found } => Self::ContentAddress { operation, path, found },
        }
    }
}

/// An error in the daemon's own words, free of escape codes and control characters, its parts cut to
/// [`limits::KEPT_TEXT`](crate::limits::KEPT_TEXT) bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DaemonError {
    /// What went wrong; several lines perhaps.
    pub message: String,
    /// While doing what, the innermost first.
    pub traces: Vec<String>,
}

impl fmt::Display for DaemonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        self.traces.iter().try_for_each(|trace| write!(f, "\n… {trace}"))
    }
}

impl std::error::Error for DaemonError {}

/// Something that the protocol does not allow.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("byte {offset}: expected {expected}, found {found}")]
pub struct ProtocolError {
    /// Where it ends in the daemon's stream, in bytes since the connection was made.
    pub offset: u64,
    /// What should have come.
    pub expected: &'static str,
    /// What came, cut to 512 characters and escaped.
    pub found: String,
}

/// Why something could not be read off the daemon's stream.
#[derive(Debug)]
pub(crate) enum ReadError {
    Protocol(ProtocolError),
    Ended {
        offset: u64,
        expected: &'static str,
    },
    Io(io::Error),
    /// Nothing went wrong and everything was read, but this cannot be understood.
    ContentAddress {
        path: StorePath,
        found: String,
    },
}

/// Why an exchange came to nothing.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The daemon has refused in order.
    Daemon(DaemonError),
    /// The daemon has refused where it could not go on.
    LastWords(DaemonError),
    Read(ReadError),
    Write(io::Error),
}

impl Failure {
    /// Whether the two sides still agree on where they are.
    pub(crate) fn is_in_order(&self) -> bool {
        matches!(self, Self::Daemon(_) | Self::Read(ReadError::ContentAddress { .. }))
    }

    /// The reason why the connection was lost: what the daemon had `refused` before, if it had.
    pub(crate) fn after(self, refused: Option<Self>) -> Self {
        match refused {
            Some(Self::Daemon(error)) => Self::LastWords(error),
            _ => self,
        }
    }

    /// The reason why not everything could be sent: what the daemon `told` meanwhile rather than the error of
    /// the write, which is only what came of it.
    pub(crate) fn unsent(source: io::Error, told: Result<(), Self>) -> Self {
        match told {
            Err(Self::Daemon(error)) => Self::LastWords(error),
            Err(Self::Read(error @ ReadError::Protocol(_))) => Self::Read(error),
            _ => Self::Write(source),
        }
    }
}

impl From<ReadError> for Failure {
    fn from(error: ReadError) -> Self {
        Self::Read(error)
    }
}
