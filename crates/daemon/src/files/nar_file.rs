//! A tree on disk as a NAR that can be read at any place.

mod disk;
mod layout;

use std::{
    io, mem,
    ops::Range,
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
};

use store::nar::{EncodeError, Node};
use thiserror::Error;

use self::{disk::Disk, layout::Layout};

/// A tree on disk as the NAR that it makes, read at any place.
///
/// What is where is known from the first look on; contents are read from the files when they are asked for, and
/// nothing before them. It is the same NAR that [`dump`](super::dump) writes. What is held is 32 bytes for each entry
/// of the tree, its name and, of a symbolic link, its target: some 3 MB for 50,000 files. From the first contents on
/// two descriptors stay open, the file that was read last and its directory.
///
/// No symbolic link of the tree is followed, nor one that takes the place of a file or directory later. A file that
/// is no longer the one that was seen, by its kind, its size or its permission to execute, is an error when its
/// contents are asked for; other changes are not noticed, so whoever must know checks the NAR's hash.
#[derive(Debug)]
pub struct NarFile {
    layout: Layout,
    disk: Disk,
}

/// Why a NAR cannot be read from the tree.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum NarFileError {
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
    /// The tree has no NAR.
    #[error("cannot archive {}", .path.display())]
    Tree {
        /// Where in the tree that was.
        path: PathBuf,
        /// What is wrong.
        source: EncodeError,
    },
    /// The tree has more entries, or longer names, than are kept track of, or its NAR has more bytes than can be told.
    #[error("{} is too large", .path.display())]
    TooLarge {
        /// The entry that was too much.
        path: PathBuf,
    },
    /// A file is not the one that was seen when the tree was opened.
    #[error("{} changed while it was read", .path.display())]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// The NAR has no such bytes.
    #[error("bytes {} to {} of the NAR of {}, which has {size}", .range.start, .range.end, .path.display())]
    Range {
        /// The tree.
        path: PathBuf,
        /// What was asked for.
        range: Range<u64>,
        /// Bytes of the NAR.
        size: u64,
    },
}

impl NarFile {
    /// Looks at the tree at `path`: its directories, the sizes of its files, the targets of its links. No contents
    /// are read.
    ///
    /// # Errors
    /// If something of it cannot be looked at, or it has no NAR.
    pub fn open(path: &Path) -> Result<Self, NarFileError> {
        let mut disk = Disk::new(path);
        let layout = disk.walk()?;
        Ok(Self { layout, disk })
    }

    /// Bytes of the NAR.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.layout.size()
    }

    /// What is where in the NAR, made anew at each call.
    #[must_use]
    pub fn listing(&self) -> Node {
        self.layout.listing()
    }

    /// Puts exactly `range` of the NAR into `into`, whose contents are replaced; after an error it is empty.
    ///
    /// No more memory is taken than the range has bytes. One after the other is the fast way, but any order is right.
    ///
    /// # Errors
    /// If the range is not within the NAR, or a file that it has contents of cannot be read or has changed.
    pub fn read_at(&mut self, range: Range<u64>, into: &mut Vec<u8>) -> Result<(), NarFileError> {
        let filled = self.check(&range).and_then(|length| {
            // What was there is overwritten: filling it with zeros first would take as long as reading a file.
            into.reserve_exact(length.saturating_sub(into.len()));
            into.resize(length, 0);
            self.fill(range.start, into)
        });
        if filled.is_err() {
            into.clear();
        }
        filled
    }

    /// How many bytes the range has, if it is one of the NAR.
    fn check(&self, range: &Range<u64>) -> Result<usize, NarFileError> {
        let size = self.size();
        let length = range.end.checked_sub(range.start).filter(|_| range.end <= size);
        length.and_then(|length| usize::try_from(length).ok()).ok_or_else(|| {
            let (path, range) = (self.disk.root().to_owned(), range.clone());
            NarFileError::Range { path, range, size }
        })
    }

    /// Fills `into` with what begins at `position`.
    fn fill(&mut self, position: u64, into: &mut [u8]) -> Result<(), NarFileError> {
        let mut index = self.layout.find(position);
        let mut rest = Rest { position, into };
        while !rest.into.is_empty() {
            let parts = self.layout.parts(index);
            let parts = parts
                .map_err(|source| NarFileError::Tree { path: self.disk.path(&self.layout, index), source })?;
            let (offset, bytes) = rest.take(&(parts.start..parts.contents.start));
            let head = parts.head.iter().skip(usize::try_from(offset).unwrap_or(usize::MAX));
            bytes.iter_mut().zip(head).for_each(|(to, from)| *to = *from);
            let (offset, bytes) = rest.take(&parts.contents);
            if !bytes.is_empty() {
                self.contents(index, offset, bytes)?;
            }
            let (offset, bytes) = rest.take(&(parts.contents.end..parts.end));
            bytes.iter_mut().zip(parts.tail(offset)).for_each(|(to, from)| *to = from);
            index += 1;
        }
        Ok(())
    }

    /// Reads contents of a file.
    fn contents(&mut self, index: usize, offset: u64, into: &mut [u8]) -> Result<(), NarFileError> {
        let file = self.disk.file(&self.layout, index)?;
        match file.read_exact_at(into, offset) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                Err(NarFileError::Changed { path: self.disk.path(&self.layout, index) })
            }
            Err(error) => Err(self.disk.unreadable("read", &self.layout, index, error)),
        }
    }
}

/// What is still to be filled.
struct Rest<'b> {
    /// Where in the NAR that begins.
    position: u64,
    into: &'b mut [u8],
}

impl<'b> Rest<'b> {
    /// What is to be filled from `part` of the NAR, and at which offset of it that begins; nothing, if all is filled
    /// or the position is behind it. The position moves behind it.
    fn take(&mut self, part: &Range<u64>) -> (u64, &'b mut [u8]) {
        let length = part.end.saturating_sub(self.position);
        let length = usize::try_from(length).unwrap_or(usize::MAX).min(self.into.len());
        let (now, later) = mem::take(&mut self.into).split_at_mut(length);
        let offset = self.position.saturating_sub(part.start);
        self.into = later;
        self.position += now.len() as u64;
        (offset, now)
    }
}

#[cfg(test)]
mod tests;
