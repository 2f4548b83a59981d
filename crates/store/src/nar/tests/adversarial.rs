//! What is refused, with which words, and at which byte.

use super::*;
use crate::nar::{DecodeErrorKind, MAX_DEPTH, NameError, TargetError, TreeError};

const FILE: &str = "( type regular contents a )";

/// Checks the error of `nar`, whole and byte by byte, and that every cut of it is an error too.
#[track_caller]
fn check(nar: &[u8], offset: usize, kind: &DecodeErrorKind) {
    let error = DecodeError { offset: offset as u64, kind: kind.clone() };
    for piece in [nar.len().max(1), 1, 7] {
        assert_eq!(decode(nar, piece), Err(error.clone()), "in pieces of {piece}");
    }
}

/// The offset of the last string of `text` but `behind`.
fn last_string(text: &str, behind: usize) -> usize {
    let words: Vec<_> = text.split_ascii_whitespace().collect();
    strings(&words[..words.len() - 1 - behind].join(" ")).len()
}

#[test]
fn wrong_words() {
    let cases = [
        ("nix-archive-2", "'nix-archive-1'"),
        ("_", "'nix-archive-1'"),
        ("nix-archive-1 )", "'('"),
        ("nix-archive-1 ( typo", "'type'"),
        ("nix-archive-1 ( type fifo", "'directory', 'regular' or 'symlink'"),
        ("nix-archive-1 ( type Regular", "'directory', 'regular' or 'symlink'"),
        ("nix-archive-1 ( type regular )", "'executable' or 'contents'"),
        ("nix-archive-1 ( type regular xyz", "'executable' or 'contents'"),
        ("nix-archive-1 ( type regular executable yes", "''"),
        ("nix-archive-1 ( type regular executable _ executable", "'contents'"),
        ("nix-archive-1 ( type regular contents a contents", "')'"),
        ("nix-archive-1 ( type symlink executable", "'target'"),
        ("nix-archive-1 ( type symlink target a target", "')'"),
        ("nix-archive-1 ( type directory node", "'entry' or ')'"),
        ("nix-archive-1 ( type directory entry name", "'('"),
        ("nix-archive-1 ( type directory entry ( node", "'name'"),
        ("nix-archive-1 ( type directory entry ( name a name", "'node'"),
        ("nix-archive-1 ( type directory entry ( name a node ( type directory ) entry", "')'"),
    ];
    for (text, expected) in cases {
        let found = text.split_ascii_whitespace().last().unwrap().replace('_', "");
        check(&strings(text), last_string(text, 0), &DecodeErrorKind::Word { expected, found });
    }
}

#[test]
fn bad_names() {
    let bad = |name: &str, offset, byte| NameError::Byte { name: name.into(), offset, byte };
    let cases = [
        ("_", NameError::Length { length: 0 }),
        (".", NameError::Dots),
        ("..", NameError::Dots),
        ("/", bad("/", 0, b'/')),
        ("x/y", bad("x/y", 1, b'/')),
        ("x\\x00", bad("x\\x00", 1, 0)),
    ];
    for (name, error) in cases {
        let text = format!("nix-archive-1 ( type directory entry ( name {name}");
        check(&strings(&text), last_string(&text, 0), &DecodeErrorKind::Tree(error.into()));
    }
}

#[test]
fn entries_out_of_order() {
    let unsorted =
        |name: &str, previous: &str| NameError::Unsorted { name: name.into(), previous: previous.into() };
    let cases = [
        ("b", "a", unsorted("a", "b")),
        ("ab", "a", unsorted("a", "ab")),
        ("a", "B", unsorted("B", "a")),
        ("\\xff", "a", unsorted("a", "\\xff")),
        ("a", "a", NameError::Duplicate { name: "a".into() }),
    ];
    for (first, second, error) in cases {
        let text = format!(
            "nix-archive-1 ( type directory entry ( name {first} node {FILE} ) entry ( name {second}"
        );
        check(&strings(&text), last_string(&text, 0), &DecodeErrorKind::Tree(error.into()));
    }
}

#[test]
fn each_directory_has_an_order_of_its_own() {
    let directory = |name: &str, entry: &str| {
        format!("entry ( name {name} node ( type directory entry ( name {entry} node {FILE} ) ) )")
    };
    let text = format!("nix-archive-1 ( type directory {} {} )", directory("a", "z"), directory("b", "y"));
    assert_eq!(decode(&strings(&text), 5).unwrap().0.len(), 8);
}

#[test]
fn bad_targets() {
    let cases = [("_", TargetError::Length { length: 0 }), ("a\\x00b", TargetError::Nul { offset: 1 })];
    for (target, error) in cases {
        let text = format!("nix-archive-1 ( type symlink target {target}");
        check(&strings(&text), last_string(&text, 0), &DecodeErrorKind::Tree(TreeError::Target(error)));
    }
}

#[test]
fn lengths_that_lie() {
    let long_word = |expected, length| DecodeErrorKind::LongWord { expected, length };
    let name = |length| DecodeErrorKind::Tree(NameError::Length { length }.into());
    let target = |length| DecodeErrorKind::Tree(TargetError::Length { length }.into());
    let cases = [
        ("", 33, long_word("'nix-archive-1'", 33)),
        ("", u64::MAX, long_word("'nix-archive-1'", u64::MAX)),
        ("nix-archive-1 ( type", 1 << 40, long_word("'directory', 'regular' or 'symlink'", 1 << 40)),
        ("nix-archive-1 ( type directory entry ( name", 256, name(256)),
        ("nix-archive-1 ( type directory entry ( name", u64::MAX, name(u64::MAX)),
        ("nix-archive-1 ( type symlink target", 4096, target(4096)),
    ];
    for (text, length, kind) in cases {
        let mut nar = strings(text);
        let offset = nar.len();
        nar.extend(length.to_le_bytes());
        check(&nar, offset, &kind);
    }
}

#[test]
fn the_longest_strings_are_accepted() {
    let name = "n".repeat(255);
    let target = "t".repeat(4095);
    let text = format!(
        "nix-archive-1 ( type directory entry ( name {name} node ( type symlink target {target} ) ) )"
    );
    for piece in [usize::MAX, 100] {
        assert_eq!(decode(&strings(&text), piece).unwrap().0.len(), 3);
    }
}

#[test]
fn padding_that_is_not_zero() {
    let contents = "nix-archive-1 ( type regular contents a";
    for (text, padding) in [("nix-archive-1", 3), ("nix-archive-1 (", 7), (contents, 7), (contents, 1)] {
        let mut nar = strings(text);
        let offset = nar.len() - padding;
        nar[offset] = 1;
        check(&nar, offset, &DecodeErrorKind::Padding { byte: 1 });
    }
}

#[test]
fn directories_inside_too_many_others() {
    let nested = |depth: usize| {
        let open = " ( type directory entry ( name a node".repeat(depth - 1);
        let close = " ) )".repeat(depth - 1);
        format!("nix-archive-1{open} ( type directory ){close}")
    };
    let deepest = decode(&strings(&nested(MAX_DEPTH)), 4096).unwrap();
    assert_eq!(deepest.0.len(), 2 * MAX_DEPTH);
    let too_deep = strings(&nested(MAX_DEPTH + 1));
    let offset =
        strings(&format!("nix-archive-1{}", " ( type directory entry ( name a node".repeat(MAX_DEPTH)));
    check(&too_deep, offset.len() + strings("( type").len(), &DecodeErrorKind::Tree(TreeError::TooDeep));
}

#[test]
fn every_cut_is_an_error_at_its_end() {
    let text = format!(
        "nix-archive-1 ( type directory entry ( name a node {FILE} ) entry ( name b node \
         ( type symlink target a ) ) entry ( name c node ( type regular executable _ contents _ ) ) )"
    );
    let nar = strings(&text);
    for length in 0..nar.len() {
        let error = decode(&nar[..length], usize::MAX).unwrap_err();
        assert_eq!(error.offset, length as u64);
        assert!(matches!(error.kind, DecodeErrorKind::Truncated { .. }), "{length}: {error:?}");
    }
    assert_eq!(decode(&nar, usize::MAX).unwrap().1, 0);
}

#[test]
fn an_error_stays() {
    let nar = strings("nix-archive-1 ) ( type directory )");
    let mut decoder = Decoder::new();
    let mut input = &*nar;
    let error = decoder.next_event(&mut input).unwrap_err();
    assert_eq!(decoder.next_event(&mut input), Err(error.clone()));
    assert_eq!(decoder.finish(), Err(error));
}

#[test]
fn what_follows_is_left_alone() {
    for text in [FILE, "( type directory )", "( type symlink target a )"] {
        let mut nar = strings(&format!("nix-archive-1 {text}"));
        nar.extend(b"the next message");
        for piece in [usize::MAX, 1] {
            assert_eq!(decode(&nar, piece).unwrap().1, 16);
        }
    }
}

#[test]
fn a_claimed_size_takes_no_memory() {
    let mut nar = strings("nix-archive-1 ( type regular contents");
    nar.extend(u64::MAX.to_le_bytes());
    let header = nar.len();
    nar.extend([7; 100]);
    let mut decoder = Decoder::new();
    let mut input = &*nar;
    let file = Event::File { name: b"", executable: false, size: u64::MAX };
    assert_eq!(decoder.next_event(&mut input), Ok(Some(file)));
    // Contents are lent from the input itself.
    let Ok(Some(Event::Contents(bytes))) = decoder.next_event(&mut input) else { panic!("no contents") };
    assert_eq!(bytes.as_ptr(), nar[header..].as_ptr());
    assert_eq!(bytes.len(), 100);
    assert_eq!(decoder.next_event(&mut input), Ok(None));
    let kind = DecodeErrorKind::Truncated { expected: "the contents of a file" };
    assert_eq!(decoder.finish(), Err(DecodeError { offset: nar.len() as u64, kind }));
}
