//! What a host is made of: a container or a virtual machine, behind what the power switch needs of it.

use std::path::PathBuf;

use anyhow::Result;
use run::Child;

use super::cgroup::Cgroup;

/// The thing that boots, ends and loses its power.
pub(super) trait Body: Send {
    /// Boots what its boot file system names.
    fn boot(&mut self, cgroup: &Cgroup) -> Result<Boot>;

    /// Gets ready for a power cut; until this has worked nothing has happened.
    fn prepare_cut(&mut self, cgroup: &Cgroup) -> Result<()>;

    /// Cuts the power: what was not synced is lost.
    fn cut(&mut self, cgroup: &Cgroup) -> Result<()>;

    /// Makes its disk take no more writes.
    fn break_writes(&self) -> Result<()>;

    /// Stops what would be its PID 1, or lets it go on.
    fn freeze_init(&self, leader: u32, frozen: bool) -> Result<()>;
}

/// What became of switching a host on.
pub(super) enum Boot {
    /// The firmware found nothing it can start.
    Nothing { reason: String },
    /// Its init ended before anybody saw it.
    Ended { code: i32, choice: EntryAndInit },
    /// It runs.
    Runs(Running),
}

/// The boot entry and its init, where the firmware is ours.
pub(super) type EntryAndInit = Option<(String, PathBuf)>;

/// A host that runs.
pub(super) struct Running {
    /// The process that lives as long as the host is on.
    pub(super) child: Child,
    /// The process that stands for the host: its PID 1, or its virtual machine.
    pub(super) leader: u32,
    /// What it was booted by.
    pub(super) choice: EntryAndInit,
    /// What the end of the child means.
    pub(super) meaning: Box<dyn FnOnce(i32) -> Ending + Send>,
}

/// How a host ended by itself.
pub(super) enum Ending {
    /// It wants to be booted again.
    Reboot,
    /// It switched itself off.
    Off,
    /// It ended otherwise, with this exit code.
    Panicked(i32),
}
