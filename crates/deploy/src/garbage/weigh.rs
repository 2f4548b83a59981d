//! What closures weigh together. Pure.

use std::collections::BTreeMap;

use store::path_info::PathInfo;
use store::store_path::StorePath;

/// Paths with their sizes and references, by number: the closures of thousands of systems overlap almost wholly, so
/// each is walked without a look at names.
#[derive(Debug, Default)]
pub(super) struct Scales {
    numbers: BTreeMap<StorePath, usize>,
    sizes: Vec<u64>,
    references: Vec<Vec<usize>>,
}

impl Scales {
    /// These paths. References to others are left out.
    pub(super) fn new(infos: &BTreeMap<StorePath, PathInfo>) -> Self {
        let numbers: BTreeMap<_, _> = infos.keys().cloned().zip(0..).collect();
        let numbered =
            |info: &PathInfo| info.references.iter().filter_map(|path| numbers.get(path).copied()).collect();
        let references = infos.values().map(numbered).collect();
        let sizes = infos.values().map(|info| info.nar_size).collect();
        Self { numbers, sizes, references }
    }

    /// Bytes of the NARs of these paths and all that they refer to, each counted once.
    pub(super) fn weigh<'a>(&self, roots: impl IntoIterator<Item = &'a StorePath>) -> u64 {
        let mut is_seen = vec![false; self.sizes.len()];
        let mut open: Vec<usize> =
            roots.into_iter().filter_map(|root| self.numbers.get(root).copied()).collect();
        let mut sum: u64 = 0;
        while let Some(number) = open.pop() {
            if !std::mem::replace(&mut is_seen[number], true) {
                sum = sum.saturating_add(self.sizes[number]);
                open.extend(self.references[number].iter().filter(|number| !is_seen[**number]));
            }
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use store::hash::Sha256Hasher;

    use super::*;

    fn path(letter: char) -> StorePath {
        format!("{}-x", letter.to_string().repeat(32)).parse().expect("a path")
    }

    /// Paths written as `a:5>bc`: its size, and what it refers to.
    fn infos(words: &str) -> BTreeMap<StorePath, PathInfo> {
        let info = |word: &str| {
            let (head, references) = word.split_once('>').expect("references");
            let (name, size) = head.split_once(':').expect("a size");
            let path = path(name.chars().next().expect("a letter"));
            let references = references.chars().map(self::path).collect();
            let nar_size: u64 = size.parse().expect("a size");
            let nothing = Sha256Hasher::new().finish();
            (path.clone(), PathInfo { references, ..PathInfo::new(path, nothing, nar_size) })
        };
        words.split_whitespace().map(info).collect()
    }

    #[test]
    fn what_is_shared_counts_once() {
        let scales = Scales::new(&infos("a:1>bca b:10>d c:100>d d:1000> f:10000>z"));
        for (roots, expected) in [
            ("", 0),
            ("d", 1000),
            ("b", 1010),
            ("a", 1111),
            ("bc", 1110),
            ("ab", 1111),
            ("f", 10_000),
            ("z", 0),
            ("af", 11_111),
        ] {
            let roots: Vec<StorePath> = roots.chars().map(path).collect();
            assert_eq!(scales.weigh(&roots), expected, "{roots:?}");
        }
    }

    #[test]
    fn rings_have_an_end() {
        let scales = Scales::new(&infos("a:1>b b:2>a"));
        assert_eq!(scales.weigh([&path('a')]), 3);
    }
}
