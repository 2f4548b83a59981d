//! A tree on disk as a NAR.

use std::{
    ffi::OsString,
    fs::{self, File, FileType, OpenOptions},
    io::{self, BufWriter, Read as _, Write},
    os::unix::{
        ffi::OsStrExt as _,
        fs::{OpenOptionsExt as _, PermissionsExt as _},
    },
    path::{Path, PathBuf},
    vec,
};

use rustix::fs::OFlags;
use store::nar::{EncodeError, Encoder, Event};
use thiserror::Error;

use super::BUFFER;

/// The owner's permission to execute, the only one a NAR keeps.
pub(super) const EXECUTABLE: u32 = 0o100;

/// Why there is no NAR of a tree.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DumpError {
    /// Something of the tree cannot be read.
    #[error("cannot {action} {}", .path.display())]
    Read {
        /// What was tried.
        action: &'static str,
        /// What it was tried on.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Something of the tree is neither a directory, nor a regular file, nor a symbolic link.
    #[error("{} is neither a directory, nor a regular file, nor a symbolic link", .path.display())]
    Kind {
        /// What it is.
        path: PathBuf,
    },
    /// The tree has no NAR, a file has changed while it was read, or the NAR cannot be written.
    #[error("cannot archive {}", .path.display())]
    Encode {
        /// Where in the tree that was.
        path: PathBuf,
        /// What is wrong.
        source: EncodeError,
    },
}

/// Writes the NAR of what is at `path` to `sink`.
///
/// Symbolic links of the tree are archived, not followed. That holds of a tree that nobody changes meanwhile, as
/// nobody does in a store: the walk goes by path names, so if a directory becomes a link after it was listed, what
/// is archived in its place is what lies behind the link.
///
/// After an error the sink has part of a NAR.
pub fn dump(path: &Path, sink: &mut dyn Write) -> Result<(), DumpError> {
    let path = path.to_owned();
    let encoder = Encoder::new(BufWriter::with_capacity(BUFFER, sink));
    let mut dump = Dump { encoder, path, buffer: vec![0; BUFFER], open: Vec::new() };
    dump.tree()?;
    let Dump { encoder, path, .. } = dump;
    let finished = encoder.finish().and_then(|mut sink| sink.flush().map_err(EncodeError::Write));
    finished.map_err(|source| DumpError::Encode { path, source })
}

/// An entry of a directory that is still to be archived.
struct Entry {
    name: OsString,
    kind: FileType,
}

/// A walk through a tree.
struct Dump<'s> {
    encoder: Encoder<BufWriter<&'s mut dyn Write>>,
    /// Where the walk is.
    path: PathBuf,
    buffer: Vec<u8>,
    /// What is left of each directory around.
    open: Vec<vec::IntoIter<Entry>>,
}

impl Dump<'_> {
    fn tree(&mut self) -> Result<(), DumpError> {
        let metadata = fs::symlink_metadata(&self.path).map_err(|error| self.unreadable("look at", error))?;
        self.node(b"", metadata.file_type())?;
        while let Some(entries) = self.open.last_mut() {
            if let Some(Entry { name, kind }) = entries.next() {
                self.path.push(&name);
                self.node(name.as_bytes(), kind)?;
                if !kind.is_dir() {
                    self.path.pop();
                }
            } else {
                self.encode(Event::EndDirectory)?;
                self.open.pop();
                if !self.open.is_empty() {
                    self.path.pop();
                }
            }
        }
        Ok(())
    }

    fn node(&mut self, name: &[u8], kind: FileType) -> Result<(), DumpError> {
        if kind.is_dir() {
            self.directory(name)
        } else if kind.is_file() {
            self.file(name)
        } else if kind.is_symlink() {
            self.symlink(name)
        } else {
            Err(DumpError::Kind { path: self.path.clone() })
        }
    }

    /// Begins a directory; its entries are left for later.
    fn directory(&mut self, name: &[u8]) -> Result<(), DumpError> {
        self.encode(Event::Directory { name })?;
        let mut entries = self.read_directory().map_err(|error| self.unreadable("list", error))?;
        entries.sort_unstable_by(|a, b| a.name.as_bytes().cmp(b.name.as_bytes()));
        self.open.push(entries.into_iter());
        Ok(())
    }

    fn read_directory(&self) -> io::Result<Vec<Entry>> {
        let entries = fs::read_dir(&self.path)?.map(|entry| {
            let entry = entry?;
            Ok(Entry { name: entry.file_name(), kind: entry.file_type()? })
        });
        entries.collect()
    }

    fn file(&mut self, name: &[u8]) -> Result<(), DumpError> {
        let file = self.open_file().map_err(|error| self.unreadable("open", error))?;
        let metadata = file.metadata().map_err(|error| self.unreadable("look at", error))?;
        if !metadata.is_file() {
            return Err(DumpError::Kind { path: self.path.clone() });
        }
        let executable = metadata.permissions().mode() & EXECUTABLE != 0;
        self.encode(Event::File { name, executable, size: metadata.len() })?;
        self.contents(file, metadata.len())?;
        self.encode(Event::EndFile)
    }

    /// Opens what was a regular file when the directory was read: no link that has taken its place is
    /// followed, no pipe waited for.
    fn open_file(&self) -> io::Result<File> {
        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
        OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(&self.path)
    }

    /// Archives `size` bytes. A file that has grown since is archived as it was.
    fn contents(&mut self, file: File, size: u64) -> Result<(), DumpError> {
        let mut file = file.take(size);
        loop {
            let count = match file.read(&mut self.buffer) {
                Ok(0) => return Ok(()),
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(self.unreadable("read", error)),
            };
            let encoded = self.encoder.write(Event::Contents(&self.buffer[..count]));
            encoded.map_err(|source| self.unencodable(source))?;
        }
    }

    fn symlink(&mut self, name: &[u8]) -> Result<(), DumpError> {
        let target = fs::read_link(&self.path).map_err(|error| self.unreadable("read the link", error))?;
        self.encode(Event::Symlink { name, target: target.as_os_str().as_bytes() })
    }

    fn encode(&mut self, event: Event<'_>) -> Result<(), DumpError> {
        self.encoder.write(event).map_err(|source| self.unencodable(source))
    }

    fn unencodable(&self, source: EncodeError) -> DumpError {
        DumpError::Encode { path: self.path.clone(), source }
    }

    fn unreadable(&self, action: &'static str, source: io::Error) -> DumpError {
        DumpError::Read { action, path: self.path.clone(), source }
    }
}
