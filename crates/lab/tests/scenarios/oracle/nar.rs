//! NARs of trees: those of `nix-store --dump` and ours are the same bytes, and each restores the other's.

use std::fs;

use anyhow::{Context, Result, ensure};
use daemon::files::{dump, restore};
use store::hash::{Hash, Sha256};

use super::{Oracle, Scratch};

/// Where the trees are on the host.
const TREES: &str = "/root/trees";

/// Makes the trees, each by its name in [`TREES`].
const MAKE_TREES: &str = include_str!("trees.py");

/// Checks every tree, then every path of the system that the host runs.
pub(super) fn check(oracle: &Oracle<'_>) -> Result<()> {
    oracle.bytes(&["python3", "-c", MAKE_TREES])?;
    let trees = oracle.fetch(TREES)?;
    let names = trees.names()?;
    ensure!(names.len() == 12, "{names:?}");
    for name in names {
        check_tree(oracle, &trees, &name).with_context(|| format!("tree `{name}`"))?;
    }
    let closure = oracle.text(&["nix-store", "--query", "--requisites", "/run/current-system"])?;
    ensure!(closure.lines().count() > 50, "{closure}");
    closure.lines().try_for_each(|path| check_path(oracle, path).with_context(|| path.to_owned()))
}

fn check_tree(oracle: &Oracle<'_>, trees: &Scratch, name: &str) -> Result<()> {
    let there = format!("{TREES}/{name}");
    let theirs = oracle.bytes(&["nix-store", "--dump", &there])?;
    let mut ours = Vec::new();
    dump(&trees.join(name), &mut ours)?;
    ensure!(ours == theirs, "our NAR has {} bytes, theirs {}, and they differ", ours.len(), theirs.len());

    let restored = Scratch::new()?;
    restore(&mut &theirs[..], &restored.join("tree"))?;
    let mut again = Vec::new();
    dump(&restored.join("tree"), &mut again)?;
    ensure!(again == theirs, "what we restore of their NAR has another NAR");

    let there = format!("/root/restored-{name}");
    oracle.host.command(["nix-store", "--restore", &there])?.input(ours.clone()).run()?;
    ensure!(oracle.bytes(&["nix-store", "--dump", &there])? == ours, "what they restore has another NAR");
    let hash = Hash::from(Sha256::of(&ours));
    let base32 = oracle.text(&["nix-hash", "--type", "sha256", "--base32", &there])?;
    let base16 = oracle.text(&["nix-hash", "--type", "sha256", &there])?;
    assert_eq!((base32, base16), (hash.to_base32(), hash.to_base16()));
    assert_eq!(oracle.nix(&["hash", "path", &there])?, hash.to_sri());
    Ok(())
}

/// A real path: we restore and dump it as the bytes that they dump and have registered.
fn check_path(oracle: &Oracle<'_>, path: &str) -> Result<()> {
    let theirs = oracle.bytes(&["nix-store", "--dump", path])?;
    let registered = oracle.text(&["nix-store", "--query", "--hash", path])?;
    assert_eq!(Sha256::of(&theirs).to_string(), registered);
    let restored = Scratch::new()?;
    restore(&mut &theirs[..], &restored.join("tree"))?;
    let mut ours = Vec::new();
    dump(&restored.join("tree"), &mut ours)?;
    ensure!(ours == theirs, "it differs after a restore of ours");
    ensure!(fs::read_dir(restored.path())?.count() == 1, "something lies beside the tree");
    Ok(())
}
