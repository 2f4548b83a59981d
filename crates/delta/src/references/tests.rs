//! Cases of reference maps.

use proptest::prelude::*;

use super::*;
use crate::cases::{Case, closure, find, part};

/// The map of the references of path 101 to those of path 1, with the two as roots.
fn map(new: &[Case<'_>], old: &[Case<'_>]) -> Vec<(u32, u32)> {
    let (new, old) = (closure(new), closure(old));
    let (path, base) = (find(&new, 1), find(&old, 101));
    let pairing = Pairing::new(&new, &old, &[(path.path.clone(), base.path.clone())]);
    let map = ReferenceMap::new(path, base, &pairing);
    map.rewriter(path, base).expect("a map that fits");
    map.pairs().to_vec()
}

#[test]
fn references_map_to_what_they_are_the_base_of() {
    let new: &[Case<'_>] = &[(1, "p", 1, &[1, 2, 3]), (2, "a", 1, &[]), (3, "b", 1, &[])];
    let old: &[Case<'_>] = &[(101, "p", 1, &[101, 102, 103]), (102, "b", 1, &[]), (103, "a", 1, &[])];
    assert_eq!(map(new, old), [(0, 1), (1, 0)], "the own reference is in no list");
}

#[test]
fn what_stays_or_has_no_counterpart_is_in_no_pair() {
    let new: &[Case<'_>] = &[(1, "p", 1, &[2, 50]), (2, "a", 1, &[]), (50, "k", 1, &[])];
    let old: &[Case<'_>] =
        &[(101, "p", 1, &[50, 102, 103]), (50, "k", 1, &[]), (102, "a", 1, &[]), (103, "z", 1, &[])];
    assert_eq!(map(new, old), [(1, 0)]);
}

#[test]
fn left_over_references_are_matched_by_name() {
    let new: &[Case<'_>] = &[(1, "p", 1, &[2]), (2, "a-2", 1, &[])];
    let old: &[Case<'_>] = &[(101, "p", 1, &[102]), (102, "a-1", 1, &[])];
    let (new, old) = (closure(new), closure(old));
    let unpaired = Pairing::default();
    let map = ReferenceMap::new(find(&new, 1), find(&old, 101), &unpaired);
    assert_eq!(map.pairs(), [(0, 0)]);
}

#[test]
fn another_build_under_the_base_s_name_is_refused() {
    let new: &[Case<'_>] = &[(1, "p", 1, &[2]), (2, "a", 1, &[])];
    let old: &[Case<'_>] = &[(101, "p", 1, &[])];
    let map = ReferenceMap { pairs: vec![(0, 0)] };
    let (new, old) = (closure(new), closure(old));
    let (path, base) = (find(&new, 1), find(&old, 101));
    let expected = ReferenceMapError::NoReference { path: base.path.clone(), count: 0, index: 0 };
    assert_eq!(map.rewriter(path, base).err(), Some(expected));
}

#[test]
fn a_rewriter_replaces_mapped_references_and_the_own_hash() {
    let new: &[Case<'_>] = &[(1, "p", 1, &[1, 2]), (2, "a", 1, &[])];
    let old: &[Case<'_>] = &[(101, "p", 1, &[101, 102]), (102, "a", 1, &[])];
    let (new, old) = (closure(new), closure(old));
    let rewriter = ReferenceMap { pairs: vec![(0, 0)] }.rewriter(find(&new, 1), find(&old, 101)).unwrap();
    let mut text = format!("{}-p {}-a {}-z", part(101), part(102), part(7)).into_bytes();
    assert_eq!(rewriter.rewrite(&mut text), 2);
    assert_eq!(text, format!("{}-p {}-a {}-z", part(1), part(2), part(7)).into_bytes());
}

#[test]
fn hostile_bytes_are_refused() {
    let many =
        WireError::TooLarge { what: "the number of mapped references", found: 1 << 15 | 1, limit: 1 << 15 };
    let cases: &[(&[u8], WireError)] = &[
        (&[], WireError::Truncated { what: "the number of mapped references" }),
        (&[0x81, 0x80, 0x02], many),
        (&[1, 0], WireError::Truncated { what: "a reference of the path" }),
        (
            &[1, 0x81, 0x80, 0x40, 0],
            WireError::TooLarge { what: "a reference of the base", found: 1 << 20 | 1, limit: 1 << 20 },
        ),
    ];
    for (bytes, error) in cases {
        assert_eq!(ReferenceMap::read(&mut &bytes[..]).as_ref(), Err(error), "{bytes:?}");
    }
}

proptest! {
    #[test]
    fn round_trip(gaps in proptest::collection::vec((0_u32..50, 0_u32..1000), 0..100), after: u8) {
        let mut next = 0;
        let pairs = gaps.into_iter().map(|(gap, new)| {
            let old = next + gap;
            next = old + 1;
            (old, new)
        });
        let map = ReferenceMap { pairs: pairs.collect() };
        let mut bytes = Vec::new();
        map.write(&mut bytes);
        bytes.push(after);
        let mut rest = &bytes[..];
        prop_assert_eq!(ReferenceMap::read(&mut rest), Ok(map));
        prop_assert_eq!(rest, [after]);
    }

    #[test]
    fn what_is_read_is_what_is_written(bytes in proptest::collection::vec(0_u8..5, 0..40)) {
        let mut rest = &bytes[..];
        if let Ok(map) = ReferenceMap::read(&mut rest) {
            let mut written = Vec::new();
            map.write(&mut written);
            prop_assert_eq!(&written, &bytes[..bytes.len() - rest.len()]);
        }
    }
}
