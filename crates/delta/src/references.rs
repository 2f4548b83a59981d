//! Which references of a base became which references of the new path.

use std::collections::BTreeMap;

use store::{path_info::PathInfo, store_path::StorePath};
use thiserror::Error;

use crate::{
    likeness::{Candidate, by_name},
    pairing::Pairing,
    rewrite::Rewriter,
    wire::{WireError, read_bounded, write_number},
};

/// Most pairs in a map. Beyond that references are left unmapped, which costs bytes and nothing else.
pub const MAX_PAIRS: usize = 1 << 15;

/// Most references that are counted in one list.
const MAX_REFERENCES: u64 = 1 << 20;

/// Why a map does not fit two paths: what the receiver has under the base's name is not what the sender has.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ReferenceMapError {
    /// A path has fewer references than the map speaks of.
    #[error("{path} has {count} references to other paths, and there should be one of index {index}")]
    NoReference {
        /// The path.
        path: StorePath,
        /// References that it has.
        count: usize,
        /// The index in the map.
        index: u32,
    },
}

/// Pairs of indexes: a reference of the base, and what it became in the new path.
///
/// Both lists of references are sorted as store paths and are without the path itself: that the base became the new
/// path is understood. A reference that stayed as it was is in no pair.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReferenceMap {
    /// Of ascending indexes into the references of the base.
    pairs: Vec<(u32, u32)>,
}

impl ReferenceMap {
    /// The map of the references of `base` to those of `path`: a reference becomes what it is the base of, or stays;
    /// what is left over is matched by name.
    #[must_use]
    pub fn new(path: &PathInfo, base: &PathInfo, pairing: &Pairing) -> Self {
        let news: Vec<_> = others(path).collect();
        let became: BTreeMap<_, _> =
            news.iter().filter_map(|new| pairing.base(new).map(|old| (old, *new))).collect();
        let (mut map, mut unmatched) = (BTreeMap::new(), Vec::new());
        for old in others(base) {
            match if path.references.contains(old) { Some(old) } else { became.get(old).copied() } {
                Some(new) => drop(map.insert(old, new)),
                None => unmatched.push(old),
            }
        }
        let free = news.iter().copied().filter(|new| !map.values().any(|matched| matched == new));
        let free = free.collect();
        map.extend(by_name(candidates(free), candidates(unmatched)).into_iter().map(|(new, old)| (old, new)));
        Self { pairs: indexes(base, &news, &map) }
    }

    /// The pairs, ascending by the reference of the base.
    #[must_use]
    pub fn pairs(&self) -> &[(u32, u32)] {
        &self.pairs
    }

    /// What rewrites `base` towards `path`: the mapped references, and the base's own hash.
    ///
    /// # Errors
    /// If the map speaks of references that the paths do not have.
    pub fn rewriter(&self, path: &PathInfo, base: &PathInfo) -> Result<Rewriter, ReferenceMapError> {
        let (news, olds): (Vec<_>, Vec<_>) = (others(path).collect(), others(base).collect());
        let mut hashes = vec![(base.path.hash_part(), path.path.hash_part())];
        for (old, new) in &self.pairs {
            hashes.push((at(base, &olds, *old)?.hash_part(), at(path, &news, *new)?.hash_part()));
        }
        Ok(Rewriter::new(hashes))
    }

    /// Writes the sent form: the number of pairs, then for each how far its first index is from the one before
    /// (from -1, at first), less 1, and its second index.
    pub fn write(&self, to: &mut Vec<u8>) {
        write_number(self.pairs.len() as u64, to);
        let mut next = 0;
        for (old, new) in &self.pairs {
            write_number(u64::from(old - next), to);
            write_number(u64::from(*new), to);
            next = old + 1;
        }
    }

    /// Takes the sent form off the front of `bytes`.
    ///
    /// # Errors
    /// If it is none, or larger than any that is sent.
    pub fn read(bytes: &mut &[u8]) -> Result<Self, WireError> {
        let count = read_bounded("the number of mapped references", MAX_PAIRS as u64, bytes)?;
        let mut pairs = Vec::new();
        let mut next = 0;
        for _ in 0..count {
            let old = read_index("a reference of the base", MAX_REFERENCES - u64::from(next), bytes)? + next;
            pairs.push((old, read_index("a reference of the path", MAX_REFERENCES, bytes)?));
            next = old + 1;
        }
        Ok(Self { pairs })
    }
}

fn read_index(what: &'static str, limit: u64, bytes: &mut &[u8]) -> Result<u32, WireError> {
    let found = read_bounded(what, limit, bytes)?;
    u32::try_from(found).map_err(|_| WireError::TooLarge { what, found, limit })
}

/// What a path refers to besides itself, sorted.
fn others(info: &PathInfo) -> impl Iterator<Item = &StorePath> {
    info.references.iter().filter(|reference| **reference != info.path)
}

fn at<'a>(
    info: &PathInfo,
    references: &[&'a StorePath],
    index: u32,
) -> Result<&'a StorePath, ReferenceMapError> {
    let found = usize::try_from(index).ok().and_then(|position| references.get(position).copied());
    let missing =
        || ReferenceMapError::NoReference { path: info.path.clone(), count: references.len(), index };
    found.ok_or_else(missing)
}

/// Sizes are not known here.
fn candidates(paths: Vec<&StorePath>) -> Vec<Candidate<'_>> {
    paths.into_iter().map(|path| Candidate { path, size: 0 }).collect()
}

/// The map in indexes, without what stayed as it was, cut at the limits.
fn indexes(base: &PathInfo, news: &[&StorePath], map: &BTreeMap<&StorePath, &StorePath>) -> Vec<(u32, u32)> {
    let limit = u32::try_from(MAX_REFERENCES).unwrap_or(u32::MAX);
    let pairs = (0..limit).zip(others(base)).filter_map(|(old_index, old)| {
        let new = map.get(old).filter(|new| **new != old)?;
        let new_index = u32::try_from(news.binary_search(new).ok()?).ok()?;
        (new_index < limit).then_some((old_index, new_index))
    });
    pairs.take(MAX_PAIRS).collect()
}

#[cfg(test)]
mod tests;
