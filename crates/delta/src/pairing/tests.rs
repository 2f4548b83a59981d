//! Cases of pairings, old paths numbered from 100 on where they are not also new.

use proptest::prelude::*;

use super::*;
use crate::cases::{Case, closure, find, number};

/// The pairs of numbers, new and old, of paths that are not their own base.
fn pairs(new: &[Case<'_>], old: &[Case<'_>], roots: &[(u8, u8)]) -> Vec<(u8, u8)> {
    let (new, old) = (closure(new), closure(old));
    let roots: Vec<_> =
        roots.iter().map(|(n, o)| (find(&new, *n).path.clone(), find(&old, *o).path.clone())).collect();
    let pairing = Pairing::new(&new, &old, &roots);
    for info in &new {
        let kept = old.get(&info.path).is_some();
        assert_eq!(pairing.base(&info.path) == Some(&info.path), kept, "{} is its own base", info.path);
    }
    let changed = pairing.iter().filter(|(new, old)| new != old);
    changed.map(|(new, old)| (number(new), number(old))).collect()
}

#[test]
fn roots_are_paired_whatever_their_names() {
    assert_eq!(pairs(&[(1, "a", 1, &[])], &[(100, "b", 1, &[])], &[(1, 100)]), [(1, 100)]);
    assert_eq!(pairs(&[(1, "a", 1, &[])], &[(100, "b", 1, &[])], &[]), []);
}

#[test]
fn references_are_matched_from_the_roots_down() {
    // By structure 2 takes the place of 102 though 103 has the same name and the nearer size.
    let new: &[Case<'_>] = &[(1, "system", 9, &[2]), (2, "x-2", 5, &[3]), (3, "y-2", 1, &[])];
    let old: &[Case<'_>] =
        &[(101, "system", 9, &[102, 104]), (102, "x-1", 8, &[]), (103, "x-2", 5, &[]), (104, "z", 1, &[103])];
    assert_eq!(pairs(new, old, &[(1, 101)]), [(1, 101), (2, 102)]);
    assert_eq!(pairs(new, old, &[]), [(1, 101), (2, 103)]);
}

#[test]
fn what_both_have_is_kept_and_is_a_base_only_for_lack_of_another() {
    let new: &[Case<'_>] = &[(1, "a-2", 5, &[]), (50, "a-1", 5, &[])];
    assert_eq!(pairs(new, &[(50, "a-1", 5, &[])], &[]), [(1, 50)], "the second version of a package");
    assert_eq!(pairs(new, &[(50, "a-1", 5, &[]), (100, "a-0", 9, &[])], &[]), [(1, 100)]);
}

#[test]
fn the_surest_root_comes_first_and_later_ones_add() {
    let new: &[Case<'_>] = &[(1, "system", 9, &[2, 3]), (2, "x-2", 5, &[]), (3, "y-2", 5, &[])];
    let old: &[Case<'_>] = &[
        (101, "system", 9, &[102]),
        (102, "x-1", 5, &[]),
        (111, "system", 9, &[112, 113]),
        (112, "x-0", 5, &[]),
        (113, "y-0", 5, &[]),
    ];
    assert_eq!(pairs(new, old, &[(1, 101), (1, 111)]), [(1, 101), (2, 102), (3, 113)]);
}

#[test]
fn a_path_that_refers_to_itself_is_no_trouble() {
    let new: &[Case<'_>] = &[(1, "a", 1, &[1, 2]), (2, "b", 1, &[2])];
    let old: &[Case<'_>] = &[(101, "a", 1, &[101, 102]), (102, "b", 1, &[102])];
    assert_eq!(pairs(new, old, &[(1, 101)]), [(1, 101), (2, 102)]);
}

/// A closure of paths with few names, each referring to some of those of smaller numbers.
fn some_closure() -> impl Strategy<Value = Closure> {
    let names = prop::sample::select(vec!["a-1", "a-2", "b-1", "b-1-dev", "c"]);
    let paths = proptest::collection::vec((names, 0_u64..4, any::<u32>()), 0..24);
    paths.prop_map(|paths| {
        let below = |n: u8, mask: u32| (0..n).filter(|other| mask >> other & 1 == 1).collect();
        let references: Vec<Vec<u8>> = (0..).zip(&paths).map(|(n, (.., mask))| below(n, *mask)).collect();
        let cases = (0..).zip(&paths).zip(&references);
        let cases: Vec<Case<'_>> =
            cases.map(|((n, (name, size, _)), references)| (n, *name, *size, &references[..])).collect();
        closure(&cases)
    })
}

proptest! {
    #[test]
    fn no_two_paths_share_a_base(new in some_closure(), old in some_closure()) {
        let roots: Vec<_> = new.iter().last().into_iter().zip(old.iter().last())
            .map(|(new, old)| (new.path.clone(), old.path.clone())).collect();
        let pairing = Pairing::new(&new, &old, &roots);
        let mut used = BTreeSet::new();
        for (path, base) in &pairing {
            prop_assert!(new.get(path).is_some() && old.get(base).is_some());
            prop_assert!(path == base || used.insert(base), "{} is a base twice", base);
        }
        // Nothing is left over that could be paired by its name.
        for info in &new {
            let free = old.iter().any(|old| old.path.name() == info.path.name() && !used.contains(&old.path));
            prop_assert!(pairing.base(&info.path).is_some() || !free, "{} has no base", info.path);
        }
        prop_assert_eq!(Pairing::new(&new, &old, &roots), pairing);
    }
}
