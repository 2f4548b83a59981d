//! What is remembered between runs, in files of the operator's.

mod files;
mod logs;
mod orders;
mod reports;
mod roots;
mod sizes;
mod wire;

use std::env;
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

pub use self::roots::{Fate, Root, Why};
pub(crate) use self::roots::{fates, is_here};
pub use self::sizes::Stored;

/// The directory of what is remembered. Clones are the same. Any number of processes may use it at the same time.
#[derive(Debug, Clone)]
pub struct State {
    directory: PathBuf,
}

/// Why something cannot be remembered or recalled.
#[derive(Debug, Error)]
pub enum StateError {
    /// Nobody says where it should lie.
    #[error("there is no place for lockstep's state: set HOME or XDG_STATE_HOME")]
    NoHome,
    /// A file or directory cannot be used.
    #[error("cannot {doing} {}", path.display())]
    File {
        /// What was tried: `read`, `write`, `make`, `replace`, `remove`.
        doing: &'static str,
        /// Of which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file is there, and is not what it should be.
    #[error("{} is not an order that this lockstep understands", path.display())]
    Order {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: order::OrderError,
    },
    /// A file is of a newer lockstep.
    #[error("{} is of version {version}, known is {}; update lockstep", path.display(), wire::VERSION)]
    Version {
        /// The file.
        path: PathBuf,
        /// Its version.
        version: u32,
    },
}

impl State {
    /// The usual directory: `$XDG_STATE_HOME/lockstep`, or `~/.local/state/lockstep`.
    ///
    /// # Errors
    /// If there is no home.
    pub fn usual() -> Result<Self, StateError> {
        let absolute = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let base =
            absolute("XDG_STATE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".local/state")));
        Ok(Self::at(base.ok_or(StateError::NoHome)?.join("lockstep")))
    }

    /// This directory. It is made when something is written.
    #[must_use]
    pub fn at(directory: impl Into<PathBuf>) -> Self {
        Self { directory: directory.into() }
    }

    /// Where it lies.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }
}

#[cfg(test)]
mod tests;
