//! What the machine must offer for a lab, each with what to do where it does not.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use rustix::fs::statvfs;
use rustix::process::geteuid;

/// Programs the lab runs, with the Debian package that has them.
const PROGRAMS: [(&str, &str); 14] = [
    ("chroot", "coreutils"),
    ("cp", "coreutils"),
    ("debootstrap", "debootstrap"),
    ("find", "findutils"),
    ("ip", "iproute2"),
    ("mke2fs", "e2fsprogs"),
    ("mount", "mount"),
    ("nsenter", "util-linux"),
    ("ssh", "openssh-client"),
    ("ssh-keygen", "openssh-client"),
    ("systemd-nspawn", "systemd-container"),
    ("tc", "iproute2"),
    ("umount", "mount"),
    ("unshare", "util-linux"),
];

/// File systems the kernel must know.
const FILE_SYSTEMS: [&str; 3] = ["ext4", "overlay", "tmpfs"];

/// What must exist below `/dev` and `/sys` for hosts to have disks, networks and limits.
const KERNEL: [(&str, &str); 5] = [
    ("/dev/loop-control", "loop devices (module `loop`)"),
    ("/dev/net/tun", "tap interfaces (module `tun`)"),
    ("/sys/fs/cgroup/unified", "a cgroup v2 tree at /sys/fs/cgroup/unified"),
    ("/sys/fs/cgroup/freezer", "the v1 `freezer` control group"),
    ("/sys/fs/cgroup/memory", "the v1 `memory` control group"),
];

/// Free disk space a lab needs at least: its hosts' disks are sparse files.
const FREE_BYTES: u64 = 2 << 30;

/// Everything that is missing here, each item saying what to do; empty if a lab can be brought up.
#[must_use]
pub fn missing(root: &Path) -> Vec<String> {
    let mut missing = Vec::new();
    if !geteuid().is_root() {
        missing.push("the lab needs root, for namespaces and mounts: run it as root".to_owned());
    }
    missing.extend(missing_programs(&std::env::var("PATH").unwrap_or_default()));
    let known = fs::read_to_string("/proc/filesystems").unwrap_or_default();
    missing.extend(missing_file_systems(&known));
    for (path, what) in KERNEL {
        if !Path::new(path).exists() {
            missing.push(format!("the kernel offers no {what}: {path} does not exist"));
        }
    }
    if let Err(error) = enough_space(root) {
        missing.push(format!("{error:#}"));
    }
    missing
}

/// Fails with all that is missing, one item a line.
pub fn check(root: &Path) -> Result<()> {
    let missing = missing(root);
    if missing.is_empty() {
        return Ok(());
    }
    Err(anyhow::anyhow!("this machine cannot run a lab:\n- {}", missing.join("\n- ")))
}

fn missing_programs(path: &str) -> Vec<String> {
    let has = |program: &str| path.split(':').any(|dir| Path::new(dir).join(program).exists());
    let absent = PROGRAMS.iter().filter(|(program, _)| !has(program));
    absent.map(|(program, package)| format!("no `{program}` in PATH: `apt-get install {package}`")).collect()
}

fn missing_file_systems(known: &str) -> Vec<String> {
    let has = |name: &str| known.lines().any(|line| line.split_whitespace().last() == Some(name));
    let absent = FILE_SYSTEMS.iter().filter(|name| !has(name));
    absent
        .map(|name| format!("the kernel does not know the file system `{name}`: `modprobe {name}`"))
        .collect()
}

fn enough_space(root: &Path) -> Result<()> {
    let there = root.ancestors().find(|dir| dir.exists()).unwrap_or(Path::new("/"));
    let stat = statvfs(there).with_context(|| format!("cannot look at the disk of {}", there.display()))?;
    let free = stat.f_bavail * stat.f_frsize;
    anyhow::ensure!(
        free >= FREE_BYTES,
        "only {} MiB are free for {}, a lab needs {} MiB: make room, or set LOCKSTEP_LAB_DIR to another disk",
        free >> 20,
        root.display(),
        FREE_BYTES >> 20
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named_with_its_remedy() {
        let known = "nodev\ttmpfs\n\text4\n";
        let expected = ["the kernel does not know the file system `overlay`: `modprobe overlay`"];
        assert_eq!(missing_file_systems(known), expected);
        let programs = missing_programs("/does/not/exist");
        assert_eq!(programs.len(), PROGRAMS.len());
        assert!(programs.contains(&"no `tc` in PATH: `apt-get install iproute2`".to_owned()), "{programs:?}");
    }
}
