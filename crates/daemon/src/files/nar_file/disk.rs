//! The tree on disk: every step goes from an open directory to a name in it, and follows no link.

use std::{
    ffi::{CStr, CString, OsStr},
    fs::File,
    io,
    os::{
        fd::{AsFd as _, BorrowedFd, OwnedFd},
        unix::ffi::OsStrExt as _,
    },
    path::{Path, PathBuf},
    vec,
};

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, Stat, fstat, openat, readlinkat, statat};
use store::nar::Event;

use super::{
    NarFileError,
    layout::{Builder, Layout, Refused},
};
use crate::files::dump::EXECUTABLE;

/// Where the tree is, and what of it is open.
#[derive(Debug)]
pub(super) struct Disk {
    root: PathBuf,
    /// The directory that was used last.
    directory: Option<(usize, OwnedFd)>,
    /// The file that was used last.
    file: Option<(usize, File)>,
}

impl Disk {
    pub(super) fn new(root: &Path) -> Self {
        Self { root: root.to_owned(), directory: None, file: None }
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// Looks at the whole tree.
    pub(super) fn walk(&mut self) -> Result<Layout, NarFileError> {
        let mut walk = Walk { disk: self, builder: Builder::new(), open: Vec::new() };
        walk.tree()?;
        let layout = walk.builder.finish();
        self.directory = None;
        Ok(layout)
    }

    /// The file `index`, if it is still what it was.
    pub(super) fn file(&mut self, layout: &Layout, index: usize) -> Result<&File, NarFileError> {
        let file = match self.file.take() {
            Some((last, file)) if last == index => file,
            _ => self.open(layout, index).map_err(|error| self.unreadable("open", layout, index, error))?,
        };
        let stat = fstat(&file).map_err(|error| self.unreadable("look at", layout, index, error.into()))?;
        let is_file = FileType::from_raw_mode(stat.st_mode).is_file();
        if !is_file || layout.file(index) != Some((size(&stat), is_executable(&stat))) {
            return Err(NarFileError::Changed { path: self.path(layout, index) });
        }
        Ok(&self.file.insert((index, file)).1)
    }

    /// Where an entry is, for messages.
    pub(super) fn path(&self, layout: &Layout, mut index: usize) -> PathBuf {
        let mut names = Vec::new();
        while let Some(parent) = layout.parent(index) {
            names.push(OsStr::from_bytes(layout.name(index)));
            index = parent;
        }
        names.iter().rev().fold(self.root.clone(), |path, name| path.join(name))
    }

    /// What went wrong with an entry.
    pub(super) fn unreadable(
        &self,
        action: &'static str,
        layout: &Layout,
        index: usize,
        source: io::Error,
    ) -> NarFileError {
        NarFileError::Read { action, path: self.path(layout, index), source }
    }

    /// Opens a file. If a pipe has taken its place, it is not waited for.
    fn open(&mut self, layout: &Layout, index: usize) -> io::Result<File> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let (around, name) = self.place(layout, layout.parent(index), layout.name(index))?;
        Ok(openat(around, name, flags, Mode::empty())?.into())
    }

    /// How the entry `name` of a directory, or the root, is named to the system.
    fn place<'a>(
        &'a mut self,
        layout: &Layout,
        around: Option<usize>,
        name: &'a [u8],
    ) -> io::Result<(BorrowedFd<'a>, &'a OsStr)> {
        match around {
            None => Ok((CWD, self.root.as_os_str())),
            Some(around) => Ok((self.directory(layout, around)?, OsStr::from_bytes(name))),
        }
    }

    /// The directory `index`, reached from the nearest one around it that is open.
    fn directory(&mut self, layout: &Layout, index: usize) -> io::Result<BorrowedFd<'_>> {
        let last = self.directory.as_ref().map(|(last, _)| *last);
        let mut way = Vec::new();
        let mut at = Some(index);
        while let Some(step) = at
            && at != last
        {
            way.push(step);
            at = layout.parent(step);
        }
        if at.is_none() {
            self.directory = None;
        }
        for step in way.into_iter().rev() {
            self.enter(layout, step)?;
        }
        self.directory.as_ref().map(|(_, directory)| directory.as_fd()).ok_or(io::ErrorKind::NotFound.into())
    }

    /// Goes on to `step`, which is in the directory at hand or the root.
    fn enter(&mut self, layout: &Layout, step: usize) -> io::Result<()> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let opened = match &self.directory {
            None => openat(CWD, &self.root, flags, Mode::empty()),
            Some((_, around)) => openat(around, layout.name(step), flags, Mode::empty()),
        };
        self.directory = Some((step, opened?));
        Ok(())
    }
}

fn size(stat: &Stat) -> u64 {
    u64::try_from(stat.st_size).unwrap_or_default()
}

fn is_executable(stat: &Stat) -> bool {
    stat.st_mode & EXECUTABLE != 0
}

/// A first look at a tree.
struct Walk<'d> {
    disk: &'d mut Disk,
    builder: Builder,
    /// The directories around, each with the names in it that are still to come.
    open: Vec<(usize, vec::IntoIter<CString>)>,
}

impl Walk<'_> {
    fn tree(&mut self) -> Result<(), NarFileError> {
        self.entry(b"")?;
        while let Some((_, names)) = self.open.last_mut() {
            if let Some(name) = names.next() {
                self.entry(name.as_bytes())?;
            } else {
                self.add(b"", &Event::EndDirectory)?;
                self.open.pop();
            }
        }
        Ok(())
    }

    /// Takes up the entry `name` of the innermost directory, or the root.
    fn entry(&mut self, name: &[u8]) -> Result<(), NarFileError> {
        let stat = self.stat(name).map_err(|error| self.unreadable("look at", name, error))?;
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::Directory => self.directory(name),
            FileType::RegularFile => {
                let (executable, size) = (is_executable(&stat), size(&stat));
                self.add(name, &Event::File { name, executable, size })
            }
            FileType::Symlink => {
                let target =
                    self.link(name).map_err(|error| self.unreadable("read the link", name, error))?;
                self.add(name, &Event::Symlink { name, target: target.as_bytes() })
            }
            _ => Err(NarFileError::Kind { path: self.path(name) }),
        }
    }

    /// Takes up a directory; its entries are left for later.
    fn directory(&mut self, name: &[u8]) -> Result<(), NarFileError> {
        let path = self.path(name);
        self.add(name, &Event::Directory { name })?;
        let index = self.builder.last();
        let names = self.names(index);
        let mut names = names.map_err(|source| NarFileError::Read { action: "list", path, source })?;
        names.sort_unstable();
        self.open.push((index, names.into_iter()));
        Ok(())
    }

    fn names(&mut self, directory: usize) -> io::Result<Vec<CString>> {
        let directory = self.disk.directory(self.builder.layout(), directory)?;
        let names = Dir::read_from(directory)?.map(|entry| Ok(entry?.file_name().to_owned()));
        let is_entry = |name: &io::Result<CString>| !matches!(name, Ok(name) if is_dots(name));
        names.filter(is_entry).collect()
    }

    fn stat(&mut self, name: &[u8]) -> io::Result<Stat> {
        let (around, name) = self.disk.place(self.builder.layout(), innermost(&self.open), name)?;
        Ok(statat(around, name, AtFlags::SYMLINK_NOFOLLOW)?)
    }

    fn link(&mut self, name: &[u8]) -> io::Result<CString> {
        let (around, name) = self.disk.place(self.builder.layout(), innermost(&self.open), name)?;
        Ok(readlinkat(around, name, Vec::new())?)
    }

    fn add(&mut self, name: &[u8], event: &Event<'_>) -> Result<(), NarFileError> {
        self.builder.add(event).map_err(|refused| match refused {
            Refused::Tree(source) => NarFileError::Tree { path: self.path(name), source },
            Refused::TooLarge => NarFileError::TooLarge { path: self.path(name) },
        })
    }

    fn unreadable(&self, action: &'static str, name: &[u8], source: io::Error) -> NarFileError {
        NarFileError::Read { action, path: self.path(name), source }
    }

    fn path(&self, name: &[u8]) -> PathBuf {
        match innermost(&self.open) {
            None => self.disk.root.clone(),
            Some(around) => self.disk.path(self.builder.layout(), around).join(OsStr::from_bytes(name)),
        }
    }
}

fn innermost(open: &[(usize, vec::IntoIter<CString>)]) -> Option<usize> {
    open.last().map(|(directory, _)| *directory)
}

fn is_dots(name: &CStr) -> bool {
    matches!(name.to_bytes(), b"." | b"..")
}
