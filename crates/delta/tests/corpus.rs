//! Replays `fuzz/delta/corpus` through the properties of the fuzz targets, as plain tests on the stable toolchain.
#![allow(clippy::disallowed_methods, reason = "a test reads its data")]
#![allow(unreachable_pub, reason = "the properties are the library of a package of their own")]

use std::path::Path;

#[path = "../../../fuzz/delta/src/lib.rs"]
mod properties;
#[path = "../../../fuzz/replay.rs"]
mod replay;

use replay::{Property, check_complete, replay};

/// Every target by the name of its directory and file.
const TARGETS: &[(&str, Property)] = &[
    ("op", properties::fuzz_op),
    ("patch", properties::fuzz_patch),
    ("rewrite", properties::fuzz_rewrite),
    ("window", properties::fuzz_window),
];

/// Where they are.
const FUZZ: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/delta");

#[test]
fn every_kept_case_holds() {
    replay(Path::new(FUZZ), TARGETS);
}

#[test]
fn every_target_is_replayed() {
    check_complete(Path::new(FUZZ), TARGETS);
}
