//! The sender's store: trees in a directory of this machine, and what their infos would be.

use std::{
    collections::BTreeSet,
    env, fs,
    io::{self, Write},
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    process,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use anyhow::Result;
use daemon::files::dump;
use store::{
    closure::Closure,
    hash::Sha256Hasher,
    path_info::PathInfo,
    store_path::{HashPart, StoreDir, StorePath},
};
use transfer::{Bases, OnDisk};

/// Paths that only this machine has.
pub(super) struct Shelf {
    directory: Arc<Directory>,
    pub(super) infos: Vec<PathInfo>,
}

/// A path that is like a package: what changes with its version is small.
#[derive(Clone)]
pub(super) struct Item {
    /// Bytes of its data, about.
    pub(super) size: usize,
    version: u8,
    /// Another one is another hash.
    generation: u8,
}

/// Items of this size, each of which refers to itself, the one before it and one far before that.
pub(super) fn items(count: usize, size: usize) -> Vec<Item> {
    vec![Item { size, version: 0, generation: 1 }; count]
}

/// The same after a rebuild: that at `index` has another version, and with it all that stand on it other hashes.
pub(super) fn rebuilt(items: &[Item], index: usize) -> Vec<Item> {
    let mut items = rehashed(items, index);
    items[index].version += 1;
    items
}

/// The same with another hash from `index` on, and nothing else.
pub(super) fn rehashed(items: &[Item], index: usize) -> Vec<Item> {
    let mut items = items.to_vec();
    items[index..].iter_mut().for_each(|item| item.generation += 1);
    items
}

/// A store path of a number and a generation.
pub(super) fn path(generation: u8, number: usize, name: &str) -> Result<StorePath> {
    let mut hash_part = [generation; HashPart::LEN];
    hash_part[..8].copy_from_slice(&(number as u64).to_le_bytes());
    Ok(StorePath::new(HashPart(hash_part), name.parse()?))
}

/// A path as it is written in files.
pub(super) fn full(path: &StorePath) -> String {
    StoreDir::default().display(path).to_string()
}

impl Shelf {
    /// With nothing on it.
    pub(super) fn new() -> Result<Self> {
        static COUNTER: AtomicU32 = AtomicU32::new(0);
        let name = format!("receiving-{}-{}", process::id(), COUNTER.fetch_add(1, Ordering::Relaxed));
        let directory = env::temp_dir().join(name);
        fs::create_dir(&directory)?;
        Ok(Self { directory: Arc::new(Directory(directory)), infos: Vec::new() })
    }

    /// With these items, the last of which leads to all of them.
    pub(super) fn of(items: &[Item]) -> Result<Self> {
        Self::new()?.next(items)
    }

    /// Another one in the same directory.
    pub(super) fn next(&self, items: &[Item]) -> Result<Self> {
        let mut shelf = Self { directory: Arc::clone(&self.directory), infos: Vec::new() };
        for (number, item) in items.iter().enumerate() {
            shelf.put_item(number, item)?;
        }
        Ok(shelf)
    }

    fn put_item(&mut self, number: usize, item: &Item) -> Result<()> {
        let path = path(item.generation, number, &format!("receiving-{number}"))?;
        let before = [number.wrapping_sub(1), number / 2];
        let before = before.iter().filter_map(|at| Some(self.infos.get(*at)?.path.clone()));
        let references: BTreeSet<_> = before.chain([path.clone()]).collect();
        let names: String = references.iter().map(|path| format!("{}/bin\n", full(path))).collect();
        self.put(path.clone(), references, |at| {
            fs::create_dir_all(at.join("bin"))?;
            fs::write(at.join("bin/start"), &names)?;
            fs::set_permissions(at.join("bin/start"), fs::Permissions::from_mode(0o755))?;
            fs::write(at.join("data"), contents(number, item, &names))?;
            symlink(format!("{}/bin/start", full(&path)), at.join("start"))
        })
    }

    /// Adds what `write` makes there, if it is not there.
    pub(super) fn put(
        &mut self,
        path: StorePath,
        references: BTreeSet<StorePath>,
        write: impl FnOnce(&Path) -> io::Result<()>,
    ) -> Result<()> {
        let at = self.directory.0.join(path.to_string());
        if at.symlink_metadata().is_err() {
            write(&at)?;
        }
        let mut hashing = Hashing(Sha256Hasher::new());
        dump(&at, &mut hashing)?;
        let size = hashing.0.length();
        self.infos.push(PathInfo { references, ..PathInfo::new(path, hashing.0.finish(), size) });
        Ok(())
    }

    pub(super) fn closure(&self) -> Result<Closure> {
        Ok(Closure::new(self.infos.iter().cloned())?)
    }

    /// What these paths can be made of where `old` is.
    pub(super) fn bases(&self, old: &Self) -> Result<Bases> {
        let root = |shelf: &Self| Some(shelf.infos.last()?.path.clone());
        let roots: Vec<_> = root(self).zip(root(old)).into_iter().collect();
        Ok(Bases::new(&self.closure()?, old.closure()?, &roots))
    }

    pub(super) fn source(&self) -> OnDisk {
        OnDisk(self.directory.0.clone())
    }

    pub(super) fn nar_size(&self) -> u64 {
        self.infos.iter().map(|info| info.nar_size).sum()
    }

    /// Where the last path will be.
    pub(super) fn root(&self) -> String {
        self.infos.last().map(|info| full(&info.path)).unwrap_or_default()
    }
}

/// Removed when nobody needs it any more.
struct Directory(PathBuf);

impl Drop for Directory {
    fn drop(&mut self) {
        // What cannot be removed stays among temporary files.
        let _stays = fs::remove_dir_all(&self.0);
    }
}

struct Hashing(Sha256Hasher);

impl Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Bytes that cannot be packed, with names at the beginning and in the middle. A version differs from the one before it in
/// some places, and is a little longer.
fn contents(number: usize, item: &Item, names: &str) -> Vec<u8> {
    let seed = number as u64 + 1;
    let mut bytes = noise(seed, item.size);
    for version in 1..=u64::from(item.version) {
        for place in [1, 4, 7] {
            let place = place * item.size / 8;
            bytes[place..place + 50].copy_from_slice(&noise(seed + (version << 32), 50));
        }
        bytes.splice(item.size / 3..item.size / 3, noise(version, 37));
    }
    bytes.splice(item.size / 2..item.size / 2, names.bytes());
    [names.as_bytes(), &bytes].concat()
}

/// Always the same bytes, as if by chance.
pub(super) fn noise(seed: u64, size: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut bytes = Vec::with_capacity(size + 8);
    while bytes.len() < size {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.wrapping_mul(0x2545_f491_4f6c_dd1d).to_le_bytes());
    }
    bytes.truncate(size);
    bytes
}
