//! Where the paths are that are sent.

use std::{
    io::{self, Write},
    path::PathBuf,
};

use daemon::{
    Client, NarError,
    files::{NarFile, NarFileError},
};
use store::{path_info::PathInfo, store_path::StorePath};
use thiserror::Error;

/// How much is read at once.
const PIECE: u64 = 256 << 10;

/// A store whose paths are sent.
pub trait Source {
    /// Writes the NAR of a path, from `skip` bytes on.
    ///
    /// # Errors
    /// If it cannot be read, or the sink fails.
    fn write_nar(&mut self, info: &PathInfo, skip: u64, sink: &mut dyn Write) -> Result<(), SourceError>;

    /// The path as its NAR on a disk here; none if it is not here or not as long as the store says.
    fn nar_file(&self, info: &PathInfo) -> Option<NarFile>;
}

/// Why a NAR does not get to its sink.
#[derive(Debug, Error)]
pub enum SourceError {
    /// The daemon, or its connection, or what it gives.
    #[error(transparent)]
    Daemon(NarError),
    /// The files.
    #[error(transparent)]
    Files(#[from] NarFileError),
    /// It has another size than the store says.
    #[error("its NAR has {found} bytes, the store says {expected}")]
    Size {
        /// Bytes that there are.
        found: u64,
        /// Bytes that the store says.
        expected: u64,
    },
    /// Not the source but the sink failed.
    #[error("it cannot be passed on")]
    Sink(#[source] io::Error),
}

/// A store in a directory of this machine.
#[derive(Debug, Clone)]
pub struct OnDisk(pub PathBuf);

impl OnDisk {
    fn open(&self, path: &StorePath) -> Result<NarFile, NarFileError> {
        NarFile::open(&self.0.join(path.to_string()))
    }
}

impl Source for OnDisk {
    fn write_nar(&mut self, info: &PathInfo, skip: u64, sink: &mut dyn Write) -> Result<(), SourceError> {
        let mut file = self.open(&info.path)?;
        let (found, expected) = (file.size(), info.nar_size);
        if found != expected {
            return Err(SourceError::Size { found, expected });
        }
        let (mut buffer, mut start) = (Vec::new(), skip);
        while start < found {
            let end = found.min(start + PIECE);
            file.read_at(start..end, &mut buffer)?;
            sink.write_all(&buffer).map_err(SourceError::Sink)?;
            start = end;
        }
        Ok(())
    }

    fn nar_file(&self, info: &PathInfo) -> Option<NarFile> {
        self.open(&info.path).ok().filter(|file| file.size() == info.nar_size)
    }
}

/// A store behind a daemon.
pub struct Behind<'c>(pub &'c mut Client);

impl Source for Behind<'_> {
    fn write_nar(&mut self, info: &PathInfo, skip: u64, sink: &mut dyn Write) -> Result<(), SourceError> {
        let mut rest = Rest { skip, sink };
        let given = self.0.nar_from_path(&info.path, info.nar_size, &mut rest);
        let found = given.map_err(|error| match error {
            NarError::Sink { source, .. } => SourceError::Sink(source),
            error => SourceError::Daemon(error),
        })?;
        let expected = info.nar_size;
        if found == expected { Ok(()) } else { Err(SourceError::Size { found, expected }) }
    }

    fn nar_file(&self, _: &PathInfo) -> Option<NarFile> {
        None
    }
}

/// Passes on what is behind the first bytes.
struct Rest<'s> {
    skip: u64,
    sink: &'s mut dyn Write,
}

impl Write for Rest<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let skipped = usize::try_from(self.skip).unwrap_or(usize::MAX).min(bytes.len());
        self.skip -= skipped as u64;
        self.sink.write_all(&bytes[skipped..])?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.sink.flush()
    }
}
