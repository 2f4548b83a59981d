//! NARs that `nix-store --dump` (Nix 2.26.3) made.

use super::*;
use crate::nar::{Encoder, Entry, Node};

const NARS: &[(&str, &[u8])] = &[
    ("empty directory", include_bytes!("../../../tests/data/nar/empty-directory.nar")),
    ("empty file", include_bytes!("../../../tests/data/nar/empty-file.nar")),
    ("executable", include_bytes!("../../../tests/data/nar/executable.nar")),
    ("symbolic link", include_bytes!("../../../tests/data/nar/symlink.nar")),
    ("tree", include_bytes!("../../../tests/data/nar/tree.nar")),
];

#[test]
fn decoded_and_encoded_they_are_the_same() {
    for (what, nar) in NARS {
        let mut decoder = Decoder::new();
        let mut encoder = Encoder::new(Vec::new());
        for mut input in nar.chunks(50) {
            while let Some(event) = decoder.next_event(&mut input).unwrap() {
                encoder.write(event).unwrap();
            }
        }
        decoder.finish().unwrap();
        assert_eq!(encoder.finish().unwrap(), *nar, "{what}");
    }
}

/// One line for each node: its kind, path, and what it holds.
fn describe(path: &str, node: &Node, nar: &[u8], lines: &mut Vec<String>) {
    match node {
        Node::Directory(entries) => {
            lines.push(format!("d {path}/"));
            for Entry { name, node } in entries {
                describe(&format!("{path}/{}", name.escape_ascii()), node, nar, lines);
            }
        }
        Node::File { executable, size, offset } => {
            let (start, size) = (usize::try_from(*offset).unwrap(), usize::try_from(*size).unwrap());
            let kind = if *executable { 'x' } else { 'f' };
            lines.push(format!("{kind} {path} = {}", nar[start..start + size].escape_ascii()));
        }
        Node::Symlink { target } => lines.push(format!("l {path} -> {}", target.escape_ascii())),
    }
}

#[test]
fn a_listing_finds_everything() {
    let (_, nar) = NARS[4];
    let tree = Node::list(nar).unwrap();
    let mut lines = Vec::new();
    describe("", &tree, nar, &mut lines);
    let expected = [
        "d /",
        "f /a = d",
        "f /a-b = d",
        "f /a.b = d",
        "d /a0/",
        "d /bin/",
        "l /bin/alias -> run",
        "l /bin/dangling -> /nix/store/none",
        "x /bin/empty-exe = ",
        "x /bin/run = #!/bin/sh\\necho hi\\n",
        "d /deep/",
        "d /deep/er/",
        "d /deep/er/est/",
        "f /deep/er/est/z = z",
        "f /eight = 12345678",
        "d /empty/",
        "f /empty-file = ",
        "f /new\\nline = y",
        "f /nine = 123456789",
        "f /not-utf8-\\xff\\xfe = x",
        "d /with space/",
        "f /with space/A = A",
        "f /with space/a = a",
        "f /\\xc3\\xbcber = u",
    ];
    assert_eq!(lines, expected);
    assert_eq!(tree.get(b"bin/alias"), Some(&Node::Symlink { target: (*b"run").into() }));
    for absent in ["bin/none", "nine/x", "bin/alias/x"] {
        assert_eq!(tree.get(absent.as_bytes()), None);
    }
}
