//! Replays `fuzz/fleet/corpus` through the properties of the fuzz targets, as plain tests on the stable toolchain.
#![allow(clippy::disallowed_methods, reason = "a test reads its data")]
#![allow(unreachable_pub, reason = "the properties are the library of a package of their own")]

use std::{collections::BTreeSet, ffi::OsStr, fs, path::PathBuf};

#[path = "../../../fuzz/fleet/src/lib.rs"]
mod properties;

type Property = fn(&[u8]);

/// Every target by the name of its directory and file.
const TARGETS: &[(&str, Property)] =
    &[("index", properties::fuzz_index), ("selector", properties::fuzz_selector)];

fn files(directory: &str) -> Vec<PathBuf> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/fleet").join(directory);
    let entries = fs::read_dir(path).expect("a directory of kept cases");
    entries.map(|entry| entry.expect("a readable directory").path()).collect()
}

#[test]
fn every_kept_case_holds() {
    for (target, property) in TARGETS {
        let cases = files(&format!("corpus/{target}"));
        assert!(!cases.is_empty(), "{target} has no cases");
        for case in cases {
            println!("{}", case.display());
            property(&fs::read(&case).expect("a readable case"));
        }
    }
}

#[test]
fn every_target_is_replayed() {
    let names = |directory| -> BTreeSet<_> {
        files(directory)
            .iter()
            .filter_map(|path| path.file_stem().and_then(OsStr::to_str).map(str::to_owned))
            .collect()
    };
    let targets: BTreeSet<_> = TARGETS.iter().map(|(target, _)| (*target).to_owned()).collect();
    assert_eq!(names("fuzz_targets"), targets);
    assert_eq!(names("corpus"), targets);
}
