//! Closures: sets of paths that hold all their references, in an order in which they can be added to a store.

use std::{
    collections::{BTreeMap, btree_set},
    slice,
};

use thiserror::Error;

use crate::{path_info::PathInfo, store_path::StorePath};

/// Why a set of paths is not a closure.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ClosureError {
    /// A path was given twice.
    #[error("{path} is in the closure twice")]
    Duplicate {
        /// The path.
        path: StorePath,
    },
    /// A path refers to one that was not given.
    #[error("{path} refers to {reference}, which is not in the closure")]
    MissingReference {
        /// The path with the reference.
        path: StorePath,
        /// What it refers to.
        reference: StorePath,
    },
    /// Paths refer to each other in a ring (a path's reference to itself is none).
    #[error("the references of {} other paths lead from {} back to it", .ring.len() - 1, .ring[0])]
    Cycle {
        /// The paths of the ring, each referring to the next and the last to the first.
        ring: Vec<StorePath>,
    },
}

/// A set of paths that holds all their references, with no rings.
///
/// Its order is references first, and otherwise by name, so that the same set always has the same order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Closure {
    infos: Vec<PathInfo>,
    positions: BTreeMap<StorePath, usize>,
}

impl Closure {
    /// The closure of exactly these paths, which may come in any order.
    pub fn new(infos: impl IntoIterator<Item = PathInfo>) -> Result<Self, ClosureError> {
        let mut unordered = BTreeMap::new();
        for info in infos {
            if let Some(earlier) = unordered.insert(info.path.clone(), info) {
                return Err(ClosureError::Duplicate { path: earlier.path });
            }
        }
        let order = Sorter::new(&unordered).sort()?;
        let infos = order.iter().filter_map(|path| unordered.remove(path)).collect();
        let positions = order.into_iter().enumerate().map(|(position, path)| (path, position)).collect();
        Ok(Self { infos, positions })
    }

    /// The paths, each after all it refers to.
    pub fn iter(&self) -> slice::Iter<'_, PathInfo> {
        self.infos.iter()
    }

    /// What is known of `path`, if it is in the closure.
    #[must_use]
    pub fn get(&self, path: &StorePath) -> Option<&PathInfo> {
        self.positions.get(path).map(|position| &self.infos[*position])
    }

    /// Where in the order `path` is, if it is in the closure.
    #[must_use]
    pub fn position(&self, path: &StorePath) -> Option<usize> {
        self.positions.get(path).copied()
    }

    /// Number of paths.
    #[must_use]
    pub fn len(&self) -> usize {
        self.infos.len()
    }

    /// Whether there is no path.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.infos.is_empty()
    }

    /// Bytes of all NARs together.
    #[must_use]
    pub fn nar_size(&self) -> u64 {
        self.infos.iter().fold(0, |sum, info| sum.saturating_add(info.nar_size))
    }
}

impl<'a> IntoIterator for &'a Closure {
    type Item = &'a PathInfo;
    type IntoIter = slice::Iter<'a, PathInfo>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl IntoIterator for Closure {
    type Item = PathInfo;
    type IntoIter = std::vec::IntoIter<PathInfo>;

    fn into_iter(self) -> Self::IntoIter {
        self.infos.into_iter()
    }
}

/// How far the search has come with a path.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    /// Some of its references are still to be looked at.
    Open,
    /// It and all its references are in the order.
    Done,
}

/// A depth-first search with a stack of its own: foreign references may form chains of any length.
struct Sorter<'a> {
    infos: &'a BTreeMap<StorePath, PathInfo>,
    marks: BTreeMap<&'a StorePath, Mark>,
    stack: Vec<(&'a PathInfo, btree_set::Iter<'a, StorePath>)>,
    order: Vec<StorePath>,
}

impl<'a> Sorter<'a> {
    fn new(infos: &'a BTreeMap<StorePath, PathInfo>) -> Self {
        Self { infos, marks: BTreeMap::new(), stack: Vec::new(), order: Vec::with_capacity(infos.len()) }
    }

    fn sort(mut self) -> Result<Vec<StorePath>, ClosureError> {
        for info in self.infos.values() {
            if !self.marks.contains_key(&info.path) {
                self.open(info);
                self.drain()?;
            }
        }
        Ok(self.order)
    }

    fn open(&mut self, info: &'a PathInfo) {
        self.marks.insert(&info.path, Mark::Open);
        self.stack.push((info, info.references.iter()));
    }

    fn drain(&mut self) -> Result<(), ClosureError> {
        while let Some((info, references)) = self.stack.last_mut() {
            let info = *info;
            match references.next() {
                Some(reference) => self.visit(info, reference)?,
                None => self.close(info),
            }
        }
        Ok(())
    }

    fn close(&mut self, info: &'a PathInfo) {
        self.marks.insert(&info.path, Mark::Done);
        self.order.push(info.path.clone());
        self.stack.pop();
    }

    fn visit(&mut self, info: &PathInfo, reference: &'a StorePath) -> Result<(), ClosureError> {
        if *reference == info.path {
            return Ok(());
        }
        match self.marks.get(reference) {
            Some(Mark::Done) => Ok(()),
            Some(Mark::Open) => Err(self.cycle(reference)),
            None => {
                let missing = || ClosureError::MissingReference {
                    path: info.path.clone(),
                    reference: reference.clone(),
                };
                self.open(self.infos.get(reference).ok_or_else(missing)?);
                Ok(())
            }
        }
    }

    /// The ring that closes with a reference to `start`, which is on the stack.
    fn cycle(&self, start: &StorePath) -> ClosureError {
        let paths = self.stack.iter().map(|(info, _)| &info.path);
        ClosureError::Cycle { ring: paths.skip_while(|path| *path != start).cloned().collect() }
    }
}

#[cfg(test)]
mod tests;
