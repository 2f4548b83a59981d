//! What the host is known to have had, of which new paths can be made.

use delta::{op::Base, pairing::Pairing, references::ReferenceMap};
use store::{closure::Closure, path_info::PathInfo, store_path::StorePath};

/// What a host is known to have had, and which new path is like which of it.
#[derive(Debug, Clone, Default)]
pub struct Bases {
    old: Closure,
    pairing: Pairing,
}

impl Bases {
    /// Nothing.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// The paths of `old`, paired with those of `new` from `roots` on, as [`Pairing::new`] has it.
    #[must_use]
    pub fn new(new: &Closure, old: Closure, roots: &[(StorePath, StorePath)]) -> Self {
        let pairing = Pairing::new(new, &old, roots);
        Self { old, pairing }
    }

    /// What a path could be made of, itself excepted.
    pub(super) fn of(&self, path: &StorePath) -> Option<&StorePath> {
        self.pairing.base(path).filter(|base| *base != path)
    }

    /// The same, with what is known of it and what became of its references.
    pub(super) fn with_references(&self, info: &PathInfo) -> Option<(Base, &PathInfo)> {
        let base = self.old.get(self.of(&info.path)?)?;
        let references = ReferenceMap::new(info, base, &self.pairing);
        Some((Base { path: base.path.clone(), references }, base))
    }
}
