//! Why paths did not get to the target, and what can be done.

use std::{fmt, time::Duration};

use daemon::{DaemonError, NarError, UploadError, files::NarFileError};
use store::store_path::StorePath;
use thiserror::Error;

use crate::{sender::SourceError, wire::Malformed};

/// One of the two stores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The store here, from which paths are read.
    Local,
    /// The target's store.
    Remote,
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Local => "the store here",
            Self::Remote => "the target's store",
        })
    }
}

/// Why the target's daemon does not take a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// It wants a signature of a key it trusts, for it does not trust us.
    Signature,
    /// Its disk is full, or a quota is.
    DiskFull,
    /// Its store cannot be written.
    ReadOnly,
    /// What it got is not what was announced: the path here is damaged, or the line is.
    Corrupt,
    /// Something else; the daemon's words say what.
    Other,
}

impl Refusal {
    /// What a daemon means. Its words are the only thing there is; what they do not say is
    /// [`Refusal::Other`].
    pub(crate) fn of(error: &DaemonError) -> Self {
        let words = error.message.to_ascii_lowercase();
        let says = |parts: &[&str]| parts.iter().any(|part| words.contains(part));
        if says(&["lacks a signature", "lacks a valid signature", "not privileged"]) {
            Self::Signature
        } else if says(&["no space left on device", "disk quota exceeded", "database or disk is full"]) {
            Self::DiskFull
        } else if says(&["read-only file system", "readonly database"]) {
            Self::ReadOnly
        } else if says(&["hash mismatch", "size mismatch"]) {
            Self::Corrupt
        } else {
            Self::Other
        }
    }
}

impl fmt::Display for Refusal {
    /// What is wrong and what can be done.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Signature => {
                "it wants a signature of a key it trusts; connect as root or as one of its `trusted-users`, or sign \
                 the paths here (`nix store sign`, or `secret-key-files` in nix.conf) with a key that is among its \
                 `trusted-public-keys`"
            }
            Self::DiskFull => "its disk is full; remove old generations and collect garbage there",
            Self::ReadOnly => "its store cannot be written; see why its disk is mounted read-only",
            Self::Corrupt => {
                "what arrived is not what was announced; check the store here with `nix-store --verify \
                 --check-contents`"
            }
            Self::Other => "see its own words",
        })
    }
}

/// Why paths did not get to the target.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// A path cannot be read from the store here: it is gone or damaged, or the connection failed.
    #[error("the path {path} cannot be read from the store here")]
    Local {
        /// The path.
        path: String,
        /// What the local daemon or its connection said.
        source: NarError,
    },
    /// The NAR of a path is not as long as the store here says.
    #[error("the store here is damaged: the size of {path} is not what it was registered with")]
    LocalSize {
        /// The path.
        path: StorePath,
    },
    /// The target's daemon does not take what it is sent.
    #[error("the target's daemon refuses: {refusal}")]
    Refused {
        /// What it means, and what can be done.
        refusal: Refusal,
        /// Whether the connection to it can be used for something else.
        connection_usable: bool,
        /// What it said.
        source: DaemonError,
    },
    /// The connection to the target's daemon is lost.
    #[error("the connection to the target's store was lost")]
    RemoteLost {
        /// What happened.
        source: daemon::Error,
    },
    /// A path cannot be read from the disk here.
    #[error(
        "the path {path} cannot be read here; check the store with `nix-store --verify --check-contents`"
    )]
    Files {
        /// The path.
        path: StorePath,
        /// What is wrong.
        source: NarFileError,
    },
    /// What arrives is not what was announced, though all of it was sent.
    #[error(
        "what arrives of {path} is not what was announced: {why}; check the store here with \
         `nix-store --verify --check-contents`"
    )]
    Wrong {
        /// The path.
        path: StorePath,
        /// What the host found.
        why: String,
    },
    /// The agent on the host cannot take the paths.
    #[error("the host cannot take the paths: {why}")]
    Host {
        /// Why.
        why: String,
    },
    /// The connection to the agent is lost, or carries something else.
    #[error("the connection to the host was lost")]
    Line(#[from] Malformed),
    /// Sending failed in another way.
    #[error("the paths cannot be sent")]
    Unsent {
        /// In which.
        source: UploadError<NarError>,
    },
    /// Nothing went on for too long, and the connections were ended.
    #[error("nothing came from or went to {side} for {limit:?}")]
    Stalled {
        /// Who was waited for.
        side: Side,
        /// How long nothing may happen.
        limit: Duration,
    },
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        Self::Line(error.into())
    }
}

impl Error {
    /// Whether new connections and another [`send`](crate::send) may well go on where this one stopped.
    #[must_use]
    pub fn can_resume(&self) -> bool {
        match self {
            Self::RemoteLost { .. } | Self::Stalled { .. } => true,
            Self::Line(error) => matches!(error, Malformed::Stream(_)),
            Self::Local { source, .. } => !matches!(
                source,
                NarError::Exchange(daemon::Error::Daemon { .. })
                    | NarError::Format { .. }
                    | NarError::TooLong { .. }
            ),
            Self::LocalSize { .. }
            | Self::Files { .. }
            | Self::Wrong { .. }
            | Self::Host { .. }
            | Self::Refused { .. }
            | Self::Unsent { .. } => false,
        }
    }

    /// On whose side it went wrong. Whether a connection can be used on its client says
    /// ([`Client::is_usable`](daemon::Client::is_usable)); when one side is lost, mostly neither can.
    #[must_use]
    pub fn side(&self) -> Side {
        match self {
            Self::Local { .. } | Self::LocalSize { .. } | Self::Files { .. } => Side::Local,
            Self::Refused { .. }
            | Self::RemoteLost { .. }
            | Self::Unsent { .. }
            | Self::Wrong { .. }
            | Self::Host { .. }
            | Self::Line(_) => Side::Remote,
            Self::Stalled { side, .. } => *side,
        }
    }

    /// What the target's daemon said to the agent.
    pub(crate) fn refused(message: String) -> Self {
        let source = DaemonError { message, traces: Vec::new() };
        Self::Refused { refusal: Refusal::of(&source), connection_usable: true, source }
    }

    /// A path that cannot be read here.
    pub(crate) fn local(path: StorePath, error: SourceError) -> Self {
        match error {
            SourceError::Daemon(source) => Self::Local { path: path.to_string(), source },
            SourceError::Files(source) => Self::Files { path, source },
            SourceError::Size { .. } => Self::LocalSize { path },
            SourceError::Sink(error) => Self::Line(error.into()),
        }
    }

    /// An error of the target's daemon or its connection.
    pub(crate) fn remote(error: daemon::Error) -> Self {
        match error {
            daemon::Error::Daemon { connection_usable, source, .. } => {
                Self::Refused { refusal: Refusal::of(&source), connection_usable, source }
            }
            source => Self::RemoteLost { source },
        }
    }
}

#[cfg(test)]
mod tests;
