//! Who holds a lock that outlived the program which took it: a `flock` is inherited by every child that is not told
//! to close it.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
};

use rustix::process::{Pid, Signal, kill_process};

/// The program that takes the lock.
const TAKER: &str = "switch-to-configuration";

/// A process that has a file open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Holder {
    pid: Pid,
    /// Its command line, words separated by spaces.
    command: String,
}

impl fmt::Display for Holder {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// Longest command line that is told, in characters.
        const LONGEST: usize = 100;
        let command: String = self.command.chars().take(LONGEST).collect();
        write!(out, "process {} ({command})", self.pid.as_raw_nonzero())
    }
}

/// The processes that have a file open.
pub(crate) fn of(file: &Path) -> Vec<Holder> {
    let Ok(file) = fs::canonicalize(file) else { return Vec::new() };
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten().map(|entry| entry.path());
    processes.filter_map(|process| holder(&process, &file)).collect()
}

fn holder(process: &Path, file: &PathBuf) -> Option<Holder> {
    let pid = Pid::from_raw(process.file_name()?.to_str()?.parse().ok()?)?;
    let mut open = fs::read_dir(process.join("fd")).ok()?.flatten();
    let holds = open.any(|entry| fs::read_link(entry.path()).is_ok_and(|target| target == *file));
    let words = fs::read(process.join("cmdline")).ok()?;
    let words = String::from_utf8_lossy(&words);
    let command = words.split('\0').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    holds.then_some(Holder { pid, command })
}

/// Ends what inherited the lock, unless a run of the program that takes it is among the holders: then it is that one's,
/// and its children's.
pub(crate) fn end_heirs(file: &Path) {
    let holders = of(file);
    if holders.iter().any(|holder| holder.command.contains(TAKER)) {
        return;
    }
    for holder in holders {
        // One that ended meanwhile is what is wanted.
        let _gone = kill_process(holder.pid, Signal::KILL);
    }
}
