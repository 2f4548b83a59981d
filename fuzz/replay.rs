//! Replays the kept cases of fuzz targets. The tests `corpus` of the crates that are fuzzed include this as a module.

use std::{
    collections::BTreeSet,
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
};

/// What must hold of any bytes; it panics if it does not.
pub(crate) type Property = fn(&[u8]);

/// Runs every kept case under `fuzz` through the property of its target.
#[allow(clippy::print_stdout, reason = "a test that fails shows at which case")]
pub(crate) fn replay(fuzz: &Path, targets: &[(&str, Property)]) {
    for (target, property) in targets {
        let cases = files(&fuzz.join("corpus").join(target));
        assert!(!cases.is_empty(), "{target} has no cases");
        for case in cases {
            println!("{}", case.display());
            property(&fs::read(&case).expect("a readable case"));
        }
    }
}

/// Checks that `targets` are those that have a program and cases under `fuzz`.
pub(crate) fn check_complete(fuzz: &Path, targets: &[(&str, Property)]) {
    let names = |directory| -> BTreeSet<_> {
        let files = files(&fuzz.join(directory));
        files.iter().filter_map(|path| path.file_stem().and_then(OsStr::to_str).map(str::to_owned)).collect()
    };
    let targets: BTreeSet<_> = targets.iter().map(|(target, _)| (*target).to_owned()).collect();
    assert_eq!(names("fuzz_targets"), targets);
    assert_eq!(names("corpus"), targets);
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).expect("a directory of targets or kept cases");
    entries.map(|entry| entry.expect("a readable directory").path()).collect()
}
