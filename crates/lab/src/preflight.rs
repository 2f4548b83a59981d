//! What the machine must offer for a lab, each with what to do where it does not.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use run::Command;
use rustix::fs::statvfs;
use rustix::process::geteuid;

/// Programs the lab runs, with the Debian package that has them.
const PROGRAMS: [(&str, &str); 19] = [
    ("apt-get", "apt"),
    ("chroot", "coreutils"),
    ("cp", "coreutils"),
    ("debootstrap", "debootstrap"),
    ("dpkg-deb", "dpkg"),
    ("find", "findutils"),
    ("ip", "iproute2"),
    ("kill", "procps"),
    ("mke2fs", "e2fsprogs"),
    ("mount", "mount"),
    ("nsenter", "util-linux"),
    ("python3", "python3"),
    ("ssh", "openssh-client"),
    ("ssh-keygen", "openssh-client"),
    ("systemd-nspawn", "systemd-container"),
    ("tar", "tar"),
    ("tc", "iproute2"),
    ("umount", "mount"),
    ("unshare", "util-linux"),
];

/// File systems the kernel must know.
const FILE_SYSTEMS: [&str; 3] = ["ext4", "overlay", "tmpfs"];

/// What must exist below `/dev` for hosts to have disks and networks.
const DEVICES: [(&str, &str); 2] = [
    ("/dev/loop-control", "loop devices (module `loop`)"),
    ("/dev/net/tun", "tap interfaces (module `tun`)"),
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
    load_modules();
    missing.extend(missing_file_systems(&known_file_systems()));
    for (path, what) in DEVICES {
        if !Path::new(path).exists() {
            missing.push(format!("the kernel offers no {what}: {path} does not exist"));
        }
    }
    missing.extend(missing_control_groups(Path::new("/sys/fs/cgroup")));
    if let Err(error) = enough_space(root) {
        missing.push(format!("{error:#}"));
    }
    missing
}

/// How many inotify instances the programs of one user may have.
const INOTIFY: &str = "/proc/sys/fs/inotify/max_user_instances";
/// Enough of them for many labs.
const INSTANCES: usize = 8192;

/// Fails with all that is missing, one item a line.
pub fn check(root: &Path) -> Result<()> {
    let missing = missing(root);
    if missing.is_empty() {
        return Ok(());
    }
    Err(anyhow::anyhow!("this machine cannot run a lab:\n- {}", missing.join("\n- ")))
}

/// Makes room for the inotify instances of so many hosts: each takes some seven, and many kernels grant 128 to all of
/// a user. Like a module that is loaded this lasts until the machine's next boot.
pub fn make_room_for(hosts: usize) -> Result<()> {
    let limit = fs::read_to_string(INOTIFY).ok().and_then(|text| text.trim().parse::<usize>().ok());
    if limit.is_none_or(|limit| limit >= INSTANCES) || fs::write(INOTIFY, INSTANCES.to_string()).is_ok() {
        return Ok(());
    }
    let least = hosts.saturating_mul(8);
    anyhow::ensure!(
        limit.is_none_or(|limit| limit >= least),
        "{hosts} hosts need {least} inotify instances: `sysctl fs.inotify.max_user_instances={INSTANCES}`"
    );
    Ok(())
}

/// Many kernels have overlay, loop and tun as modules that are loaded when first asked for: ask.
fn load_modules() {
    let known = known_file_systems();
    let absent = missing_file_systems(&known);
    let wanted = FILE_SYSTEMS.iter().filter(|name| absent.iter().any(|line| line.contains(**name)));
    let devices = DEVICES.iter().zip(["loop", "tun"]).filter(|((path, _), _)| !Path::new(path).exists());
    for module in wanted.copied().chain(devices.map(|(_, module)| module)) {
        // What cannot be loaded is named below as missing.
        let _loaded = Command::new("modprobe").args(["--quiet", module]).output();
    }
}

fn known_file_systems() -> String {
    fs::read_to_string("/proc/filesystems").unwrap_or_default()
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

/// Freezing and killing need cgroup v2, at the root or beside v1; memory may be limited by either.
fn missing_control_groups(root: &Path) -> Vec<String> {
    let controllers = |dir: &str| fs::read_to_string(root.join(dir).join("cgroup.controllers"));
    let Ok(unified) = controllers("unified").or_else(|_| controllers("")) else {
        return vec![format!("no cgroup v2 tree is mounted at {0} or {0}/unified", root.display())];
    };
    if unified.split_whitespace().any(|name| name == "memory") || root.join("memory").exists() {
        return Vec::new();
    }
    vec![format!("the kernel offers no `memory` control group below {}", root.display())]
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
    fn control_groups_of_both_versions_will_do() -> Result<()> {
        let root = std::env::temp_dir().join(format!("lab-groups-{}", std::process::id()));
        let cases: [(&[(&str, &str)], &str); 4] = [
            (&[], "no cgroup v2 tree is mounted"),
            (&[("cgroup.controllers", "cpu memory pids")], ""),
            (&[("cgroup.controllers", "cpu pids")], "the kernel offers no `memory`"),
            (&[("unified/cgroup.controllers", ""), ("memory/cgroup.procs", "")], ""),
        ];
        for (files, expected) in cases {
            for (file, content) in files {
                let path = root.join(file);
                fs::create_dir_all(path.parent().context("a file has a directory")?)?;
                fs::write(path, content)?;
            }
            let missing = missing_control_groups(&root).join("");
            assert!(missing.starts_with(expected) && missing.is_empty() == expected.is_empty(), "{missing}");
            if root.exists() {
                fs::remove_dir_all(&root)?;
            }
        }
        Ok(())
    }

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
