//! Paths and NARs that no store has yet.

use std::{fs::File, io::Read as _};

use store::{
    hash::Sha256,
    nar::{Encoder, Event},
    path_info::PathInfo,
    store_path::{HashPart, StoreDir, StorePath},
};

pub(crate) fn full(path: &StorePath) -> String {
    StoreDir::default().display(path).to_string()
}

/// A path that no store has.
pub(crate) fn unknown(number: u32) -> StorePath {
    let mut hash_part = [0; HashPart::LEN];
    hash_part[..4].copy_from_slice(&number.to_le_bytes());
    StorePath::new(HashPart(hash_part), "unknown".parse().unwrap())
}

/// A path with a name that follows from nothing but its contents' hash, as if it had been built.
pub(crate) fn made_up(name: &str, contents: &[u8], references: &[&StorePath]) -> (PathInfo, Vec<u8>) {
    let digest = Sha256::of(&[name.as_bytes(), contents].concat());
    let hash_part = HashPart(digest.0[..HashPart::LEN].try_into().unwrap());
    let path = StorePath::new(hash_part, name.parse().unwrap());
    let nar = file_nar(contents);
    let mut info = PathInfo::new(path, Sha256::of(&nar), nar.len() as u64);
    info.references = references.iter().copied().cloned().collect();
    (info, nar)
}

/// Two new paths, the second of which refers to the first and to itself.
pub(crate) fn pair(name: &str) -> ((PathInfo, Vec<u8>), (PathInfo, Vec<u8>)) {
    let first = made_up(&format!("{name}-first"), &random(), &[]);
    let mut second = made_up(&format!("{name}-second"), &random(), &[&first.0.path]);
    let contents = format!("{} {}", full(&first.0.path), full(&second.0.path));
    second.1 = file_nar(contents.as_bytes());
    second.0.nar_hash = Sha256::of(&second.1);
    second.0.nar_size = second.1.len() as u64;
    second.0.references.insert(second.0.path.clone());
    second.0.deriver = Some(first.0.path.clone());
    (first, second)
}

pub(crate) fn file_nar(contents: &[u8]) -> Vec<u8> {
    let size = contents.len() as u64;
    nar(&[Event::File { name: b"", executable: false, size }, Event::Contents(contents), Event::EndFile])
}

/// One of everything, with names that are not text.
pub(crate) fn tree_nar() -> Vec<u8> {
    nar(&[
        Event::Directory { name: b"" },
        Event::Symlink { name: b" dangling\n", target: b"/nowhere/../\xff" },
        Event::Directory { name: b"empty" },
        Event::EndDirectory,
        Event::File { name: b"executable", executable: true, size: 3 },
        Event::Contents(b"abc"),
        Event::EndFile,
        Event::File { name: b"latin-\xe9", executable: false, size: 0 },
        Event::EndFile,
        Event::EndDirectory,
    ])
}

fn nar(events: &[Event<'_>]) -> Vec<u8> {
    let mut encoder = Encoder::new(Vec::new());
    events.iter().for_each(|event| encoder.write(*event).unwrap());
    encoder.finish().unwrap()
}

/// 32 bytes that nobody has seen before, so that a check can run twice against one store.
pub(crate) fn random() -> [u8; 32] {
    let mut bytes = [0; 32];
    File::open("/dev/urandom").unwrap().read_exact(&mut bytes).unwrap();
    bytes
}
