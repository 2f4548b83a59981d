//! Replays `fuzz/transfer/corpus` through the properties of the fuzz targets, as plain tests on the stable toolchain.
#![allow(clippy::disallowed_methods, reason = "a test reads its data")]
#![allow(unreachable_pub, reason = "the properties are the library of a package of their own")]

use std::path::Path;

#[path = "../../../fuzz/transfer/src/lib.rs"]
mod properties;
#[path = "../../../fuzz/replay.rs"]
mod replay;

use replay::{Property, check_complete, replay};

/// Every target by the name of its directory and file.
const TARGETS: &[(&str, Property)] =
    &[("stream", properties::fuzz_stream), ("words", properties::fuzz_words)];

/// Where they are.
const FUZZ: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/transfer");

#[test]
fn every_kept_case_holds() {
    replay(Path::new(FUZZ), TARGETS);
}

#[test]
fn every_target_is_replayed() {
    check_complete(Path::new(FUZZ), TARGETS);
}
