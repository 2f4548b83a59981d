//! The upper part of an image: the pocket NixOS's base system, built by the image's own Nix.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use run::Command;
use rustix::mount::{
    MountFlags, MountPropagationFlags, UnmountFlags, mount, mount_bind_recursive, mount_change, unmount,
};

use super::key::{Key, files};
use super::{COMPLETE, build_beside};

/// How long a base system is kept that no lab is started with.
const KEPT: Duration = Duration::from_hours(24);
/// Where the image keeps the pocket NixOS's source, for configurations that scenarios build on a host.
const SOURCE: &str = "lab/os";

/// The pocket NixOS's source in this repository.
fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../lab/os")
}

pub(super) fn directory(debian: &Path) -> Result<PathBuf> {
    let key = Key::new().tree(&source())?.text(include_str!("system.rs")).finish();
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
        fs::remove_dir_all(part.join("work")).context("cannot remove the overlay's work directory")
    })
}

/// Notes that a base system is in use today.
pub(super) fn touch(system: &Path) -> Result<()> {
    let mark = fs::File::options().write(true).open(system.join(COMPLETE))?;
    mark.set_modified(SystemTime::now()).context("cannot note that the base system is used")
}

/// Removes base systems that nobody has started a lab with for a while: one that another checkout uses, or a
/// lab that runs, must stay.
pub(super) fn prune(debian: &Path) -> Result<()> {
    for entry in fs::read_dir(debian.join("systems"))? {
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
    mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)?;
    let merged = part.join("merged");
    for dir in [&part.join("layer"), &part.join("work"), &merged] {
        fs::create_dir_all(dir)?;
    }
    let options = format!(
        "lowerdir={},upperdir={},workdir={}",
        root.display(),
        part.join("layer").display(),
        part.join("work").display()
    );
    let options = std::ffi::CString::new(options)?;
    mount("overlay", &merged, "overlay", MountFlags::empty(), options.as_c_str())
        .context("cannot mount an overlay file system")?;
    mount("proc", merged.join("proc"), "proc", MountFlags::empty(), None)?;
    mount_bind_recursive("/dev", merged.join("dev"))?;
    copy_source(&merged.join(SOURCE))?;
    install(&merged)?;
    let boot = part.join("boot");
    Command::new("cp").arg("-a").args([&merged.join("boot"), &boot]).run()?;
    Command::new("find").arg(merged.join("boot")).args(["-mindepth", "1", "-delete"]).run()?;
    for mounted in ["dev", "proc", ""] {
        unmount(merged.join(mounted), UnmountFlags::DETACH)?;
    }
    fs::remove_dir(&merged).context("cannot remove the mount point")
}

fn copy_source(target: &Path) -> Result<()> {
    let source = source();
    for file in files(&source)? {
        let to = target.join(file.strip_prefix(&source)?);
        fs::create_dir_all(to.parent().context("a file has a directory")?)?;
        fs::copy(&file, &to).with_context(|| format!("cannot copy {}", file.display()))?;
    }
    Ok(())
}

/// Builds the base system, makes it generation 1 and the boot default.
fn install(merged: &Path) -> Result<()> {
    let flake = format!("path:/{SOURCE}#nixosConfigurations.base.config.system.build.toplevel");
    let built =
        chroot(merged, "nix").args(["build", "--quiet", "--no-link", "--print-out-paths", &flake]).run()?;
    let toplevel = built.stdout_text();
    fs::write(merged.join("etc/NIXOS"), "").context("cannot mark the root as a NixOS")?;
    chroot(merged, "nix-env")
        .args(["--profile", "/nix/var/nix/profiles/system", "--set", &toplevel])
        .run()?;
    let switch = format!("{toplevel}/bin/switch-to-configuration");
    chroot(merged, &switch).arg("boot").env("NIXOS_INSTALL_BOOTLOADER", "1").run()?;
    Ok(())
}

fn chroot(root: &Path, program: &str) -> Command {
    Command::new("chroot")
        .arg(root)
        .arg(program)
        .env_clear()
        .env("HOME", "/root")
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
}
