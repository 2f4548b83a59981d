//! Closures from graphs written as text: `a: b c` says that path `a` refers to `b` and `c`.

use proptest::prelude::*;

use super::*;
use crate::{
    hash::Sha256,
    store_path::{HashPart, StorePath},
};

/// The path of a node; its hash part makes paths sort as their names do.
fn path(name: &str) -> StorePath {
    let mut hash = [0; HashPart::LEN];
    hash[HashPart::LEN - 1] = name.as_bytes()[0];
    StorePath::new(HashPart(hash), name.parse().unwrap())
}

fn parse(graph: &str) -> Vec<PathInfo> {
    let node = |line: &str| {
        let (name, references) = line.split_once(':').unwrap();
        let mut info = PathInfo::new(path(name), Sha256::of(b""), 100);
        info.references = references.split_whitespace().map(path).collect();
        info
    };
    graph.split(';').map(node).collect()
}

fn order(graph: &str) -> Result<String, ClosureError> {
    let closure = Closure::new(parse(graph))?;
    let names: Vec<_> = closure.iter().map(|info| info.path.name().as_str()).collect();
    Ok(names.join(" "))
}

#[test]
fn references_come_first_and_names_decide_the_rest() {
    let cases = [
        ("a:", "a"),
        ("c:;a:;b:", "a b c"),
        ("a: b;b: c;c:", "c b a"),
        ("a: c;b:;c:", "c a b"),
        ("a: a", "a"),
        ("a: b c;b: d;c: d;d: d", "d b c a"),
    ];
    for (graph, expected) in cases {
        assert_eq!(order(graph).unwrap(), expected, "{graph}");
    }
}

#[test]
fn refuses_what_is_no_closure() {
    let ring = |names: &[&str]| ClosureError::Cycle { ring: names.iter().map(|name| path(name)).collect() };
    let missing =
        |from: &str, to: &str| ClosureError::MissingReference { path: path(from), reference: path(to) };
    let cases = [
        ("a: b", missing("a", "b")),
        ("a:;b: a x", missing("b", "x")),
        ("a:;a: a", ClosureError::Duplicate { path: path("a") }),
        ("a: b;b: a", ring(&["a", "b"])),
        ("a: b;b: c;c: d;d: b", ring(&["b", "c", "d"])),
    ];
    for (graph, error) in cases {
        assert_eq!(order(graph), Err(error), "{graph}");
    }
    assert_eq!(
        ring(&["a", "b", "c"]).to_string().split(' ').take(5).collect::<Vec<_>>(),
        ["the", "references", "of", "2", "other"]
    );
}

#[test]
fn a_closure_is_a_set_with_a_sum() {
    let closure = Closure::new(parse("a: b;b:")).unwrap();
    assert_eq!((closure.len(), closure.nar_size()), (2, 200));
    assert_eq!(closure.get(&path("a")).unwrap().path, path("a"));
    assert_eq!(closure.get(&path("c")), None);
    assert!(!closure.is_empty());
}

#[test]
fn long_chains_need_no_stack() {
    let paths: Vec<_> = (0..20_000).map(|n| path(&format!("a{n:06}"))).collect();
    let mut infos: Vec<_> =
        paths.iter().map(|path| PathInfo::new(path.clone(), Sha256::of(b""), 1)).collect();
    for (info, next) in infos.iter_mut().zip(&paths[1..]) {
        info.references.insert(next.clone());
    }
    let closure = Closure::new(infos).unwrap();
    assert!(closure.iter().map(|info| &info.path).eq(paths.iter().rev()));
}

proptest! {
    #[test]
    fn every_reference_comes_before(edges in proptest::collection::vec((0..20_usize, 0..20_usize), 0..60)) {
        let info = |n| PathInfo::new(path(&format!("n{n:02}")), Sha256::of(b""), 1);
        let mut infos: Vec<_> = (0..20).map(info).collect();
        for (from, to) in edges {
            // References only to smaller numbers and itself: no ring.
            let reference = infos[to.min(from)].path.clone();
            infos[from].references.insert(reference);
        }
        infos.reverse();
        let closure = Closure::new(infos).unwrap();
        let position = |wanted: &StorePath| closure.iter().position(|info| info.path == *wanted).unwrap();
        for info in &closure {
            for reference in &info.references {
                prop_assert!(position(reference) <= position(&info.path));
            }
        }
    }
}
