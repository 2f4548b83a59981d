//! The files of a system's `/etc`.

use std::collections::BTreeMap;

use store::hash::Sha256;

use crate::{
    text::excerpt,
    tree::{ReadError, Tree, TreeError, at, if_present, list_names},
};

/// Most files below `etc`.
const MAX_ENTRIES: usize = 50_000;
/// Deepest folder below `etc`.
const MAX_DEPTH: usize = 32;
/// Longest file that stands in `etc` itself.
const MAX_FILE: usize = 4 << 20;
/// The units are read as units.
const UNITS: &str = "systemd/system";

/// One file below `/etc`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EtcEntry {
    /// A link, nearly always into the store.
    Link(String),
    /// A file, by its content (`sudoers.mode`, `sudoers.uid`, ...).
    File(Sha256),
}

/// All files below the folder `etc`, which need not be there.
pub(super) fn read(tree: &dyn Tree, etc: &str) -> Result<BTreeMap<String, EtcEntry>, ReadError> {
    let mut found = BTreeMap::new();
    let mut folders = vec![(String::new(), 0)];
    while let Some((folder, depth)) = folders.pop() {
        let too_many = |what, limit| ReadError::TooMany { path: excerpt(etc), what, limit };
        if depth > MAX_DEPTH {
            return Err(too_many("levels", MAX_DEPTH));
        }
        let path = format!("{etc}/{folder}");
        for name in list_names(tree, path.trim_end_matches('/'), MAX_ENTRIES)?.unwrap_or_default() {
            let inside = if folder.is_empty() { name } else { format!("{folder}/{name}") };
            if inside == UNITS {
                continue;
            }
            match entry(tree, &format!("{etc}/{inside}"))? {
                Some(entry) => drop(found.insert(inside, entry)),
                None => folders.push((inside, depth + 1)),
            }
            if found.len() + folders.len() > MAX_ENTRIES {
                return Err(too_many("files", MAX_ENTRIES));
            }
        }
    }
    Ok(found)
}

/// The link or file at `path`; `None` for a folder.
fn entry(tree: &dyn Tree, path: &str) -> Result<Option<EtcEntry>, ReadError> {
    match tree.read_link(path) {
        Ok(target) => return Ok(Some(EtcEntry::Link(target))),
        Err(TreeError::WrongKind { .. }) => {}
        Err(source) => return Err(at(path)(source)),
    }
    match tree.read_file(path, MAX_FILE) {
        Err(TreeError::WrongKind { .. }) => Ok(None),
        read => Ok(if_present(path, read)?.map(|content| EtcEntry::File(Sha256::of(&content)))),
    }
}
