//! What is done inside an image while it is built, in mount namespaces of its own.

use std::ffi::CString;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use run::Command;
use rustix::mount::{
    MountFlags, MountPropagationFlags, UnmountFlags, mount, mount_bind_recursive, mount_change, unmount,
};

use super::key::files;

/// Where the image keeps the pocket NixOS's source, for configurations that scenarios build on a host.
const SOURCE: &str = "lab/os";

/// The pocket NixOS's source in this repository.
pub(super) fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../lab/os")
}

/// Nothing that is mounted from now on is seen outside.
pub(super) fn own_mounts() -> Result<()> {
    Ok(mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)?)
}

/// Mounts these layers over one another, the uppermost first, at `at`; what is written goes to `upper`, or
/// nothing can be written.
pub(crate) fn overlay(layers: &[PathBuf], upper: Option<&Path>, at: &Path) -> Result<()> {
    let lower: Vec<String> = layers.iter().map(|path| path.display().to_string()).collect();
    let mut options = format!("lowerdir={}", lower.join(":"));
    fs::create_dir_all(at)?;
    if let Some(upper) = upper {
        let work = upper.with_extension("work");
        fs::create_dir_all(upper)?;
        fs::create_dir_all(&work)?;
        options += &format!(",upperdir={},workdir={}", upper.display(), work.display());
    }
    let options = CString::new(options)?;
    mount("overlay", at, "overlay", MountFlags::empty(), options.as_c_str())
        .context("cannot mount an overlay file system")
}

/// Gives programs in `root` their `/proc` and `/dev`.
pub(super) fn furnish(root: &Path) -> Result<()> {
    mount("proc", root.join("proc"), "proc", MountFlags::empty(), None)?;
    Ok(mount_bind_recursive("/dev", root.join("dev"))?)
}

/// Takes away what [`furnish`] gave, and `root` itself.
pub(super) fn clear(root: &Path) -> Result<()> {
    for mounted in ["dev", "proc", ""] {
        unmount(root.join(mounted), UnmountFlags::DETACH)?;
    }
    fs::remove_dir(root).context("cannot remove the mount point")
}

/// Copies the pocket NixOS's source into `root`.
pub(super) fn copy_source(root: &Path) -> Result<()> {
    let source = source();
    for file in files(&source)? {
        let to = root.join(SOURCE).join(file.strip_prefix(&source)?);
        fs::create_dir_all(to.parent().context("a file has a directory")?)?;
        fs::copy(&file, &to).with_context(|| format!("cannot copy {}", file.display()))?;
    }
    Ok(())
}

/// Builds a system of the pocket's flake, makes it generation 1 and the boot default.
pub(super) fn install(root: &Path, system: &str) -> Result<()> {
    let flake = format!("path:/{SOURCE}#nixosConfigurations.{system}.config.system.build.toplevel");
    let built =
        chroot(root, "nix").args(["build", "--quiet", "--no-link", "--print-out-paths", &flake]).run()?;
    let toplevel = built.stdout_text();
    fs::write(root.join("etc/NIXOS"), "").context("cannot mark the root as a NixOS")?;
    chroot(root, "nix-env").args(["--profile", "/nix/var/nix/profiles/system", "--set", &toplevel]).run()?;
    let switch = format!("{toplevel}/bin/switch-to-configuration");
    chroot(root, &switch).arg("boot").env("NIXOS_INSTALL_BOOTLOADER", "1").run()?;
    Ok(())
}

/// Moves what is in the root's `/boot` to `boot`, beside it.
pub(super) fn take_boot(root: &Path, boot: &Path) -> Result<()> {
    Command::new("cp").arg("-a").args([&root.join("boot"), boot]).run()?;
    Command::new("find").arg(root.join("boot")).args(["-mindepth", "1", "-delete"]).run()?;
    Ok(())
}

/// A program of the image, in the image.
pub(super) fn chroot(root: &Path, program: &str) -> Command {
    Command::new("chroot")
        .arg(root)
        .arg(program)
        .env_clear()
        .env("HOME", "/root")
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
}
