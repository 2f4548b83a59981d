//! Identities of paths that earlier runs computed, in a file of the operator's cache.
//!
//! What cannot be read is computed again, and nothing is lost with the file. Processes do not wait for each other: each
//! replaces the file as a whole, with what it found there and what it used itself, so of two that write at the same
//! moment one may have worked for itself alone.

mod wire;

use std::{
    collections::BTreeMap,
    env,
    fs::{self, DirBuilder, File},
    io::{self, Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use atomic_write_file::{AtomicWriteFile, unix::OpenOptionsExt as _};
use delta::equivalence::{Identity, Key, Known};
use thiserror::Error;

/// Identities that are known from earlier runs, and those of this one.
#[derive(Debug)]
pub(crate) struct Identities {
    /// Where they are kept: nowhere, if the operator has no home.
    file: Option<PathBuf>,
    recalled: BTreeMap<Key, Identity>,
    /// Those that this run asked for or computed.
    used: BTreeMap<Key, Identity>,
    /// Whether some of them are not in the file.
    has_new: bool,
}

/// Identities cannot be kept for the next run.
#[derive(Debug, Error)]
#[error("cannot write {}", path.display())]
pub(crate) struct KeepError {
    path: PathBuf,
    source: io::Error,
}

impl Identities {
    /// Those in `$XDG_CACHE_HOME/lockstep` or `~/.cache/lockstep`.
    pub(crate) fn recall() -> Self {
        let absolute = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let base = absolute("XDG_CACHE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".cache")));
        Self::recall_from(base.map(|base| base.join("lockstep/identities")))
    }

    /// Those in this file; none if it is not there or cannot be understood.
    fn recall_from(file: Option<PathBuf>) -> Self {
        let recalled = file.iter().flat_map(|file| recall(file)).collect();
        Self { file, recalled, used: BTreeMap::new(), has_new: false }
    }

    /// Keeps them for the next run, if there is something new. Those that were not used for longest go first when
    /// there are too many.
    pub(crate) fn keep(&self) -> Result<(), KeepError> {
        let Some(path) = self.file.as_ref().filter(|_| self.has_new) else { return Ok(()) };
        let used = self.used.iter().map(|(key, identity)| (*key, *identity));
        let others = recall(path).into_iter().filter(|(key, _)| !self.used.contains_key(key));
        let bytes = wire::encode(used.chain(others));
        replace(path, &bytes).map_err(|source| KeepError { path: path.clone(), source })
    }
}

impl Known for Identities {
    fn get(&mut self, key: &Key) -> Option<Identity> {
        let identity = *self.used.get(key).or_else(|| self.recalled.get(key))?;
        self.used.insert(*key, identity);
        Some(identity)
    }

    fn put(&mut self, key: Key, identity: Identity) {
        self.used.insert(key, identity);
        self.has_new = true;
    }
}

/// What is in the file, what was used last first; nothing if it cannot be read, for whatever reason.
fn recall(path: &Path) -> Vec<(Key, Identity)> {
    let read = || {
        // A pipe would be waited for.
        let file = fs::metadata(path)?.is_file().then(|| File::open(path)).transpose()?;
        let mut bytes = Vec::new();
        file.map(|file| file.take(wire::MAX_FILE + 1).read_to_end(&mut bytes)).transpose()?;
        Ok::<_, io::Error>(bytes)
    };
    read().ok().and_then(|bytes| wire::decode(&bytes)).unwrap_or_default()
}

/// Replaces the file as a whole; only the operator can read it.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(directory) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    }
    let mut options = AtomicWriteFile::options();
    options.mode(0o600).preserve_mode(false);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.commit()
}

#[cfg(test)]
mod tests;
