//! Identities that were computed before.

use std::collections::BTreeMap;

use store::{
    hash::{Sha256, Sha256Hasher},
    path_info::PathInfo,
    store_path::HashPart,
};

use super::Identity;

/// The version of all identities: raised when one would become another, so that none is taken for one of the old way.
const VERSION: u32 = 1;

/// All that an identity is made of, as a hash: how it is made, the path, its NAR's hash, and its references with
/// *their* identities. In another store a path of the same name may hold something else, and so may what it refers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(pub Sha256);

impl Key {
    /// The key of a path that refers to `others` besides itself.
    pub(super) fn new(info: &PathInfo, others: &BTreeMap<HashPart, Identity>) -> Self {
        Self::of_version(VERSION, info, others)
    }

    fn of_version(version: u32, info: &PathInfo, others: &BTreeMap<HashPart, Identity>) -> Self {
        let name = info.path.name().as_str();
        let mut hasher = Sha256Hasher::new();
        hasher.update(&version.to_le_bytes());
        hasher.update(&info.path.hash_part().0);
        hasher.update(&(name.len() as u64).to_le_bytes());
        hasher.update(name.as_bytes());
        hasher.update(&info.nar_hash.0);
        for (part, identity) in others {
            hasher.update(&part.0);
            hasher.update(&identity.0);
        }
        Self(hasher.finish())
    }
}

/// Identities that were computed before, kept by the caller.
pub trait Known {
    /// The identity with this key, if it is known.
    fn get(&mut self, key: &Key) -> Option<Identity>;
    /// Takes note of an identity that was computed.
    fn put(&mut self, key: Key, identity: Identity);
}

impl Known for BTreeMap<Key, Identity> {
    fn get(&mut self, key: &Key) -> Option<Identity> {
        Self::get(self, key).copied()
    }

    fn put(&mut self, key: Key, identity: Identity) {
        self.insert(key, identity);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cases::{part, path};

    fn info(number: u8, name: &str, nar: &[u8]) -> PathInfo {
        PathInfo::new(path(number, name), Sha256::of(nar), 100)
    }

    #[test]
    fn whatever_an_identity_is_made_of_is_in_its_key() {
        let others = |number, identity| BTreeMap::from([(part(number), Identity([identity; 20]))]);
        let key = |info: &PathInfo, others: &BTreeMap<_, _>| Key::new(info, others);
        let sample = info(1, "a", b"nar");
        let all = [
            key(&sample, &BTreeMap::new()),
            key(&info(2, "a", b"nar"), &BTreeMap::new()),
            key(&info(1, "b", b"nar"), &BTreeMap::new()),
            key(&info(1, "a", b"another"), &BTreeMap::new()),
            key(&sample, &others(3, 1)),
            key(&sample, &others(4, 1)),
            key(&sample, &others(3, 2)),
            Key::of_version(VERSION + 1, &sample, &BTreeMap::new()),
        ];
        for (index, key) in all.iter().enumerate() {
            assert!(!all[..index].contains(key), "{index}");
        }
    }
}
