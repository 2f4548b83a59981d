//! A lab cannot leak: however its owner ends, no process, mount, interface or loop device is left.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use lab::wait;
use run::{Command, Output};

/// Whatever of this machine still belongs to the lab in `dir`.
fn left_of(dir: &Path) -> Result<Vec<String>> {
    let dir = dir.to_str().context("the lab's directory has a plain name")?;
    let mut left = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let path = entry?.path();
        let mentions = |file: &str| fs::read(path.join(file)).is_ok_and(|b| contains(&b, dir.as_bytes()));
        // A command line or a mount table that names the lab; this test's own names it nowhere.
        if path.join("cmdline").exists() && (mentions("cmdline") || mentions("mounts")) {
            left.push(format!("process {}", path.display()));
        }
    }
    let loops = Command::new("losetup").args(["--list", "--noheadings", "--output", "BACK-FILE"]).run()?;
    left.extend(
        loops.stdout_text().lines().filter(|line| line.contains(dir)).map(|line| format!("loop {line}")),
    );
    let id = Path::new(dir).file_name().context("a lab has a name")?;
    let roots = ["", "unified", "systemd", "memory"].map(|root| Path::new("/sys/fs/cgroup").join(root));
    let groups = roots.iter().map(|root| root.join("lockstep-lab").join(id));
    // An interface lives as long as a process of its namespace, so these stand for the interfaces, too.
    left.extend(
        groups.filter(|group| holds_processes(group)).map(|group| format!("group {}", group.display())),
    );
    Ok(left)
}

fn holds_processes(group: &Path) -> bool {
    let procs = fs::read_to_string(group.join("cgroup.procs"));
    let below = fs::read_dir(group).into_iter().flatten().flatten().map(|entry| entry.path());
    procs.is_ok_and(|procs| !procs.is_empty())
        || below.into_iter().any(|path| path.is_dir() && holds_processes(&path))
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

/// Brings a lab up in a process of its own that ends in the given way; returns the lab's directory.
fn hold(ending: &str) -> Result<std::path::PathBuf> {
    let (ours, theirs) = UnixStream::pair()?;
    let output = Output::File(std::os::fd::OwnedFd::from(theirs).into());
    let mut owner = Command::new(env!("CARGO_BIN_EXE_lab")).args(["hold", ending]).stdout(output).spawn()?;
    let mut line = String::new();
    BufReader::new(ours).read_line(&mut line)?;
    let dir = std::path::PathBuf::from(line.trim_end());
    ensure!(dir.is_absolute(), "no lab came up: {:?}", owner.wait());
    if ending == "killed" {
        ensure!(!left_of(&dir)?.is_empty(), "a living lab is not seen, so a leak would not be either");
        owner.kill();
    }
    let _status = owner.wait()?;
    Ok(dir)
}

fn leaves_nothing(ending: &str) -> Result<()> {
    let dir = hold(ending)?;
    wait::until("everything of the lab to be gone", Duration::from_secs(10), || {
        let left = left_of(&dir)?;
        ensure!(left.is_empty(), "left: {left:?}");
        Ok(())
    })
}

#[test]
fn a_lab_whose_owner_ends_leaves_nothing() -> Result<()> {
    leaves_nothing("ok")
}

#[test]
fn a_lab_whose_owner_panics_leaves_nothing() -> Result<()> {
    leaves_nothing("panic")
}

#[test]
fn a_lab_whose_owner_aborts_leaves_nothing() -> Result<()> {
    leaves_nothing("abort")
}

#[test]
fn a_lab_whose_owner_is_killed_leaves_nothing() -> Result<()> {
    leaves_nothing("killed")
}
