//! Derivations that Nix 2.26.3 instantiated, in `tests/data/drv`: written as they were read, and their own
//! paths and those of their outputs computed anew.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test reads its data and fails by panicking"
)]

use std::{collections::BTreeMap, fs, path::Path};

use store::{
    derivation::{Derivation, HashModulo},
    store_path::{StoreDir, StorePath, StorePathName},
};

/// All derivations by their own paths, with their texts.
fn derivations() -> BTreeMap<StorePath, (Derivation, Vec<u8>)> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/drv");
    let read = |entry: std::io::Result<fs::DirEntry>| {
        let entry = entry.unwrap();
        let text = fs::read(entry.path()).unwrap();
        let path = entry.file_name().to_str().unwrap().parse().unwrap();
        (path, (Derivation::parse(&text, &StoreDir::default()).unwrap(), text))
    };
    fs::read_dir(directory).unwrap().map(read).collect()
}

fn name(path: &StorePath) -> StorePathName {
    path.name().as_str().strip_suffix(".drv").unwrap().parse().unwrap()
}

/// The hash of a derivation, after those of all it needs.
fn hash(
    path: &StorePath,
    derivations: &BTreeMap<StorePath, (Derivation, Vec<u8>)>,
    known: &mut BTreeMap<StorePath, HashModulo>,
) {
    if known.contains_key(path) {
        return;
    }
    let (derivation, _) = &derivations[path];
    for input in derivation.input_derivations.keys() {
        hash(input, derivations, known);
    }
    let modulo =
        derivation.hash_modulo(&name(path), &StoreDir::default(), |input| known.get(input).copied()).unwrap();
    known.insert(path.clone(), modulo);
}

#[test]
fn texts_are_written_as_they_were_read() {
    let derivations = derivations();
    assert!(derivations.len() >= 35, "only {} derivations", derivations.len());
    for (path, (derivation, text)) in derivations {
        assert_eq!(derivation.to_text(&StoreDir::default()), text, "{path}");
        assert_eq!(derivation.store_path(&name(&path), &StoreDir::default()), Ok(path));
    }
}

#[test]
fn output_paths_are_those_of_nix() {
    let derivations = derivations();
    let mut known = BTreeMap::new();
    for (path, (derivation, _)) in &derivations {
        hash(path, &derivations, &mut known);
        let paths =
            derivation.output_paths(&name(path), &StoreDir::default(), |input| known.get(input).copied());
        for (output, computed) in paths.unwrap() {
            assert_eq!(computed.as_ref(), derivation.outputs[&output].path(), "{path}: {output}");
        }
    }
}
