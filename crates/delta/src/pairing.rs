//! Which path of an old closure each path of a new one is like.

use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque, btree_map};

use store::{closure::Closure, path_info::PathInfo, store_path::StorePath};

use crate::likeness::{Candidate, by_name};

/// For each path of a new closure the path of an old one that it is most like: its base.
///
/// A path that is in both closures is its own base. Any other path is the base of at most one path. Only the sender
/// pairs; the receiver is told the result, so that a better way to pair needs no new version of anything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pairing {
    bases: BTreeMap<StorePath, StorePath>,
}

impl Pairing {
    /// Pairs two closures, from `roots` on: pairs of a new path and the old one whose place it takes, the surest
    /// first. Roots that are in no closure count for nothing. The old closure may be that of several systems.
    ///
    /// From each pair it goes to the references of the two, breadth-first, and matches them: the same path; the
    /// same name; the same name without version and the same output. Among several, the nearest NAR size decides,
    /// then the order of store paths. What is left over then is matched in the same way over all that is old. The
    /// first pairing of a path counts.
    #[must_use]
    pub fn new(new: &Closure, old: &Closure, roots: &[(StorePath, StorePath)]) -> Self {
        let mut walk = Walk::new(new, old);
        for (new_root, old_root) in roots {
            if let (Some(new_info), Some(old_info)) = (new.get(new_root), old.get(old_root)) {
                walk.pair(new_info, old_info);
                walk.open.push_back((new_info, old_info));
            }
        }
        walk.go();
        walk.match_leftovers();
        let bases = walk.bases.into_iter().map(|(new, old)| (new.clone(), old.clone())).collect();
        Self { bases }
    }

    /// The base of `path`, if it has one.
    #[must_use]
    pub fn base(&self, path: &StorePath) -> Option<&StorePath> {
        self.bases.get(path)
    }

    /// All new paths that have a base, with it.
    pub fn iter(&self) -> btree_map::Iter<'_, StorePath, StorePath> {
        self.bases.iter()
    }
}

impl<'a> IntoIterator for &'a Pairing {
    type Item = (&'a StorePath, &'a StorePath);
    type IntoIter = btree_map::Iter<'a, StorePath, StorePath>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// A breadth-first walk through two closures at once.
struct Walk<'a> {
    new: &'a Closure,
    old: &'a Closure,
    bases: BTreeMap<&'a StorePath, &'a StorePath>,
    /// Old paths that are the base of another path.
    taken: BTreeSet<&'a StorePath>,
    /// Pairs whose references are still to be matched.
    open: VecDeque<(&'a PathInfo, &'a PathInfo)>,
    /// Pairs whose references were matched.
    closed: HashSet<(&'a StorePath, &'a StorePath)>,
}

impl<'a> Walk<'a> {
    fn new(new: &'a Closure, old: &'a Closure) -> Self {
        let kept = new.iter().filter(|info| old.get(&info.path).is_some());
        Self {
            new,
            old,
            bases: kept.map(|info| (&info.path, &info.path)).collect(),
            taken: BTreeSet::new(),
            open: VecDeque::new(),
            closed: HashSet::new(),
        }
    }

    fn go(&mut self) {
        while let Some((new, old)) = self.open.pop_front() {
            if new.path == old.path || !self.closed.insert((&new.path, &old.path)) {
                continue;
            }
            for (new, old) in self.match_references(new, old) {
                if let (Some(new), Some(old)) = (self.new.get(new), self.old.get(old)) {
                    self.pair(new, old);
                    self.open.push_back((new, old));
                }
            }
        }
    }

    fn pair(&mut self, new: &'a PathInfo, old: &'a PathInfo) {
        if !self.bases.contains_key(&new.path) && !self.taken.contains(&old.path) {
            self.bases.insert(&new.path, &old.path);
            self.taken.insert(&old.path);
        }
    }

    /// What the references of two paths are matched to. Those that both have, and those to themselves, are already.
    fn match_references(&self, new: &'a PathInfo, old: &'a PathInfo) -> Vec<(&'a StorePath, &'a StorePath)> {
        let unpaired = new.references.iter().filter(|path| !self.bases.contains_key(path));
        let free = old.references.iter().filter(|path| {
            **path != old.path && !new.references.contains(*path) && !self.taken.contains(path)
        });
        by_name(candidates(self.new, unpaired), candidates(self.old, free))
    }

    /// Matches what the walk has left over: first with what is not needed any more, then with what both closures
    /// have, such as the one version of a package that now has two.
    fn match_leftovers(&mut self) {
        for kept in [false, true] {
            let unpaired = self.new.iter().map(|info| &info.path);
            let unpaired = unpaired.filter(|path| !self.bases.contains_key(path));
            let free = self.old.iter().map(|info| &info.path);
            let free =
                free.filter(|path| !self.taken.contains(path) && self.bases.contains_key(path) == kept);
            for (new, old) in by_name(candidates(self.new, unpaired), candidates(self.old, free)) {
                self.bases.insert(new, old);
                self.taken.insert(old);
            }
        }
    }
}

fn candidates<'a>(closure: &'a Closure, paths: impl Iterator<Item = &'a StorePath>) -> Vec<Candidate<'a>> {
    paths.filter_map(|path| closure.get(path)).map(Candidate::from).collect()
}

#[cfg(test)]
mod tests;
