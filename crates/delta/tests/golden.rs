//! What version 1 of the format has sent must be understood for ever.
#![allow(clippy::disallowed_methods, reason = "a test reads its data")]

use std::path::Path;

use delta::{
    op::Op,
    window::{self, Head},
};
use store::{
    hash::Sha256,
    path_info::PathInfo,
    store_path::{HashPart, StorePath},
};

fn part(number: u8) -> HashPart {
    HashPart([number; HashPart::LEN])
}

fn info(number: u8, name: &str, references: &[(u8, &str)]) -> PathInfo {
    let path = |number, name: &str| StorePath::new(part(number), name.parse().expect("a name"));
    let mut info = PathInfo::new(path(number, name), Sha256([0; 32]), 1);
    info.references = references.iter().map(|(number, name)| path(*number, name)).collect();
    info
}

/// The new path and its base: three references of each, one of which stayed as it was.
fn paths() -> (PathInfo, PathInfo) {
    let new = info(
        1,
        "nginx-1.26.3",
        &[(1, "nginx-1.26.3"), (3, "openssl-3.4.1"), (5, "zlib-1.3"), (9, "glibc-2.40")],
    );
    let old = info(
        2,
        "nginx-1.26.2",
        &[(2, "nginx-1.26.2"), (4, "openssl-3.4.0"), (6, "zlib-1.3"), (9, "glibc-2.40")],
    );
    (new, old)
}

/// The base's bytes, as long as several lines of a file that mentions what it refers to.
fn old_bytes() -> Vec<u8> {
    let line = |n: u32| format!("{n}: /nix/store/{}-openssl /nix/store/{}-nginx\n", part(4), part(2));
    (0..50).map(line).collect::<String>().into_bytes()
}

/// The new path's bytes: the same with other hashes, and one more line.
fn new_bytes() -> Vec<u8> {
    let text = String::from_utf8(old_bytes()).expect("text");
    let text = text.replace(&part(4).to_string(), &part(3).to_string());
    let text = text.replace(&part(2).to_string(), &part(1).to_string());
    format!("{text}a new line\n").into_bytes()
}

#[test]
fn version_1_is_understood() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/v1.bin");
    let bytes = std::fs::read(file).expect("the golden file");
    let (path, base) = paths();
    let mut rest = &bytes[..];
    assert_eq!(Op::read(&path.path, &mut rest), Ok(Op::Whole));
    let Ok(Op::Rewrite(same_name)) = Op::read(&base.path, &mut rest) else { panic!("a rewrite") };
    assert_eq!(same_name.path, StorePath::new(part(7), base.path.name().clone()));
    assert_eq!(same_name.references.pairs(), []);
    let Ok(Op::Patch(patch)) = Op::read(&path.path, &mut rest) else { panic!("a patch") };
    assert_eq!(patch.path, base.path);
    assert_eq!(patch.references.pairs(), [(0, 0), (1, 1)]);
    let rewriter = patch.rewriter(&path, &base).expect("a map that fits");
    let (old, mut made) = (old_bytes(), Vec::new());
    while !rest.is_empty() {
        let head = Head::read(&mut rest).expect("a head");
        let (payload, after) = rest.split_at(head.payload as usize);
        let source = head.window.source(old.len() as u64).expect("a piece of the base");
        let [start, end] = [source.start, source.end].map(|place| usize::try_from(place).expect("in memory"));
        let mut source = old[start..end].to_vec();
        let mut target = Vec::new();
        window::decode(&head.window, (&mut source, old.len() as u64), &rewriter, payload, &mut target)
            .expect("a payload");
        made.extend(target);
        rest = after;
    }
    assert_eq!(made, new_bytes());
}
