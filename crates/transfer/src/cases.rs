//! What the tests of several modules speak of.

use delta::op::Op;
use store::{
    hash::Sha256,
    path_info::PathInfo,
    store_path::{HashPart, StorePath},
};

use crate::{announcement::Announcement, question::Wanted};

/// A path that is told by its number.
pub(crate) fn path(number: usize, name: &str) -> StorePath {
    let mut hash_part = [0; HashPart::LEN];
    hash_part[..8].copy_from_slice(&(number as u64).to_le_bytes());
    StorePath::new(HashPart(hash_part), name.parse().unwrap())
}

/// The path of this number of a question.
pub(crate) fn wanted(number: usize, has_base: bool) -> Wanted {
    let name = format!("path-{number}");
    Wanted { path: path(number, &name), base: has_base.then(|| path(1_000_000 + number, &name)) }
}

/// A whole path that refers to these.
pub(crate) fn announcement(index: usize, references: &[usize]) -> Announcement {
    let mut info = PathInfo::new(wanted(index, false).path, Sha256::of(&[1]), 1);
    info.references.extend(references.iter().map(|at| wanted(*at, false).path));
    Announcement { index, info, references: references.to_vec(), op: Op::Whole, from: 0 }
}
