//! Which paths are like each other, by their names and sizes.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    hash::Hash,
};

use store::{name::DrvName, path_info::PathInfo, store_path::StorePath};

/// A path that is looked at, with the bytes of its NAR; 0 where sizes are not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Candidate<'a> {
    /// The path.
    pub(crate) path: &'a StorePath,
    /// Bytes of its NAR.
    pub(crate) size: u64,
}

impl<'a> From<&'a PathInfo> for Candidate<'a> {
    fn from(info: &'a PathInfo) -> Self {
        Self { path: &info.path, size: info.nar_size }
    }
}

/// A name without its version, and which output it is (empty for the one that is not named).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Package<'a> {
    name: &'a str,
    output: &'a str,
}

impl<'a> Package<'a> {
    /// The path's name does not say where a version ends and the name of an output begins. Outputs have names of
    /// letters (`dev`, `bin`, `man`), so what follows the last dash of the version counts as one if it is that.
    fn of(path: &'a StorePath) -> Self {
        let DrvName { name, version } = DrvName::parse(path.name().as_str());
        let last = version.rsplit_once('-').map_or("", |(_, last)| last);
        let is_output = last.bytes().all(|byte| byte.is_ascii_alphabetic());
        Self { name, output: if is_output { last } else { "" } }
    }
}

/// Matches `new` with `old` paths, one to one: first those of the same name, then those of the same name without
/// version and with the same output. Among several the nearest size decides, then the order of store paths.
pub(crate) fn by_name<'a>(
    mut new: Vec<Candidate<'a>>,
    mut old: Vec<Candidate<'a>>,
) -> Vec<(&'a StorePath, &'a StorePath)> {
    let mut pairs = by_key(&new, &old, StorePath::name);
    let done: HashSet<_> = pairs.iter().flat_map(|(new, old)| [*new, *old]).collect();
    new.retain(|candidate| !done.contains(candidate.path));
    old.retain(|candidate| !done.contains(candidate.path));
    pairs.extend(by_key(&new, &old, Package::of));
    pairs
}

/// Matches those that have the same key.
fn by_key<'a, K: Hash + Eq>(
    new: &[Candidate<'a>],
    old: &[Candidate<'a>],
    key: impl Fn(&'a StorePath) -> K,
) -> Vec<(&'a StorePath, &'a StorePath)> {
    let mut olds: HashMap<K, Sizes<'a>> = HashMap::new();
    for candidate in old {
        olds.entry(key(candidate.path)).or_default().insert(*candidate);
    }
    let mut new = new.to_vec();
    new.sort_unstable_by_key(|candidate| candidate.path);
    let mut pairs = Vec::new();
    // Equal sizes first, so that a path does not take the twin of one that comes after it.
    for choose in [Sizes::take_equal, Sizes::take_nearest] {
        new.retain(|candidate| {
            let found = olds.get_mut(&key(candidate.path)).and_then(|sizes| choose(sizes, candidate.size));
            pairs.extend(found.map(|old| (candidate.path, old)));
            found.is_none()
        });
    }
    pairs
}

/// Paths by their sizes, to find the nearest.
#[derive(Default)]
struct Sizes<'a>(BTreeMap<u64, BTreeSet<&'a StorePath>>);

impl<'a> Sizes<'a> {
    fn insert(&mut self, candidate: Candidate<'a>) {
        self.0.entry(candidate.size).or_default().insert(candidate.path);
    }

    /// The first path of exactly this size.
    fn take_equal(&mut self, size: u64) -> Option<&'a StorePath> {
        let paths = self.0.get_mut(&size)?;
        let path = paths.pop_first();
        if paths.is_empty() {
            self.0.remove(&size);
        }
        path
    }

    /// The first path of the size that is nearest.
    fn take_nearest(&mut self, size: u64) -> Option<&'a StorePath> {
        let below =
            self.0.range(..=size).next_back().map(|(near, paths)| (size - near, paths.first(), *near));
        let above = self.0.range(size..).next().map(|(near, paths)| (near - size, paths.first(), *near));
        let (.., nearest) = below.into_iter().chain(above).min()?;
        self.take_equal(nearest)
    }
}

#[cfg(test)]
mod tests {
    use store::store_path::HashPart;

    use super::*;

    fn path(number: u8, name: &str) -> StorePath {
        StorePath::new(HashPart([number; HashPart::LEN]), name.parse().unwrap())
    }

    #[test]
    fn a_name_has_a_package_and_an_output() {
        let cases = [
            ("openssl-3.0.14", "openssl", ""),
            ("openssl-3.0.14-dev", "openssl", "dev"),
            ("glibc-2.39-52-bin", "glibc", "bin"),
            ("unit-nginx.service", "unit-nginx.service", ""),
            ("foo-1.0-rc1", "foo", ""),
            ("foo-0-unstable-2024-01-01", "foo", ""),
            ("foo-1-", "foo", ""),
        ];
        for (text, name, output) in cases {
            assert_eq!(Package::of(&path(0, text)), Package { name, output }, "{text}");
        }
    }

    /// Matches candidates given as name and size; hash parts are numbered from 0 (new) and from 100 (old).
    fn matched(new: &[(&str, u64)], old: &[(&str, u64)]) -> Vec<(u8, u8)> {
        let paths = |start: u8, list: &[(&str, u64)]| -> Vec<_> {
            (start..).zip(list).map(|(number, (name, size))| (path(number, name), *size)).collect()
        };
        let (new, old) = (paths(0, new), paths(100, old));
        let candidates = |list| -> Vec<_> {
            let list: &Vec<(StorePath, u64)> = list;
            // In the wrong order: the result does not depend on it.
            list.iter().rev().map(|(path, size)| Candidate { path, size: *size }).collect()
        };
        let pairs = by_name(candidates(&new), candidates(&old));
        let number = |path: &StorePath| path.hash_part().0[0];
        let mut pairs: Vec<_> = pairs.into_iter().map(|(new, old)| (number(new), number(old))).collect();
        pairs.sort_unstable();
        pairs
    }

    #[test]
    fn names_then_packages_then_sizes_then_order_decide() {
        assert_eq!(matched(&[("a-1", 1)], &[("a-2", 1), ("a-1", 9)]), [(0, 101)]);
        assert_eq!(matched(&[("a-2-dev", 1)], &[("a-1", 1), ("a-1-dev", 9)]), [(0, 101)]);
        assert_eq!(matched(&[("a-3", 50)], &[("a-1", 20), ("a-2", 70), ("a-4", 60)]), [(0, 102)]);
        assert_eq!(matched(&[("a", 5)], &[("a", 4), ("a", 6)]), [(0, 100)], "below before above");
        assert_eq!(matched(&[("a", 5)], &[("a", 5), ("a", 5)]), [(0, 100)]);
        assert_eq!(matched(&[("a", 5), ("a", 5)], &[("a", 5), ("a", 5)]), [(0, 100), (1, 101)]);
        assert_eq!(matched(&[("a", 9), ("a", 5)], &[("a", 5)]), [(1, 100)], "a twin is not taken away");
        assert_eq!(matched(&[("a", 1), ("b", 1)], &[("c", 1)]), []);
    }
}
