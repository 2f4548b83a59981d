//! Files and directories of the state: private, locked while they change, replaced as a whole.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use atomic_write_file::AtomicWriteFile;
use order::HostName;

use super::{State, StateError};

/// An error about a file.
pub(super) fn failed<'a>(
    doing: &'static str,
    path: &'a Path,
) -> impl FnOnce(io::Error) -> StateError + use<'a> {
    move |source| StateError::File { doing, path: path.to_owned(), source }
}

/// Makes a directory that only the operator can enter.
pub(super) fn make_directory(path: &Path) -> Result<(), StateError> {
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(failed("make", path))
}

/// What is in a file, at most so many bytes of its end; nothing if there is no such file.
pub(super) fn read_end(path: &Path, limit: u64) -> Result<Option<Vec<u8>>, StateError> {
    use std::io::{Seek, SeekFrom};
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed("read", path)(error)),
    };
    let read = |file: &mut File| {
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(limit)))?;
        let mut bytes = Vec::new();
        file.take(limit).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    read(&mut file).map(Some).map_err(failed("read", path))
}

/// Replaces a file as a whole; only the operator can read it.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> Result<(), StateError> {
    use atomic_write_file::unix::OpenOptionsExt as _;
    let write = || {
        let mut options = AtomicWriteFile::options();
        options.mode(0o600).preserve_mode(false);
        let mut file = options.open(path)?;
        file.write_all(bytes)?;
        file.commit()
    };
    write().map_err(failed("write", path))
}

/// A file to append to; only the operator can read it.
pub(super) fn append(path: &Path) -> Result<File, StateError> {
    let file = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path);
    file.map_err(failed("write", path))
}

/// The names in a directory, sorted; none if there is no such directory.
pub(super) fn names(path: &Path) -> Vec<String> {
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort();
    names
}

impl State {
    /// The directory of a host, which is made.
    pub(super) fn host_directory(&self, host: &HostName) -> Result<PathBuf, StateError> {
        let path = self.directory.join("hosts").join(host.as_str());
        make_directory(&path)?;
        Ok(path)
    }

    /// Holds the host's files until the result is dropped; other processes wait.
    pub(super) fn lock_host(&self, host: &HostName) -> Result<(File, PathBuf), StateError> {
        let directory = self.host_directory(host)?;
        let path = directory.join("lock");
        let file = append(&path)?;
        file.lock().map_err(failed("lock", &path))?;
        Ok((file, directory))
    }
}
