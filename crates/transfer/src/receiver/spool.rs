//! The path in work, kept on disk so that it need not come again after a broken connection.
//!
//! Only NARs of more than one window are kept, one at a time, each in a file that is named for the path and its hash
//! and locked by the receiver that writes it. A receiver may well live on when its sender has long come back over a
//! new connection: what such a one holds is copied. What is in a file is only believed once the hash of all is right.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Read, Seek, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use delta::{op::Op, window::MAX_TARGET};
use rustix::fs::fstatvfs;
use store::hash::{Algorithm, Hash, Sha256, Sha256Hasher};

use super::Trouble;
use crate::{
    announcement::Announcement,
    answer::{Has, Partial},
    question::Wanted,
    wire::Malformed,
};

/// How much is read back at once.
const PIECE: usize = 64 << 10;
/// What is left free on a disk at least.
const SPARE: u64 = 64 << 20;
/// Most files of one path: receivers that live at the same time.
const MOST: u32 = 8;

/// The directory of paths in work. Where it cannot be used, nothing is kept.
pub(super) struct Spool {
    directory: PathBuf,
    /// What an earlier receiver has left of a path that is wanted.
    left: Option<(Name, Left)>,
    /// What is written now.
    current: Option<PathBuf>,
}

/// A file that an earlier receiver has left.
struct Left {
    file: File,
    at: PathBuf,
    /// Nobody writes it any more, so it is ours.
    ours: bool,
}

impl Spool {
    pub(super) fn open(directory: &Path) -> Self {
        // Where there is none nothing is kept.
        let _none = DirBuilder::new().recursive(true).mode(0o700).create(directory);
        Self { directory: directory.to_owned(), left: None, current: None }
    }

    /// What is left of a path that is still wanted: the most, of several. What is left of others is removed.
    pub(super) fn partial(&mut self, wanted: &[Wanted], has: &[Has]) -> Option<Partial> {
        let mut found = None;
        for at in self.files() {
            let Some(left) = Left::open(at) else { continue };
            let Some((name, partial)) = left.of(wanted, has) else {
                left.remove();
                continue;
            };
            let more = found.as_ref().is_none_or(|found: &Partial| found.bytes < partial.bytes);
            let other = if more { self.left.replace((name, left)) } else { Some((name, left)) };
            other.inspect(|(_, left)| left.remove());
            found = if more { Some(partial) } else { found };
        }
        found
    }

    /// What is kept of a path that comes, with what is there of it; none if nothing is.
    pub(super) fn begin(&mut self, what: &Announcement) -> Result<Option<Part>, Trouble> {
        let name = Name::of(what);
        let part = match self.left.take_if(|(left, _)| left.hash_part == name.hash_part) {
            Some((left, of)) if left == name && what.from > 0 => self.go_on(&name, of, what),
            left => {
                left.iter().for_each(|(_, left)| left.remove());
                Ok(self.begin_anew(&name, what))
            }
        };
        match part {
            Ok(Some(part)) if part.there >= what.from => Ok(Some(part)),
            _ if what.from == 0 => Ok(None),
            _ => Err(Malformed::NotDue { index: what.index as u64, why: "less of it is there" }.into()),
        }
    }

    /// Takes up what is there of a path.
    fn go_on(&mut self, name: &Name, left: Left, what: &Announcement) -> io::Result<Option<Part>> {
        let Left { mut file, at, ours } = left;
        if file.metadata()?.len() < what.from {
            return Ok(None);
        }
        file.rewind()?;
        if ours {
            file.set_len(what.from)?;
            let keeps = has_room(&file, what.info.nar_size.saturating_mul(2).saturating_sub(what.from));
            self.current = Some(at);
            return Ok(Some(Part { file, there: what.from, keeps }));
        }
        let copy = self.begin_anew(name, what).and_then(|mut copy| {
            let copied = io::copy(&mut (&file).take(what.from), &mut copy.file).ok()?;
            copy.file.rewind().ok()?;
            (copied == what.from).then_some(Part { there: copied, ..copy })
        });
        file.rewind()?;
        Ok(Some(copy.unwrap_or(Part { file, there: what.from, keeps: false })))
    }

    /// A new file, if something of the path comes over the line, and there is room for it twice.
    fn begin_anew(&mut self, name: &Name, what: &Announcement) -> Option<Part> {
        if matches!(what.op, Op::Rewrite(_)) {
            return None;
        }
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true).mode(0o600);
        let (file, at) = (0..MOST).find_map(|number| {
            let at = self.directory.join(name.file(number));
            Some((options.open(&at).ok()?, at))
        })?;
        if file.try_lock().is_err() || !has_room(&file, what.info.nar_size.saturating_mul(2)) {
            remove(&at);
            return None;
        }
        self.current = Some(at);
        Some(Part { file, there: 0, keeps: true })
    }

    /// Keeps nothing any more of what came.
    pub(super) fn clear(&mut self) {
        self.current.take().iter().for_each(|at| remove(at));
    }

    fn files(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(&self.directory).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).collect()
    }
}

fn remove(at: &Path) {
    // What cannot be removed is removed another time.
    let _stays = fs::remove_file(at);
}

/// Whether the disk of this file has room for so many bytes more.
fn has_room(file: &File, bytes: u64) -> bool {
    fstatvfs(file)
        .is_ok_and(|disk| disk.f_bavail.saturating_mul(disk.f_frsize) >= bytes.saturating_add(SPARE))
}

impl Left {
    fn open(at: PathBuf) -> Option<Self> {
        let file = OpenOptions::new().read(true).write(true).open(&at).ok()?;
        let ours = file.try_lock().is_ok();
        Some(Self { file, at, ours })
    }

    /// Which wanted path it is of, and how much of it is there.
    fn of(&self, wanted: &[Wanted], has: &[Has]) -> Option<(Name, Partial)> {
        let name = Name::parse(self.at.file_name()?.to_str()?)?;
        let is_it = |wanted: &Wanted| wanted.path.hash_part().to_string() == name.hash_part;
        let index = wanted.iter().position(is_it)?;
        let missing = matches!(has.get(index), Some(Has::Base | Has::Nothing));
        let bytes = self.file.metadata().ok()?.len();
        let bytes = bytes - bytes % u64::from(MAX_TARGET);
        let partial = Partial { index, nar_hash: name.nar_hash, bytes };
        (missing && bytes > 0).then_some((name, partial))
    }

    /// Removes it, unless another receiver writes it.
    fn remove(&self) {
        if self.ours {
            remove(&self.at);
        }
    }
}

/// What the name of a file says: hash part, hash of the NAR, and a number that makes it another one.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Name {
    hash_part: String,
    nar_hash: Sha256,
}

impl Name {
    fn of(what: &Announcement) -> Self {
        Self { hash_part: what.info.path.hash_part().to_string(), nar_hash: what.info.nar_hash }
    }

    fn file(&self, number: u32) -> String {
        format!("{}-{}-{number}", self.hash_part, self.nar_hash.to_base16())
    }

    fn parse(name: &str) -> Option<Self> {
        let mut parts = name.split('-');
        let (hash_part, nar_hash) = (parts.next()?.to_owned(), parts.next()?);
        let nar_hash = Hash::parse_digest(Algorithm::Sha256, nar_hash).ok()?.as_sha256()?;
        Some(Self { hash_part, nar_hash })
    }
}

/// What is kept of a path while it comes.
pub(super) struct Part {
    /// Behind what was passed on of it.
    file: File,
    /// Bytes that are there from earlier.
    there: u64,
    /// Whether more is put into it.
    keeps: bool,
}

/// Passes a NAR on, hashes it, and keeps it.
pub(super) struct Tee<'s> {
    to: &'s mut dyn Write,
    hasher: Sha256Hasher,
    part: Option<Part>,
}

impl<'s> Tee<'s> {
    pub(super) fn new(to: &'s mut dyn Write, part: Option<Part>) -> Self {
        Self { to, hasher: Sha256Hasher::new(), part }
    }

    /// Passes on what was kept.
    pub(super) fn replay(&mut self) -> io::Result<()> {
        let mut buffer = vec![0; PIECE];
        let mut left = self.part.as_ref().map_or(0, |part| part.there);
        while let Some(part) = self.part.as_mut().filter(|_| left > 0) {
            let most = usize::try_from(left).unwrap_or(PIECE).min(PIECE);
            let count = part.file.read(&mut buffer[..most])?;
            if count == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.hasher.update(&buffer[..count]);
            self.to.write_all(&buffer[..count])?;
            left -= count as u64;
        }
        Ok(())
    }

    /// The hash and the size of what was passed on.
    pub(super) fn finish(self) -> (Sha256, u64) {
        let size = self.hasher.length();
        (self.hasher.finish(), size)
    }
}

impl Write for Tee<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.to.write_all(bytes)?;
        self.hasher.update(bytes);
        let part = self.part.as_mut().filter(|part| part.keeps);
        if let Some(part) = part.filter(|part| (&part.file).write_all(bytes).is_err()) {
            // A disk that is full must not stop what the store may well have room for.
            let _full = part.file.set_len(0);
            part.keeps = false;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}
