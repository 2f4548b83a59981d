//! Every piece of trees is that of their NAR, and trees that changed are told.

use std::{
    fs::{self, Permissions},
    os::{
        fd::OwnedFd,
        unix::fs::{PermissionsExt as _, symlink},
    },
};

use proptest::{prelude::*, sample::Index};
use rustix::fs::{CWD, Mode, OFlags, mkdirat, mkfifoat, openat, symlinkat};
use store::nar::Node;

use super::*;
use crate::files::tests::{Scratch, Tree, dumped, trees};

fn read(nar: &mut NarFile, range: Range<u64>) -> Result<Vec<u8>, NarFileError> {
    let mut bytes = b"of the call before".to_vec();
    let read = nar.read_at(range, &mut bytes);
    assert!(read.is_ok() || bytes.is_empty());
    read.map(|()| bytes)
}

/// That all pieces of so many bytes are right, one after the other.
fn assert_pieces(nar: &mut NarFile, expected: &[u8], size: usize) {
    let mut position = 0;
    for piece in expected.chunks(size) {
        let end = position + piece.len() as u64;
        assert!(read(nar, position..end).unwrap() == piece, "{position}..{end}");
        position = end;
    }
    assert_eq!(position, nar.size());
}

fn file(contents: &[u8]) -> Tree {
    Tree::File { executable: false, contents: contents.to_vec() }
}

fn directory<const N: usize>(entries: [(&str, Tree); N]) -> Tree {
    Tree::Directory(entries.map(|(name, tree)| (name.into(), tree)).into())
}

fn sample() -> Tree {
    let inner = [
        ("c", Tree::File { executable: true, contents: b"12345678".to_vec() }),
        ("d", directory([])),
        ("e", directory([("f", file(b""))])),
    ];
    directory([("a", file(b"12345")), ("b", directory(inner)), ("g", Tree::Symlink(b"/tmp".to_vec()))])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_piece_is_that_of_the_dump(tree in trees(), size in 1..300_000_usize, places in any::<[[Index; 2]; 20]>()) {
        let scratch = Scratch::new();
        let path = scratch.path("tree");
        tree.make(&path);
        let expected = dumped(&path).unwrap();
        let mut nar = NarFile::open(&path).unwrap();
        prop_assert_eq!(nar.size(), expected.len() as u64);
        prop_assert_eq!(nar.listing(), Node::list(&expected).unwrap());
        assert_pieces(&mut nar, &expected, size);
        for [one, other] in places {
            let (one, other) = (one.index(expected.len() + 1), other.index(expected.len() + 1));
            let (start, end) = (one.min(other), one.max(other));
            let bytes = read(&mut nar, start as u64..end as u64).unwrap();
            prop_assert!(bytes == expected[start..end], "{start}..{end}");
        }
    }
}

#[test]
fn every_place_of_small_trees() {
    let trees =
        [sample(), directory([]), file(b""), file(b"1"), file(b"12345678"), Tree::Symlink(b"x".to_vec())];
    for tree in trees {
        let scratch = Scratch::new();
        let path = scratch.path("tree");
        tree.make(&path);
        let mut nar = NarFile::open(&path).unwrap();
        let expected = tree.nar();
        for start in 0..=expected.len() {
            for end in (start..expected.len()).take(20).chain([expected.len()]) {
                let bytes = read(&mut nar, start as u64..end as u64).unwrap();
                assert_eq!(bytes, expected[start..end], "{start}..{end} of {tree:?}");
            }
        }
    }
}

#[test]
fn what_the_nar_does_not_have() {
    let scratch = Scratch::new();
    sample().make(&scratch.path("tree"));
    let mut nar = NarFile::open(&scratch.path("tree")).unwrap();
    let size = nar.size();
    #[expect(clippy::reversed_empty_ranges, reason = "that is the case")]
    for range in [0..size + 1, size..size + 1, size + 1..size + 1, 0..u64::MAX, u64::MAX..u64::MAX, 2..1] {
        let error = read(&mut nar, range.clone()).unwrap_err();
        assert!(matches!(&error, NarFileError::Range { range: told, .. } if *told == range), "{error:?}");
    }
}

/// What happens to `b/c` of the sample, whose path is the first, with room beside the tree.
type Change = fn(&Path, &Path);

const CHANGES: [(&str, Change); 10] = [
    ("shorter", |file, _| fs::write(file, b"1234567").unwrap()),
    ("longer", |file, _| fs::write(file, b"123456789").unwrap()),
    ("not executable", |file, _| fs::set_permissions(file, Permissions::from_mode(0o644)).unwrap()),
    ("gone", |file, _| fs::remove_file(file).unwrap()),
    ("a directory", |file, aside| {
        fs::rename(file, aside).unwrap();
        fs::create_dir(file).unwrap();
    }),
    ("a link to what it was", |file, aside| {
        fs::rename(file, aside).unwrap();
        symlink(aside, file).unwrap();
    }),
    ("a pipe", |file, _| {
        fs::remove_file(file).unwrap();
        mkfifoat(CWD, file, Mode::RUSR).unwrap();
    }),
    ("in a directory that is gone", |file, _| fs::remove_dir_all(file.parent().unwrap()).unwrap()),
    ("behind a link to the directory", |file, aside| {
        let directory = file.parent().unwrap();
        fs::rename(directory, aside).unwrap();
        symlink(aside, directory).unwrap();
    }),
    ("in a tree behind a link", |file, aside| {
        let tree = file.parent().unwrap().parent().unwrap();
        fs::rename(tree, aside).unwrap();
        symlink(aside, tree).unwrap();
    }),
];

#[test]
fn a_file_that_is_no_longer_what_it_was() {
    for (what, change) in CHANGES {
        let scratch = Scratch::new();
        let path = scratch.path("tree");
        sample().make(&path);
        let expected = sample().nar();
        let mut nar = NarFile::open(&path).unwrap();
        let Some(Node::File { offset, size: 8, .. }) = nar.listing().get(b"b/c").cloned() else { panic!() };
        change(&path.join("b/c"), &scratch.path("aside"));
        let error = read(&mut nar, offset + 7..offset + 8).expect_err(what);
        let (NarFileError::Changed { path: told } | NarFileError::Read { path: told, .. }) = &error else {
            panic!("{what}: {error:?}")
        };
        assert_eq!(*told, path.join("b/c"), "{what}: {error}");
        // What is not of the file is still what it was.
        let (start, end) = (offset + 8, nar.size());
        let rest = read(&mut nar, start..end).unwrap();
        assert_eq!(rest, expected[expected.len() - rest.len()..], "{what}");
    }
}

#[test]
fn a_file_that_changes_between_two_pieces() {
    for (what, change) in CHANGES {
        let scratch = Scratch::new();
        let path = scratch.path("tree");
        sample().make(&path);
        let mut nar = NarFile::open(&path).unwrap();
        let Some(Node::File { offset, .. }) = nar.listing().get(b"b/c").cloned() else { panic!() };
        assert_eq!(read(&mut nar, offset..offset + 4).unwrap(), b"1234");
        change(&path.join("b/c"), &scratch.path("aside"));
        match read(&mut nar, offset + 4..offset + 8) {
            Ok(bytes) => assert_eq!(bytes, b"5678", "{what}"),
            Err(NarFileError::Changed { path: told }) => assert_eq!(told, path.join("b/c"), "{what}"),
            Err(error) => panic!("{what}: {error:?}"),
        }
    }
}

#[test]
fn what_cannot_be_opened() {
    let scratch = Scratch::new();
    let missing = NarFile::open(&scratch.path("missing")).unwrap_err();
    assert_eq!(missing.to_string(), format!("cannot look at {}", scratch.path("missing").display()));
    fs::create_dir(scratch.path("tree")).unwrap();
    let pipe = scratch.path("tree/pipe");
    mkfifoat(CWD, &pipe, Mode::RUSR).unwrap();
    for path in [&pipe, &scratch.path("tree")] {
        let error = NarFile::open(path).unwrap_err();
        assert!(matches!(&error, NarFileError::Kind { path } if *path == pipe), "{error:?}");
    }
}

/// Directories inside each other with a link in the innermost.
fn make_deep(root: &Path, names: &[String]) -> Tree {
    let mut directory: OwnedFd = fs::File::open(root).unwrap().into();
    for name in names {
        mkdirat(&directory, &**name, Mode::RWXU).unwrap();
        directory = openat(&directory, &**name, OFlags::DIRECTORY, Mode::empty()).unwrap();
    }
    symlinkat("target", &directory, "link").unwrap();
    let innermost = ("link".into(), Tree::Symlink(b"target".to_vec()));
    names.iter().rev().fold(Tree::Directory(vec![innermost]), |tree, name| {
        Tree::Directory(vec![(name.clone().into(), tree)])
    })
}

#[test]
fn a_tree_deeper_than_a_path_can_be() {
    let scratch = Scratch::new();
    fs::create_dir(scratch.path("tree")).unwrap();
    let names = vec!["x".repeat(200); 30];
    let expected = make_deep(&scratch.path("tree"), &names).nar();
    let mut nar = NarFile::open(&scratch.path("tree")).unwrap();
    assert_eq!(nar.listing(), Node::list(&expected).unwrap());
    assert_pieces(&mut nar, &expected, 1000);
}
