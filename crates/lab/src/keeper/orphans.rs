//! Processes on a host whose parent outside of it was killed: the keeper inherits them and lays them to rest.
//!
//! A zombie counts as a process of its host, and a host that reboots waits 90 seconds for it.

use std::{fs, thread, time::Duration};

use rustix::process::{Pid, WaitOptions, getpid, waitpid};

/// How often they are looked for.
const LOOK: Duration = Duration::from_millis(200);

/// Lays them to rest until the keeper ends. Children of the keeper's own are left to who waits for them.
pub(super) fn reap() {
    thread::spawn(|| {
        loop {
            for orphan in orphans() {
                // One that lives is looked at again.
                let _lives = waitpid(Some(orphan), WaitOptions::NOHANG);
            }
            thread::sleep(LOOK);
        }
    });
}

/// The keeper's children that belong to a host: they have a number in a second namespace.
fn orphans() -> Vec<Pid> {
    let me = getpid().as_raw_nonzero();
    let children = fs::read_dir(format!("/proc/{me}/task")).into_iter().flatten().flatten();
    let lists = children.filter_map(|task| fs::read_to_string(task.path().join("children")).ok());
    let pids: Vec<i32> = lists
        .flat_map(|list| list.split_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<_>>())
        .collect();
    pids.into_iter().filter(|pid| is_on_a_host(*pid)).filter_map(Pid::from_raw).collect()
}

fn is_on_a_host(pid: i32) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("NSpid:")).unwrap_or_default();
    line.split_whitespace().count() > 2
}
