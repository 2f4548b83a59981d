//! The upper part of an image: the pocket NixOS's base system, built by the image's own Nix.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use run::Command;

use super::key::Key;
use super::{COMPLETE, build_beside, inside};

/// How long a base system is kept that no lab is started with.
const KEPT: Duration = Duration::from_hours(24);

pub(super) fn directory(debian: &Path) -> Result<PathBuf> {
    let recipe = [include_str!("system.rs"), include_str!("inside.rs")].concat();
    let key = Key::new().tree(&inside::source())?.text(&recipe).finish();
    Ok(debian.join("systems").join(key))
}

/// Builds the layer in namespaces of its own, so that a build cut short leaves no mount behind.
pub(super) fn build(root: &Path, target: &Path) -> Result<()> {
    build_beside(target, |part| {
        let program = env::current_exe().context("cannot find this program")?;
        Command::new("unshare")
            .args(["--mount", "--pid", "--fork", "--kill-child", "--net"])
            .arg(program)
            .arg("image-layer")
            .args([root, part])
            .run()
            .context("the image's own Nix could not build the base system")?;
        fs::remove_dir_all(part.join("layer.work")).context("cannot remove the overlay's work directory")
    })
}

/// Notes that a base system is in use today.
pub(super) fn touch(system: &Path) -> Result<()> {
    let mark = fs::File::options().write(true).open(system.join(COMPLETE))?;
    mark.set_modified(SystemTime::now()).context("cannot note that the base system is used")
}

/// Removes base systems that nobody has started a lab with for a while: one that another checkout uses, or a
/// lab that runs, must stay.
pub(super) fn prune(systems: &Path) -> Result<()> {
    for entry in fs::read_dir(systems)? {
        let path = entry?.path();
        let used = fs::metadata(path.join(COMPLETE)).and_then(|mark| mark.modified());
        if used.is_ok_and(|used| used.elapsed().is_ok_and(|age| age > KEPT)) {
            fs::remove_dir_all(&path).with_context(|| format!("cannot remove {}", path.display()))?;
        }
    }
    Ok(())
}

/// What `lab image-layer` does, inside the namespaces: fills `part/layer` and `part/boot`.
pub fn build_layer(root: &Path, part: &Path) -> Result<()> {
    inside::own_mounts()?;
    let merged = part.join("merged");
    inside::overlay(&[root.to_owned()], Some(&part.join("layer")), &merged)?;
    inside::furnish(&merged)?;
    inside::copy_source(&merged)?;
    inside::install(&merged, "base")?;
    inside::take_boot(&merged, &part.join("boot"))?;
    inside::clear(&merged)
}
