//! Store paths to be: real files that refer to one another, written under any set of hashes.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use daemon::{AddPolicy, Client, files::dump};
use store::{
    hash::{Sha256, Sha256Hasher},
    path_info::PathInfo,
    store_path::{HashPart, StoreDir, StorePath},
};

/// Every file that is longer than this has store paths in it, as what is linked by Nix has.
const STAMPED_FROM: usize = 40 << 10;
/// Bytes from one of them to the next.
const STAMPED_EVERY: usize = 64 << 10;
/// How many paths are named in a packed file, besides those that its path refers to.
const STRANGERS: usize = 500;
/// How hard the initrd is compressed: NixOS's default for zstd.
const INITRD_LEVEL: i32 = 10;

const POLICY: AddPolicy = AddPolicy { repair: false, check_signatures: false };

/// A file of a path: where it goes, and where it is taken from.
#[derive(Clone)]
pub(crate) struct Source {
    pub(crate) to: PathBuf,
    pub(crate) from: PathBuf,
}

/// What becomes of the files.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// They are what they are.
    Plain,
    /// The long ones name store paths all over, each path itself and what it refers to.
    Stamped,
    /// As stamped, with many more paths, and then packed into one compressed file, in which nobody finds a reference.
    Packed,
}

/// One store path to be.
#[derive(Clone)]
pub(crate) struct Draft {
    pub(crate) name: String,
    pub(crate) files: Vec<Source>,
    pub(crate) form: Form,
    /// The paths of the same set that it refers to, all of which come before it.
    pub(crate) references: Vec<usize>,
}

/// Paths that refer to one another; the last leads to all of them.
#[derive(Clone, Default)]
pub(crate) struct Set(pub(crate) Vec<Draft>);

impl Set {
    /// Adds a last path that refers to all others.
    pub(crate) fn with_root(mut self) -> Self {
        let references = (0..self.0.len()).collect();
        self.0.push(Draft {
            name: "bench-root".to_owned(),
            files: Vec::new(),
            form: Form::Plain,
            references,
        });
        self
    }

    /// Adds the set to a store, with hashes that follow from `salt`; returns the last path.
    pub(crate) fn add(&self, client: &mut Client, salt: &str) -> Result<StorePath> {
        let paths = self.paths(salt)?;
        let scratch = Scratch::new()?;
        let mut infos = Vec::new();
        for (draft, path) in self.0.iter().zip(&paths) {
            let references: Vec<_> = draft.references.iter().map(|at| paths[*at].clone()).collect();
            let tree = scratch.0.join(path.to_string());
            draft.write(&tree, path, &references)?;
            let mut info = info(&tree, path)?;
            if draft.form != Form::Packed {
                info.references = references.into_iter().chain([path.clone()]).collect();
            }
            infos.push(info);
        }
        client.add_paths(&infos, POLICY, |info, sink| dump(&scratch.0.join(info.path.to_string()), sink))?;
        paths.into_iter().next_back().context("a set has paths")
    }

    fn paths(&self, salt: &str) -> Result<Vec<StorePath>> {
        let path = |(number, draft): (usize, &Draft)| {
            let hash_part = hash_part(&format!("{salt} {number} {}", draft.name));
            Ok(StorePath::new(hash_part, draft.name.parse()?))
        };
        self.0.iter().enumerate().map(path).collect()
    }
}

fn hash_part(text: &str) -> HashPart {
    HashPart(*Sha256::of(text.as_bytes()).0.first_chunk().expect("invariant: a digest is longer"))
}

/// Paths that are in no store, but other ones for each `own`: what a packed file names.
fn strangers(own: &StorePath) -> Vec<StorePath> {
    (0..STRANGERS).map(|n| StorePath::new(hash_part(&format!("{own} {n}")), own.name().clone())).collect()
}

fn info(tree: &Path, path: &StorePath) -> Result<PathInfo> {
    let mut sink = Hashing(Sha256Hasher::new());
    dump(tree, &mut sink)?;
    let size = sink.0.length();
    Ok(PathInfo::new(path.clone(), sink.0.finish(), size))
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

impl Draft {
    fn write(&self, tree: &Path, own: &StorePath, references: &[StorePath]) -> Result<()> {
        let store = StoreDir::default();
        let mut lines: Vec<_> =
            [own].into_iter().chain(references).map(|path| store.display(path).to_string()).collect();
        if self.form == Form::Packed {
            lines.extend(strangers(own).iter().map(|path| store.display(path).to_string()));
        }
        fs::create_dir_all(tree.join("nix-support"))?;
        for source in &self.files {
            let to = tree.join(&source.to);
            fs::create_dir_all(to.parent().context("a file has a directory")?)?;
            let stamps = if self.form == Form::Plain { &[] } else { &lines[..] };
            source.write(&to, stamps).with_context(|| format!("cannot copy {}", source.from.display()))?;
        }
        fs::write(tree.join("nix-support/references"), lines.join("\n") + "\n")?;
        if self.form == Form::Packed { pack(tree) } else { Ok(()) }
    }
}

impl Source {
    fn write(&self, to: &Path, stamps: &[String]) -> Result<()> {
        let kind = self.from.symlink_metadata()?;
        if kind.is_symlink() {
            return Ok(std::os::unix::fs::symlink(fs::read_link(&self.from)?, to)?);
        }
        if stamps.is_empty() || kind.len() < STAMPED_FROM as u64 {
            fs::copy(&self.from, to)?;
            return Ok(());
        }
        let mut bytes = fs::read(&self.from)?;
        for (at, stamp) in (STAMPED_FROM / 2..bytes.len()).step_by(STAMPED_EVERY).zip(stamps.iter().cycle()) {
            if let Some(place) = bytes.get_mut(at..at + stamp.len()) {
                place.copy_from_slice(stamp.as_bytes());
            }
        }
        fs::write(to, bytes)?;
        Ok(fs::set_permissions(to, kind.permissions())?)
    }
}

/// Puts one compressed file in place of the tree.
fn pack(tree: &Path) -> Result<()> {
    let aside = tree.with_extension("initrd");
    let mut packed = zstd::Encoder::new(File::create(&aside)?, INITRD_LEVEL)?;
    dump(tree, &mut packed)?;
    packed.finish()?;
    fs::remove_dir_all(tree)?;
    fs::create_dir(tree)?;
    Ok(fs::rename(aside, tree.join("initrd"))?)
}

/// A directory that is gone with its owner.
pub(crate) struct Scratch(pub(crate) PathBuf);

impl Scratch {
    pub(crate) fn new() -> Result<Self> {
        let path = std::env::temp_dir().join(format!("lockstep-bench-transfer-{}", std::process::id()));
        ensure!(!path.exists(), "{} is in the way", path.display());
        fs::create_dir(&path).with_context(|| format!("cannot create {}", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What is left of it is in the directory of what is temporary.
        let _left = fs::remove_dir_all(&self.0);
    }
}
