//! What was asked for, what is there of it, and what may come next.

use std::collections::BTreeSet;

use store::store_path::StorePath;

use super::LONG;
use crate::{announcement::Announcement, answer::Has, question::Wanted, wire::Malformed};

/// The paths of a question, and what has become of each.
#[derive(Debug)]
pub(crate) struct Ledger {
    wanted: Vec<Wanted>,
    has: Vec<Has>,
    /// The first path that may still come.
    next: usize,
}

impl Ledger {
    /// What is there at first; as long as `wanted`.
    pub(crate) fn new(wanted: Vec<Wanted>, has: Vec<Has>) -> Self {
        Self { wanted, has, next: 0 }
    }

    pub(crate) fn wanted(&self) -> &[Wanted] {
        &self.wanted
    }

    /// What all the paths are wanted for.
    pub(crate) fn last(&self) -> Option<&StorePath> {
        self.wanted.last().map(|wanted| &wanted.path)
    }

    /// How many short paths come, by what stands before them.
    pub(crate) fn short(&self, number: u64) -> Result<usize, Malformed> {
        let count =
            usize::try_from(number - LONG).ok().filter(|count| *count <= self.wanted.len() - self.next);
        count.ok_or(Malformed::Unexpected { what: "at most as many paths as were asked for" })
    }

    /// Whether a path refers to some that caches still bring.
    pub(crate) fn needs_caches(&self, what: &Announcement) -> bool {
        what.references.iter().any(|at| self.has[*at] == Has::Fetches)
    }

    /// Takes note of a path that comes now, if it is due: it was asked for and is not there, nothing behind it has
    /// come, and all it refers to is there.
    pub(crate) fn accept(&mut self, what: &Announcement) -> Result<(), Malformed> {
        let due = |why| Malformed::NotDue { index: what.index as u64, why };
        if what.index < self.next {
            return Err(due("it comes too late"));
        }
        if !matches!(self.has[what.index], Has::Base | Has::Nothing) {
            return Err(due("it is there"));
        }
        if what.info.nar_size == 0 {
            return Err(due("it has no size"));
        }
        if what.references.iter().any(|at| *at != what.index && self.has[*at] != Has::Path) {
            return Err(due("it refers to a path that did not come"));
        }
        self.next = what.index + 1;
        Ok(())
    }

    /// Checks that this base of a path was asked for, and was there.
    pub(crate) fn check_base(&self, what: &Announcement, base: &StorePath) -> Result<(), Malformed> {
        if self.wanted[what.index].base.as_ref() == Some(base) && self.has[what.index] == Has::Base {
            return Ok(());
        }
        Err(Malformed::NotDue { index: what.index as u64, why: "its base was not asked for" })
    }

    /// The path is there now.
    pub(crate) fn came(&mut self, what: &Announcement) {
        self.has[what.index] = Has::Path;
    }

    /// What caches have brought is there now; gives a path that they have not.
    pub(crate) fn fetched(&mut self, valid: &BTreeSet<StorePath>) -> Result<(), StorePath> {
        for (wanted, has) in self.wanted.iter().zip(&mut self.has) {
            if *has == Has::Fetches {
                if !valid.contains(&wanted.path) {
                    return Err(wanted.path.clone());
                }
                *has = Has::Path;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::cases::{announcement, wanted};

    use super::*;

    /// Which path comes, and which it refers to.
    type Coming = (usize, &'static [usize]);

    /// A ledger of paths of which this is there.
    fn ledger(has: &[Has]) -> Ledger {
        Ledger::new((0..has.len()).map(|number| wanted(number, true)).collect(), has.to_vec())
    }

    #[test]
    fn a_path_comes_when_it_is_due_and_at_no_other_time() {
        use Has::{Base, Fetches, Nothing, Path};
        let cases: [(&[Has], &[Coming], Option<&str>); 9] = [
            (&[Nothing, Base], &[(0, &[]), (1, &[0, 1])], None),
            (&[Path, Nothing, Nothing], &[(1, &[0]), (2, &[1])], None),
            (&[Path, Nothing, Nothing], &[(2, &[0])], None),
            (&[Nothing, Nothing], &[(1, &[]), (0, &[])], Some("too late")),
            (&[Nothing, Nothing], &[(0, &[]), (0, &[])], Some("too late")),
            (&[Path], &[(0, &[])], Some("it is there")),
            (&[Fetches], &[(0, &[])], Some("it is there")),
            (&[Nothing, Nothing], &[(1, &[0])], Some("did not come")),
            (&[Fetches, Nothing], &[(1, &[0])], Some("did not come")),
        ];
        for (has, coming, refused) in cases {
            let mut ledger = ledger(has);
            let result = coming.iter().try_for_each(|(index, references)| {
                let what = announcement(*index, references);
                ledger.accept(&what)?;
                ledger.came(&what);
                Ok::<_, Malformed>(())
            });
            let said = result.err().map(|error| error.to_string());
            match (refused, said) {
                (None, None) => {}
                (Some(why), Some(said)) => assert!(said.contains(why), "{said}"),
                other => panic!("{has:?} {coming:?}: {other:?}"),
            }
        }
    }

    #[test]
    fn caches_bring_what_they_said_or_it_is_told_what_is_missing() {
        let mut ledger = ledger(&[Has::Fetches, Has::Nothing]);
        assert!(ledger.needs_caches(&announcement(1, &[0])) && !ledger.needs_caches(&announcement(1, &[1])));
        let path = wanted(0, false).path;
        assert_eq!(ledger.fetched(&BTreeSet::new()), Err(path.clone()));
        assert_eq!(ledger.fetched(&BTreeSet::from([path])), Ok(()));
        ledger.accept(&announcement(1, &[0])).unwrap();
    }

    #[test]
    fn only_the_base_that_was_asked_for_and_was_there_is_read() {
        let (base, other) = (wanted(1, true).base.unwrap(), wanted(0, true).base.unwrap());
        let what = announcement(1, &[]);
        assert!(ledger(&[Has::Nothing, Has::Base]).check_base(&what, &base).is_ok());
        assert!(ledger(&[Has::Nothing, Has::Base]).check_base(&what, &other).is_err());
        assert!(ledger(&[Has::Nothing, Has::Nothing]).check_base(&what, &base).is_err());
    }

    #[test]
    fn no_more_paths_are_announced_than_were_asked_for() {
        let mut ledger = ledger(&[Has::Nothing; 3]);
        let count = |ledger: &Ledger, number| ledger.short(number).ok();
        assert_eq!([2, 4, 5, u64::MAX].map(|number| count(&ledger, number)), [Some(1), Some(3), None, None]);
        ledger.accept(&announcement(1, &[])).unwrap();
        assert_eq!([2, 3].map(|number| count(&ledger, number)), [Some(1), None]);
    }
}
