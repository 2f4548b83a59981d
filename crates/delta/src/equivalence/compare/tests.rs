//! Verdicts on small closures.

use super::*;
use crate::cases::{Case, closure, number};

/// The verdicts as numbers of paths: new or gone ones, what became of them, and the old one.
fn verdicts(new: &[Case<'_>], old: &[Case<'_>], identities: &[(u8, u8)]) -> Vec<(u8, &'static str, u8)> {
    let (new, old) = (closure(new), closure(old));
    let paths = new.iter().chain(&old).map(|info| &info.path);
    let identity = |path: &StorePath| {
        identities.iter().find(|(of, _)| *of == number(path)).map(|(_, i)| Identity([*i; 20]))
    };
    let identities = paths.filter_map(|path| Some((path.clone(), identity(path)?))).collect();
    let verdicts = compare((&new, &old), &identities, &[]).paths;
    let told = verdicts.iter().map(|(path, (size, verdict))| {
        let info = new.get(path).or_else(|| old.get(path)).unwrap();
        assert_eq!(*size, info.nar_size);
        match verdict {
            Verdict::Same => (number(path), "same", 0),
            Verdict::Equivalent { old } => (number(path), "equivalent", number(old)),
            Verdict::Changed { old: base, old_size } => {
                assert_eq!(*old_size, old.get(base).unwrap().nar_size);
                (number(path), "changed", number(base))
            }
            Verdict::New => (number(path), "new", 0),
            Verdict::Gone => (number(path), "gone", 0),
        }
    });
    told.collect()
}

#[test]
fn each_path_has_one_verdict() {
    let new: &[Case<'_>] = &[(1, "a-2", 5, &[]), (2, "b", 6, &[]), (3, "n", 7, &[]), (50, "k", 8, &[])];
    let old: &[Case<'_>] = &[(101, "a-1", 1, &[]), (102, "b", 2, &[]), (103, "g", 3, &[]), (50, "k", 8, &[])];
    let expected =
        [(1, "changed", 101), (2, "equivalent", 102), (3, "new", 0), (50, "same", 0), (103, "gone", 0)];
    assert_eq!(verdicts(new, old, &[(2, 9), (102, 9), (1, 7), (101, 8)]), expected);
}

#[test]
fn twins_are_told_one_to_one_as_far_as_they_reach() {
    let paths =
        |numbers: &[u8]| -> Vec<Case<'static>> { numbers.iter().map(|n| (*n, "t", 1, &[][..])).collect() };
    let all: Vec<_> = [1, 2, 50, 101, 102].map(|number| (number, 9)).into();
    let told = |new: &[u8], old: &[u8]| verdicts(&paths(new), &paths(old), &all);
    assert_eq!(told(&[1, 2], &[101, 102]), [(1, "equivalent", 101), (2, "equivalent", 102)]);
    assert_eq!(told(&[1, 2], &[101]), [(1, "equivalent", 101), (2, "equivalent", 101)]);
    assert_eq!(told(&[1], &[101, 102]), [(1, "equivalent", 101)], "one of them is not gone");
    assert_eq!(told(&[1, 50], &[50, 101]), [(1, "equivalent", 101), (50, "same", 0)]);
    assert_eq!(told(&[1, 50], &[50]), [(1, "equivalent", 50), (50, "same", 0)]);
}

#[test]
fn what_is_kept_was_not_changed_into_something_else() {
    let new: &[Case<'_>] = &[(1, "a-2", 5, &[]), (50, "a-1", 5, &[])];
    assert_eq!(verdicts(new, &[(50, "a-1", 5, &[])], &[]), [(1, "new", 0), (50, "same", 0)]);
}
