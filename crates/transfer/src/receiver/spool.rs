//! The path in work, kept on disk so that it need not come again after a broken connection.
//!
//! Only NARs of more than one window are kept, one at a time, in a file that is named for the path and its hash. What
//! is in it is only believed once the hash of all is right.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use delta::{op::Op, window::MAX_TARGET};
use rustix::fs::statvfs;
use store::hash::{Sha256, Sha256Hasher};

use super::Trouble;
use crate::{
    announcement::Announcement,
    answer::{Has, Partial},
    question::Wanted,
    wire::Malformed,
};

/// What is left free on a disk at least.
const SPARE: u64 = 64 << 20;
/// How much is read back at once.
const PIECE: usize = 64 << 10;

/// The directory of the path in work. Where it cannot be used, or another transfer uses it, nothing is kept.
pub(super) struct Spool {
    directory: PathBuf,
    /// Whoever holds it may write there.
    lock: Option<File>,
}

impl Spool {
    pub(super) fn open(directory: &Path) -> Self {
        Self { directory: directory.to_owned(), lock: lock(directory).ok() }
    }

    /// What is left of a path that is still wanted. What is left of others is removed.
    pub(super) fn partial(&self, wanted: &[Wanted], has: &[Has]) -> Option<Partial> {
        let mut found = None;
        for name in self.names() {
            let left = Left::parse(&name).and_then(|left| {
                let index =
                    wanted.iter().position(|wanted| wanted.path.hash_part().to_string() == left.hash_part)?;
                let missing = matches!(has.get(index), Some(Has::Base | Has::Nothing));
                let bytes = fs::metadata(self.directory.join(&name)).ok()?.len();
                let bytes = bytes - bytes % u64::from(MAX_TARGET);
                (missing && bytes > 0).then_some(Partial { index, nar_hash: left.nar_hash, bytes })
            });
            match left {
                Some(partial) if found.is_none() => found = Some(partial),
                _ => self.remove(&name),
            }
        }
        found
    }

    /// The file for a path that comes, with what is there of it; none if nothing is kept.
    pub(super) fn begin(&self, what: &Announcement) -> Result<Option<File>, Trouble> {
        if what.from == 0 && (self.lock.is_none() || !self.is_worth_it(what)) {
            self.clear();
            return Ok(None);
        }
        let name = format!("{}-{}", what.info.path.hash_part(), what.info.nar_hash.to_base16());
        let other = self.names().into_iter().filter(|other| *other != name);
        other.for_each(|other| self.remove(&other));
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).mode(0o600).truncate(false);
        let file = options.open(self.directory.join(name)).and_then(|mut file| {
            let there = file.metadata()?.len();
            file.set_len(what.from)?;
            file.seek(SeekFrom::Start(0))?;
            Ok((there >= what.from).then_some(file))
        });
        match file {
            Ok(Some(file)) => Ok(Some(file)),
            _ if what.from == 0 => Ok(None),
            _ => Err(Malformed::NotDue { index: what.index as u64, why: "less of it is there" }.into()),
        }
    }

    /// Whether something of the path comes over the line, and there is room for it twice.
    fn is_worth_it(&self, what: &Announcement) -> bool {
        let comes = !matches!(what.op, Op::Rewrite(_));
        let room = statvfs(&self.directory).map_or(0, |there| there.f_bavail.saturating_mul(there.f_frsize));
        comes && room / 2 > what.info.nar_size.saturating_add(SPARE)
    }

    /// Keeps nothing any more.
    pub(super) fn clear(&self) {
        self.names().iter().for_each(|name| self.remove(name));
    }

    fn names(&self) -> Vec<String> {
        if self.lock.is_none() {
            return Vec::new();
        }
        let entries = fs::read_dir(&self.directory).into_iter().flatten().flatten();
        let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
        names.filter(|name| name != LOCK).collect()
    }

    fn remove(&self, name: &str) {
        // What cannot be removed is overwritten or removed another time.
        let _stays = fs::remove_file(self.directory.join(name));
    }
}

const LOCK: &str = "lock";

fn lock(directory: &Path) -> io::Result<File> {
    DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    let mut options = OpenOptions::new();
    let file = options.write(true).create(true).truncate(false).mode(0o600).open(directory.join(LOCK))?;
    file.try_lock().map_err(io::Error::from)?;
    Ok(file)
}

/// What the name of a file says.
struct Left {
    hash_part: String,
    nar_hash: Sha256,
}

impl Left {
    fn parse(name: &str) -> Option<Self> {
        let (hash_part, nar_hash) = name.split_once('-')?;
        let nar_hash = store::hash::Hash::parse_digest(store::hash::Algorithm::Sha256, nar_hash).ok()?;
        Some(Self { hash_part: hash_part.to_owned(), nar_hash: nar_hash.as_sha256()? })
    }
}

/// Passes a NAR on, hashes it, and keeps it.
pub(super) struct Tee<'s> {
    to: &'s mut dyn Write,
    hasher: Sha256Hasher,
    part: Option<File>,
}

impl<'s> Tee<'s> {
    pub(super) fn new(to: &'s mut dyn Write, part: Option<File>) -> Self {
        Self { to, hasher: Sha256Hasher::new(), part }
    }

    /// Passes on the first bytes from what was kept.
    pub(super) fn replay(&mut self, bytes: u64) -> io::Result<()> {
        let mut buffer = vec![0; PIECE];
        let mut left = bytes;
        while let Some(part) = self.part.as_mut().filter(|_| left > 0) {
            let most = usize::try_from(left).unwrap_or(PIECE).min(PIECE);
            let count = part.read(&mut buffer[..most])?;
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
        // A disk that is full must not stop what the store may well have room for.
        if self.part.as_mut().is_some_and(|part| part.write_all(bytes).is_err()) {
            self.part = None;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}
