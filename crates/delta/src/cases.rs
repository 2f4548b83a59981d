//! What the tests of several modules make their cases of.

use std::collections::BTreeMap;

use store::{
    closure::Closure,
    hash::Sha256,
    path_info::PathInfo,
    store_path::{HashPart, StorePath},
};

/// The hash part of this number.
pub(crate) fn part(number: u8) -> HashPart {
    HashPart([number; HashPart::LEN])
}

pub(crate) fn path(number: u8, name: &str) -> StorePath {
    StorePath::new(part(number), name.parse().unwrap())
}

/// Number, name and NAR size of a path, and the numbers of what it refers to.
pub(crate) type Case<'a> = (u8, &'a str, u64, &'a [u8]);

/// A closure of such paths, each number used once.
pub(crate) fn closure(cases: &[Case<'_>]) -> Closure {
    let paths: BTreeMap<_, _> =
        cases.iter().map(|(number, name, ..)| (*number, path(*number, name))).collect();
    let infos = cases.iter().map(|(number, _, size, references)| {
        let mut info = PathInfo::new(paths[number].clone(), Sha256::of(&[*number]), *size);
        info.references = references.iter().map(|number| paths[number].clone()).collect();
        info
    });
    Closure::new(infos).unwrap()
}

/// The path of a closure that has this number.
pub(crate) fn find(closure: &Closure, number: u8) -> &PathInfo {
    closure.iter().find(|info| info.path.hash_part() == part(number)).unwrap()
}

/// The number of a path.
pub(crate) fn number(path: &StorePath) -> u8 {
    path.hash_part().0[0]
}

/// A generator of bytes that look random and are the same every time.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    pub(crate) fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.next().to_le_bytes()[0]).collect()
    }
}
