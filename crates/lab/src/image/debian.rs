//! The lower part of an image: a small Debian with systemd, OpenSSH and Nix, made by debootstrap.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use run::Command;

use super::key::Key;
use super::{Suite, build_beside};
use crate::layout::Layout;

/// What a host is made of. Everything the pocket NixOS runs comes from these. (The two Perl packages are
/// what `nix-bin` needs through a virtual package, which debootstrap does not follow.)
const PACKAGES: [&str; 27] = [
    "busybox-static",
    "ca-certificates",
    "curl",
    "dbus",
    "dbus-user-session",
    "fdisk",
    "git",
    "iproute2",
    "iputils-ping",
    "kmod",
    "less",
    "libdbd-sqlite3-perl",
    "libdbi-perl",
    "libfaketime",
    "libpam-systemd",
    "nftables",
    "nix-bin",
    "openssh-server",
    "procps",
    "psmisc",
    "python3",
    "sudo",
    "systemd",
    "systemd-container",
    "systemd-sysv",
    "xz-utils",
    "zstd",
];

/// Nix as the hosts use it: no sandbox, since the builders are the image's own programs, and no network.
const NIX_CONF: &str = "\
build-users-group =
experimental-features = nix-command flakes
flake-registry =
sandbox = false
substituters =
";

/// Raised when a step below changes in a way that the lists above do not show.
const RECIPE: &str = "2";

pub(super) fn directory(layout: &Layout, suite: Suite) -> PathBuf {
    let key = Key::new().text(RECIPE).text(suite.name()).text(&PACKAGES.join(",")).text(NIX_CONF).finish();
    layout.images().join(format!("{}-{key}", suite.name()))
}

pub(super) fn build(suite: Suite, target: &Path) -> Result<()> {
    let mirror = mirror()?;
    build_beside(target, |part| {
        let root = part.join("root");
        // In namespaces of its own: what it mounts goes with it, however it ends.
        Command::new("unshare")
            .args(["--mount", "--pid", "--fork", "--kill-child", "debootstrap", "--variant=minbase"])
            .args([&format!("--include={}", PACKAGES.join(",")), suite.name()])
            .arg(&root)
            .arg(&mirror)
            .run()
            .with_context(|| why(suite, &root))?;
        settle(&root)
    })
}

fn why(suite: Suite, root: &Path) -> String {
    let log = fs::read_to_string(root.join("debootstrap/debootstrap.log")).unwrap_or_default();
    let last: Vec<&str> = log.lines().rev().take(12).collect();
    let last: Vec<&str> = last.into_iter().rev().collect();
    format!("debootstrap could not make the {} image; its log ends with:\n{}", suite.name(), last.join("\n"))
}

/// What every host has in common, before there is a NixOS on it.
fn settle(root: &Path) -> Result<()> {
    fs::create_dir_all(root.join("etc/nix"))?;
    fs::write(root.join("etc/nix/nix.conf"), NIX_CONF)?;
    for path in ["etc/machine-id", "etc/hostname", "etc/ssh/ssh_host_rsa_key", "etc/resolv.conf"] {
        remove_if_there(&root.join(path))?;
    }
    for entry in fs::read_dir(root.join("etc/ssh"))? {
        let path = entry?.path();
        if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("ssh_host_")) {
            fs::remove_file(&path)?;
        }
    }
    // What runs is decided by the systems, not by Debian's presets.
    for dir in ["etc/systemd/system", "etc/systemd/user"] {
        fs::remove_dir_all(root.join(dir)).with_context(|| format!("cannot remove {dir}"))?;
    }
    for dir in ["var/cache/apt/archives", "var/lib/apt/lists", "usr/share/doc", "usr/share/locale"] {
        let dir = root.join(dir);
        fs::remove_dir_all(&dir).with_context(|| format!("cannot clear {}", dir.display()))?;
        fs::create_dir_all(&dir)?;
    }
    Ok(())
}

fn remove_if_there(path: &Path) -> Result<()> {
    if path.symlink_metadata().is_ok() {
        fs::remove_file(path).with_context(|| format!("cannot remove {}", path.display()))?;
    }
    Ok(())
}

/// The mirror that this machine itself takes Debian's packages from.
fn mirror() -> Result<String> {
    let targets = Command::new("apt-get")
        .args(["indextargets", "--format", "$(REPO_URI) $(LABEL) $(COMPONENT)", "Created-By: Packages"])
        .run()
        .context("this machine's package sources cannot be read")?;
    let text = targets.stdout_text();
    pick_mirror(&text).context("apt knows no Debian mirror; run `apt-get update` first").map(str::to_owned)
}

/// The first that debootstrap can use: it knows neither apt's mirror lists nor its discs.
fn pick_mirror(targets: &str) -> Option<&str> {
    let mirrors = targets.lines().filter_map(|line| line.strip_suffix(" Debian main"));
    mirrors.into_iter().find(|uri| ["http:", "https:", "file:"].iter().any(|scheme| uri.starts_with(scheme)))
}

#[cfg(test)]
mod tests {
    use super::pick_mirror;

    #[test]
    fn the_mirror_is_debians_own_not_the_security_archive() {
        let cases = [
            ("safe: Debian-Security main\nhttps:mirror Debian main", Some("https:mirror")),
            ("other: nodesource main\nmirror: Debian contrib", None),
            ("cdrom:disc Debian main\nfile:mirror Debian main", Some("file:mirror")),
            ("", None),
        ];
        for (targets, expected) in cases {
            assert_eq!(pick_mirror(targets), expected, "{targets}");
        }
    }
}
