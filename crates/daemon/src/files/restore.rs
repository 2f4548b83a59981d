//! A NAR as a tree on disk.

use std::{
    ffi::OsStr,
    fs::{self, File, OpenOptions},
    io::{self, BufRead, Write as _},
    os::unix::{
        ffi::OsStrExt as _,
        fs::{OpenOptionsExt as _, symlink},
    },
    path::{Path, PathBuf},
};

use store::nar::{DecodeError, Decoder, Event};
use thiserror::Error;

/// Permissions of a new file, before the process's mask.
const PLAIN: u32 = 0o666;
const EXECUTABLE: u32 = 0o777;

/// Why a NAR could not be restored.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RestoreError {
    /// It is none.
    #[error("cannot restore {}: this is no NAR", .target.display())]
    Format {
        /// Where it was to be restored.
        target: PathBuf,
        /// What is wrong with it.
        source: DecodeError,
    },
    /// It cannot be read.
    #[error("cannot restore {}: the NAR cannot be read", .target.display())]
    Read {
        /// Where it was to be restored.
        target: PathBuf,
        /// What the reader said.
        source: io::Error,
    },
    /// Something of the tree cannot be made.
    #[error("cannot {action} {}", .path.display())]
    Write {
        /// What was tried.
        action: &'static str,
        /// What it was tried on.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Reads one NAR and makes its tree at `target`, where nothing may be yet. What follows the NAR is left in
/// `nar`.
///
/// No NAR can make anything outside `target`: names have no slashes, nothing that exists is opened, and links
/// are made but never followed. After an error a part of the tree remains.
pub fn restore(nar: &mut dyn BufRead, target: &Path) -> Result<(), RestoreError> {
    let unformed = |source| RestoreError::Format { target: target.to_owned(), source };
    let mut decoder = Decoder::new();
    let mut tree = Tree { path: target.to_owned(), depth: 0, file: None };
    while !decoder.is_done() {
        let bytes = match nar.fill_buf() {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(source) => return Err(RestoreError::Read { target: target.to_owned(), source }),
        };
        if bytes.is_empty() {
            break;
        }
        let mut rest = bytes;
        while let Some(event) = decoder.next_event(&mut rest).map_err(unformed)? {
            tree.make(event).map_err(|(action, source)| tree.unwritable(action, source))?;
        }
        let taken = bytes.len() - rest.len();
        nar.consume(taken);
    }
    decoder.finish().map_err(unformed)
}

/// What was tried, and what the system said.
type Failed = (&'static str, io::Error);

/// A tree that is being made.
struct Tree {
    /// What is being made, or was made last; the directory around it when that has ended.
    path: PathBuf,
    /// Directories that are open.
    depth: usize,
    /// The file that is open.
    file: Option<File>,
}

impl Tree {
    fn make(&mut self, event: Event<'_>) -> Result<(), Failed> {
        match event {
            Event::Directory { name } => self.directory(name),
            Event::EndDirectory => {
                self.depth -= 1;
                self.leave();
                Ok(())
            }
            Event::File { name, executable, .. } => self.file(name, executable),
            Event::Contents(bytes) => self.contents(bytes),
            Event::EndFile => {
                self.file = None;
                self.leave();
                Ok(())
            }
            Event::Symlink { name, target } => self.symlink(name, target),
        }
    }

    fn directory(&mut self, name: &[u8]) -> Result<(), Failed> {
        self.enter(name);
        self.depth += 1;
        fs::create_dir(&self.path).map_err(|error| ("make the directory", error))
    }

    fn file(&mut self, name: &[u8], executable: bool) -> Result<(), Failed> {
        self.enter(name);
        let mode = if executable { EXECUTABLE } else { PLAIN };
        let file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&self.path);
        self.file = Some(file.map_err(|error| ("make the file", error))?);
        Ok(())
    }

    fn contents(&mut self, bytes: &[u8]) -> Result<(), Failed> {
        let file = self.file.as_mut().expect("invariant: contents come within a file");
        file.write_all(bytes).map_err(|error| ("write", error))
    }

    fn symlink(&mut self, name: &[u8], target: &[u8]) -> Result<(), Failed> {
        self.enter(name);
        symlink(OsStr::from_bytes(target), &self.path).map_err(|error| ("make the link", error))?;
        self.leave();
        Ok(())
    }

    fn enter(&mut self, name: &[u8]) {
        if self.depth > 0 {
            self.path.push(OsStr::from_bytes(name));
        }
    }

    fn leave(&mut self) {
        if self.depth > 0 {
            self.path.pop();
        }
    }

    fn unwritable(&self, action: &'static str, source: io::Error) -> RestoreError {
        RestoreError::Write { action, path: self.path.clone(), source }
    }
}
