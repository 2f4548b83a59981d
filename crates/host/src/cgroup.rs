//! The control group of a unit: whether it has processes, and how to end them, without asking systemd.

use std::{
    fs, io,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use activate::SwitchUnit;
use rustix::process::{Pid, Signal, kill_process};

/// Where the unified hierarchy is mounted: alone, or beside older ones (`systemd` as "hybrid").
const MOUNTS: [&str; 2] = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"];
/// How often an emptying group is looked at.
const LOOK: Duration = Duration::from_millis(20);

/// The control group of a service in `system.slice`.
#[derive(Debug, Clone)]
pub(crate) struct Group {
    path: PathBuf,
    /// Whether there is a unified hierarchy at all; without one nothing can be told.
    unified: bool,
}

/// Whether this host has a unified hierarchy, alone or beside others.
pub(crate) fn is_unified() -> bool {
    mount().is_some()
}

fn mount() -> Option<&'static str> {
    MOUNTS.into_iter().find(|mount| Path::new(mount).join("cgroup.controllers").exists())
}

impl Group {
    pub(crate) fn of(unit: &str) -> Self {
        let mount = mount();
        let path = Path::new(mount.unwrap_or(MOUNTS[0])).join("system.slice").join(unit);
        Self { path, unified: mount.is_some() }
    }

    /// Whether any process is in it or below it.
    pub(crate) fn state(&self) -> SwitchUnit {
        if !self.unified {
            return SwitchUnit::Unknown;
        }
        match fs::read_to_string(self.path.join("cgroup.events")) {
            Ok(events) if events.lines().any(|line| line == "populated 1") => SwitchUnit::Running,
            Ok(_) => SwitchUnit::Absent,
            // A group that is removed while it is read answers ENODEV.
            Err(error) if error.kind() == io::ErrorKind::NotFound || error.raw_os_error() == Some(19) => {
                SwitchUnit::Absent
            }
            Err(_) => SwitchUnit::Unknown,
        }
    }

    /// Ends every process in it: SIGTERM, and SIGKILL after `grace`; returns when it is empty.
    ///
    /// # Errors
    /// If it is not empty after `grace` and `patience`.
    pub(crate) fn end(&self, grace: Duration, patience: Duration) -> io::Result<()> {
        self.signal_all(Signal::TERM);
        if self.wait_empty(grace) {
            return Ok(());
        }
        // cgroup.kill also ends what forks meanwhile (since Linux 5.14); before that there is only the list.
        if fs::write(self.path.join("cgroup.kill"), "1").is_err() {
            self.signal_all(Signal::KILL);
        }
        if self.wait_empty(patience) {
            return Ok(());
        }
        Err(io::Error::new(io::ErrorKind::TimedOut, "its processes do not end, not even by SIGKILL"))
    }

    fn wait_empty(&self, limit: Duration) -> bool {
        let start = Instant::now();
        while self.state() != SwitchUnit::Absent {
            if start.elapsed() >= limit {
                return false;
            }
            thread::sleep(LOOK);
        }
        true
    }

    fn signal_all(&self, signal: Signal) {
        for pid in self.processes(&self.path) {
            // A process that ended meanwhile is what is wanted.
            let _gone = kill_process(pid, signal);
        }
    }

    fn processes(&self, folder: &Path) -> Vec<Pid> {
        let text = fs::read_to_string(folder.join("cgroup.procs")).unwrap_or_default();
        let mut pids: Vec<Pid> =
            text.lines().filter_map(|line| line.parse().ok()).filter_map(Pid::from_raw).collect();
        let below = fs::read_dir(folder).into_iter().flatten().flatten();
        for child in below.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())) {
            pids.extend(self.processes(&child.path()));
        }
        pids
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_unified_hierarchy_nothing_is_said_to_be_absent() {
        let path = PathBuf::from("/nowhere");
        for (unified, expected) in [(true, SwitchUnit::Absent), (false, SwitchUnit::Unknown)] {
            assert_eq!(Group { path: path.clone(), unified }.state(), expected);
        }
    }
}
