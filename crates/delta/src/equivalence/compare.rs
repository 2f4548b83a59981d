//! Two closures, path by path.

use std::collections::{BTreeMap, BTreeSet};

use store::{closure::Closure, path_info::PathInfo, store_path::StorePath};

use super::Identity;
use crate::pairing::Pairing;

/// What became of one path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Both closures have it.
    Same,
    /// It is new, and does what an old one did: only hashes differ.
    Equivalent {
        /// The old one.
        old: StorePath,
    },
    /// It took the place of an old one, and is another.
    Changed {
        /// The old one.
        old: StorePath,
        /// Bytes of the old one's NAR.
        old_size: u64,
    },
    /// Nothing old is like it.
    New,
    /// It is old, and nothing took its place.
    Gone,
}

/// What became of the paths of an old closure in a new one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Comparison {
    /// The paths of the new closure, and those of the old one that are gone: bytes of the NAR and what became of it.
    pub paths: BTreeMap<StorePath, (u64, Verdict)>,
}

/// Compares two closures. The identities are those of all their paths; a path that has none is equivalent to nothing.
/// `roots` are a path of the new closure and the old one whose place it takes.
#[must_use]
pub fn compare(
    (new, old): (&Closure, &Closure),
    identities: &BTreeMap<StorePath, Identity>,
    roots: &[(StorePath, StorePath)],
) -> Comparison {
    let mut comparison = Comparison::default();
    let mut replaced = comparison.unchanged((new, old), identities);
    let pairing = Pairing::new(new, old, roots);
    for info in new {
        if comparison.paths.contains_key(&info.path) {
            continue;
        }
        let base = pairing.base(&info.path).and_then(|base| old.get(base));
        // What is still there, in this form or in another, was not changed to become something else.
        let base = base.filter(|base| new.get(&base.path).is_none() && !replaced.contains(&base.path));
        let verdict = match base {
            Some(base) => Verdict::Changed { old: base.path.clone(), old_size: base.nar_size },
            None => Verdict::New,
        };
        replaced.extend(base.map(|base| base.path.clone()));
        comparison.put(info, verdict);
    }
    for info in old {
        if !replaced.contains(&info.path) && new.get(&info.path).is_none() {
            comparison.put(info, Verdict::Gone);
        }
    }
    comparison
}

impl Comparison {
    fn put(&mut self, info: &PathInfo, verdict: Verdict) {
        self.paths.insert(info.path.clone(), (info.nar_size, verdict));
    }

    /// Finds what is the same or equivalent, and returns what is equivalent to the latter.
    fn unchanged(
        &mut self,
        (new, old): (&Closure, &Closure),
        identities: &BTreeMap<StorePath, Identity>,
    ) -> BTreeSet<StorePath> {
        let twins = twins((new, old), identities);
        let mut used: BTreeMap<&Identity, usize> = BTreeMap::new();
        let mut replaced = BTreeSet::new();
        for info in new {
            let known = identities.get(&info.path).and_then(|identity| twins.get_key_value(identity));
            if old.get(&info.path).is_some() {
                self.put(info, Verdict::Same);
            } else if let Some((identity, olds)) = known {
                let position = used.entry(identity).or_default();
                let old = olds[(*position).min(olds.len() - 1)].clone();
                *position += 1;
                self.put(info, Verdict::Equivalent { old });
                replaced.extend(olds.iter().map(|old| (*old).clone()));
            }
        }
        replaced
    }
}

/// The old paths of each identity, those that are not in the new closure first.
fn twins<'a>(
    (new, old): (&Closure, &'a Closure),
    identities: &'a BTreeMap<StorePath, Identity>,
) -> BTreeMap<&'a Identity, Vec<&'a StorePath>> {
    let mut twins: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for kept in [false, true] {
        for info in old.iter().filter(|info| new.get(&info.path).is_some() == kept) {
            if let Some(identity) = identities.get(&info.path) {
                twins.entry(identity).or_default().push(&info.path);
            }
        }
    }
    twins
}

#[cfg(test)]
mod tests;
