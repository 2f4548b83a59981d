//! Replays `fuzz/corpus` through the properties of the fuzz targets, as plain tests on the stable toolchain.
#![allow(clippy::disallowed_methods, reason = "a test reads its data")]
#![allow(unreachable_pub, reason = "the properties are the library of a package of their own")]

use std::path::Path;

#[path = "../../../fuzz/src/lib.rs"]
mod properties;
#[path = "../../../fuzz/replay.rs"]
mod replay;

use replay::{Property, check_complete, replay};

/// Every target by the name of its directory and file.
const TARGETS: &[(&str, Property)] = &[
    ("base32", properties::fuzz_base32),
    ("content_address", properties::fuzz_content_address),
    ("derivation", properties::fuzz_derivation),
    ("hash", properties::fuzz_hash),
    ("key", properties::fuzz_key),
    ("nar", properties::fuzz_nar),
    ("nar_events", properties::fuzz_nar_events),
    ("narinfo", properties::fuzz_narinfo),
    ("references", properties::fuzz_references),
    ("store_path", properties::fuzz_store_path),
    ("version", properties::fuzz_version),
];

/// Where they are.
const FUZZ: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz");

#[test]
fn every_kept_case_holds() {
    replay(Path::new(FUZZ), TARGETS);
}

#[test]
fn every_target_is_replayed() {
    check_complete(Path::new(FUZZ), TARGETS);
}
