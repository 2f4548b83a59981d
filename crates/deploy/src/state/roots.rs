//! Links that keep systems of each host from the garbage collector here: what is copied, and what later copies are
//! made of.
//!
//! `roots/HOST/` has one link for each reason, replaced when another system takes its place, and one for each build,
//! with the name of its run. Nix knows each as an indirect root: it keeps what the link names as long as it does.

mod fate;

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use order::HostName;
use report::Timestamp;
use store::store_path::{StoreDir, StorePath};

use super::{State, StateError, files};
use crate::RunId;

pub use self::fate::Fate;
pub(crate) use self::fate::fates;

/// A new link under this name takes the place of an old one.
const NEW: &str = ".new";

/// Why a system is kept here.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// The host ran it when it last said what it runs.
    Running,
    /// The host had booted it.
    Booted,
    /// The host's profile named it.
    Profile,
    /// It was the last to be confirmed from here.
    Confirmed,
    /// It was built in this run.
    Built(RunId),
}

impl Why {
    /// The reason in a word.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Booted => "booted",
            Self::Profile => "profile",
            Self::Confirmed => "confirmed",
            Self::Built(_) => "built",
        }
    }

    fn file_name(&self) -> &str {
        match self {
            Self::Built(run) => run.as_str(),
            other => other.word(),
        }
    }

    fn of_file_name(name: &str) -> Option<Self> {
        let words = [Self::Running, Self::Booted, Self::Profile, Self::Confirmed];
        words.into_iter().find(|why| why.word() == name).or_else(|| RunId::parse(name).map(Self::Built))
    }
}

/// A link that keeps a system of a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root {
    /// Why.
    pub why: Why,
    /// The link.
    pub link: PathBuf,
    /// What it names.
    pub system: StorePath,
    /// Since when.
    pub since: Timestamp,
    /// Whether the store here has it.
    pub is_here: bool,
}

impl State {
    /// Where a build of this run for this host makes its link.
    pub(crate) fn root_for(&self, host: &HostName, run: &RunId) -> Result<PathBuf, StateError> {
        let directory = self.root_directory(host);
        files::make_directory(&directory)?;
        Ok(directory.join(run.as_str()))
    }

    /// The hosts for which there is a directory of links, sorted.
    pub(crate) fn rooted_hosts(&self) -> Vec<HostName> {
        let names = files::names(&self.directory.join("roots"));
        names.iter().filter_map(|name| name.parse().ok()).collect()
    }

    /// The links of a host, sorted by reason. What is no link of ours is passed over.
    pub(crate) fn roots(&self, host: &HostName) -> Vec<Root> {
        let directory = self.root_directory(host);
        let names = files::names(&directory);
        let mut roots: Vec<Root> = names.iter().filter_map(|name| read(&directory, name)).collect();
        roots.sort_by(|one, other| one.why.cmp(&other.why));
        roots
    }

    /// Whether the host's link for this reason names this system.
    pub(crate) fn is_rooted(&self, host: &HostName, why: &Why, system: &StorePath) -> bool {
        target(&self.root_directory(host).join(why.file_name())).as_ref() == Some(system)
    }

    /// Lets the host's link for this reason name this system, in one step: until then it names what it did before. It
    /// is Nix that has to be told of a link that was not there before.
    pub(crate) fn point_root(
        &self,
        host: &HostName,
        why: &Why,
        system: &StorePath,
    ) -> Result<Pointed, StateError> {
        let (_lock, _) = self.lock_host(host)?;
        let directory = self.root_directory(host);
        files::make_directory(&directory)?;
        let (link, new) = (directory.join(why.file_name()), directory.join(NEW));
        let is_new = fs::symlink_metadata(&link).is_err();
        // What a writer that died has left.
        remove(&new)?;
        symlink(store_file(system), &new).map_err(files::failed("make", &new))?;
        fs::rename(&new, &link).map_err(files::failed("replace", &link))?;
        Ok(Pointed { link, is_new })
    }

    /// Removes a link if it still names what it did; says whether it did.
    pub(crate) fn unroot(
        &self,
        host: &HostName,
        (link, system): (&Path, &StorePath),
    ) -> Result<bool, StateError> {
        let (_lock, _) = self.lock_host(host)?;
        if target(link).as_ref() != Some(system) {
            return Ok(false);
        }
        remove(link).map(|()| true)
    }

    /// Removes the links of builds that others have taken the place of. What cannot be removed stays.
    pub(crate) fn prune_roots(&self, host: &HostName) {
        let roots = self.roots(host);
        for (root, fate) in roots.iter().zip(fates(&roots, false)) {
            if fate == Fate::Surplus {
                let _kept = self.unroot(host, (&root.link, &root.system));
            }
        }
    }

    fn root_directory(&self, host: &HostName) -> PathBuf {
        self.directory.join("roots").join(host.as_str())
    }
}

/// A link that names a system now.
#[derive(Debug)]
pub(crate) struct Pointed {
    pub(crate) link: PathBuf,
    /// Whether there was none before.
    pub(crate) is_new: bool,
}

/// Whether something lies where the store here would have this path. It may be a remnant that is not valid.
pub(crate) fn is_here(path: &StorePath) -> bool {
    fs::symlink_metadata(store_file(path)).is_ok()
}

pub(super) fn store_file(path: &StorePath) -> String {
    StoreDir::default().display(path).to_string()
}

/// The store path that a link names, if it is one that does.
fn target(link: &Path) -> Option<StorePath> {
    let target = fs::read_link(link).ok()?;
    StoreDir::default().parse(target.as_os_str().as_encoded_bytes()).ok()
}

fn read(directory: &Path, name: &str) -> Option<Root> {
    let (why, link) = (Why::of_file_name(name)?, directory.join(name));
    let system = target(&link)?;
    let since = fs::symlink_metadata(&link).and_then(|about| about.modified()).ok()?;
    Some(Root { why, link, since: Timestamp::from(since), is_here: is_here(&system), system })
}

/// Removes a file, if it is there.
fn remove(path: &Path) -> Result<(), StateError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(files::failed("remove", path)(error)),
        _ => Ok(()),
    }
}
