//! The units of a system: files, drop-ins and what pulls them in.
//!
//! NixOS makes `etc/systemd/system` one folder of links: `x.service` into the store (or to `/dev/null`, masked, or to
//! another unit beside it, an alias), `x.service.d/overrides.conf`, `multi-user.target.wants/x.service`.

use std::collections::BTreeMap;

use store::hash::Sha256;

use crate::{
    text::excerpt,
    tree::{ReadError, Tree, TreeError, at, list_names, resolve},
};

/// Most names in `etc/systemd/system`, and in each folder there.
const MAX_UNITS: usize = 20_000;
/// Longest unit file.
const MAX_UNIT_FILE: usize = 4 << 20;
/// What a unit that carries the network, or changes what passes it, has in its text.
const NETWORK_WORDS: [&str; 5] = ["network-pre.target", "CAP_NET_ADMIN", "nftables", "iptables", "iproute2"];

/// One unit of a system.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unit {
    /// Its file; `None` if there are only drop-ins here, for a unit that lies elsewhere.
    pub file: Option<UnitFile>,
    /// Its drop-ins, by file name.
    pub drop_ins: BTreeMap<String, DropIn>,
    /// What pulls it in: `multi-user.target.wants`, `x.service.requires`, in order.
    pub pulled_in_by: Vec<String>,
}

/// A unit's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitFile {
    /// Where its links end.
    pub target: String,
    /// Its content; `None` if it is masked: `/dev/null` or empty.
    pub content: Option<Sha256>,
    /// Whether its text speaks of the network: capabilities, packet filters, the place in the boot order.
    pub speaks_of_network: bool,
}

/// A drop-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DropIn {
    /// Where its links end.
    pub target: String,
    /// Its content.
    pub content: Sha256,
    /// As in [`UnitFile`].
    pub speaks_of_network: bool,
}

impl Unit {
    /// Whether file or drop-ins speak of the network.
    #[must_use]
    pub fn speaks_of_network(&self) -> bool {
        self.file.as_ref().is_some_and(|file| file.speaks_of_network)
            || self.drop_ins.values().any(|drop_in| drop_in.speaks_of_network)
    }

    /// Whether systemd would see the same unit: the same contents, pulled in by the same units. Where the files lie
    /// does not count.
    #[must_use]
    pub fn means_the_same_as(&self, other: &Self) -> bool {
        let contents = |unit: &Self| -> Vec<(String, Sha256)> {
            unit.drop_ins.iter().map(|(name, drop_in)| (name.clone(), drop_in.content)).collect()
        };
        let file = |unit: &Self| unit.file.as_ref().map(|file| file.content);
        file(self) == file(other)
            && contents(self) == contents(other)
            && self.pulled_in_by == other.pulled_in_by
    }
}

/// All units below the folder `units`, which need not be there.
pub(super) fn read(tree: &dyn Tree, units: &str) -> Result<BTreeMap<String, Unit>, ReadError> {
    let mut found: BTreeMap<String, Unit> = BTreeMap::new();
    for name in list_names(tree, units, MAX_UNITS)?.unwrap_or_default() {
        let path = format!("{units}/{name}");
        if let Some(unit) = name.strip_suffix(".d") {
            let drop_ins = read_drop_ins(tree, &path)?;
            found.entry(unit.to_owned()).or_default().drop_ins.extend(drop_ins);
        } else if [".wants", ".requires", ".upholds"].iter().any(|suffix| name.ends_with(suffix)) {
            for pulled in list_names(tree, &path, MAX_UNITS)?.unwrap_or_default() {
                found.entry(pulled).or_default().pulled_in_by.push(name.clone());
            }
        } else if let Some(file) = read_file(tree, &path)? {
            found.entry(name).or_default().file = Some(file);
        }
        if found.len() > MAX_UNITS {
            return Err(ReadError::TooMany { path: excerpt(units), what: "units", limit: MAX_UNITS });
        }
    }
    Ok(found)
}

/// A unit's file; `None` for what is no file at all.
fn read_file(tree: &dyn Tree, path: &str) -> Result<Option<UnitFile>, ReadError> {
    let Some(target) = resolve(tree, path)? else { return Ok(None) };
    if target == "/dev/null" {
        return Ok(Some(UnitFile { target, content: None, speaks_of_network: false }));
    }
    let content = match tree.read_file(&target, MAX_UNIT_FILE) {
        Err(TreeError::WrongKind { .. }) => return Ok(None),
        read => read.map_err(at(&target))?,
    };
    let speaks_of_network = speaks_of_network(&content);
    let content = (!content.is_empty()).then(|| Sha256::of(&content));
    Ok(Some(UnitFile { target, content, speaks_of_network }))
}

fn read_drop_ins(tree: &dyn Tree, folder: &str) -> Result<BTreeMap<String, DropIn>, ReadError> {
    let mut found = BTreeMap::new();
    for name in list_names(tree, folder, MAX_UNITS)?.unwrap_or_default() {
        let path = format!("{folder}/{name}");
        if let Some(target) = resolve(tree, &path)?.filter(|_| name.ends_with(".conf")) {
            let content = match target.as_str() {
                "/dev/null" => Vec::new(),
                target => tree.read_file(target, MAX_UNIT_FILE).map_err(at(target))?,
            };
            let speaks_of_network = speaks_of_network(&content);
            found.insert(name, DropIn { target, content: Sha256::of(&content), speaks_of_network });
        }
    }
    Ok(found)
}

fn speaks_of_network(content: &[u8]) -> bool {
    NETWORK_WORDS.iter().any(|word| content.windows(word.len()).any(|window| window == word.as_bytes()))
}
