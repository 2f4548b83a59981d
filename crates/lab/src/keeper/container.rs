//! A host that is a container: systemd-nspawn over an overlay, booted by the lab's own firmware.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use run::{Child, Command, Output};
use rustix::process::{Pid, Signal, kill_process};

use super::body::{Body, Boot, Ending, Running};
use super::cgroup::Cgroup;
use super::disk::Disk;
use super::firmware::{self, Choice};
use super::net;
use crate::layout::HostDir;
use crate::spec::HostSpec;
use crate::wait;

/// What systemd-nspawn ends with when the host wants to be booted again.
const REBOOT: i32 = 133;
/// How long nspawn may take until it has started the host's init.
const INIT_LIMIT: Duration = Duration::from_secs(20);

/// How long a signal may take to reach it.
const SIGNAL_LIMIT: Duration = Duration::from_secs(10);

/// A container.
pub(super) struct Container {
    spec: HostSpec,
    index: usize,
    dir: HostDir,
    disk: Disk,
    mounted: bool,
}

impl Container {
    /// A container whose disk is mounted.
    pub(super) fn new(spec: HostSpec, index: usize, dir: HostDir, disk: Disk) -> Self {
        Self { spec, index, dir, disk, mounted: true }
    }

    fn start(&self, cgroup: &Cgroup, init: &Path) -> Result<Child> {
        let console = fs::File::options().create(true).append(true).open(self.dir.console())?;
        let command = cgroup
            .enter(&self.nspawn(init))
            .env("SYSTEMD_NSPAWN_UNIFIED_HIERARCHY", "1")
            .stdout(Output::File(console.try_clone()?))
            .stderr(Output::File(console));
        Ok(command.spawn()?)
    }

    fn nspawn(&self, init: &Path) -> Command {
        let bind = format!("--bind-ro={}:/run/lab", self.dir.identity().display());
        let mut command = Command::new("systemd-nspawn")
            .args(["--quiet", "--register=no", "--keep-unit", "--kill-signal=SIGRTMIN+3"])
            .args(["--resolv-conf=off", "--timezone=off", "--link-journal=no", "--console=pipe"])
            .arg("--network-veth")
            .arg(format!("--machine={}", net::machine(self.index)))
            .arg(format!("--hostname={}", self.spec.name))
            .arg("--directory")
            .arg(self.disk.root())
            .arg(bind)
            .arg(format!("--bind={}:/sys/firmware/efi/efivars", self.dir.efivars().display()));
        if self.spec.operator
            && let Some(lab) = self.dir.path().ancestors().nth(2)
        {
            command = command.arg(format!("--bind-ro={}:/lab/bin", lab.join("bin").display()));
        }
        command.arg("--").args(self.first_words(init))
    }

    /// A system whose init is systemd itself was prepared by its initrd; there is none here, so its stand-in
    /// runs first.
    fn first_words(&self, init: &Path) -> Vec<PathBuf> {
        let prepare = init.with_file_name("prepare-root");
        let inside = self.disk.root().join(prepare.strip_prefix("/").unwrap_or(&prepare));
        if inside.exists() { vec![prepare, init.to_owned()] } else { vec![init.to_owned()] }
    }
}

impl Body for Container {
    fn boot(&mut self, cgroup: &Cgroup) -> Result<Boot> {
        if !self.mounted {
            self.disk.mount()?;
            self.mounted = true;
        }
        let (entry, init) = match firmware::choose(&self.disk.boot(), &self.dir.efivars())? {
            Choice::Entry { entry, init } => (entry, init),
            Choice::Nothing { error } => return Ok(Boot::Nothing { reason: error }),
        };
        net::unplug(self.index);
        let mut child = self.start(cgroup, &init)?;
        let Some(leader) = wait_for_init(&mut child)? else {
            // An init that ends before it was seen has panicked like any other.
            return Ok(Boot::Ended { code: child.wait()?.code(), choice: Some((entry, init)) });
        };
        let choice = Some((entry, init));
        Ok(Boot::Runs(Running { child, leader, choice, meaning: Box::new(meaning) }))
    }

    fn prepare_cut(&mut self, cgroup: &Cgroup) -> Result<()> {
        if !self.mounted {
            bail!("the power of {} is cut already", self.spec.name);
        }
        cgroup.freeze()?;
        // If the copy cannot be made the host goes on.
        self.disk.photograph().or_else(|error| cgroup.thaw().and(Err(error)))
    }

    fn cut(&mut self, cgroup: &Cgroup) -> Result<()> {
        cgroup.kill()?;
        self.disk.unmount()?;
        self.mounted = false;
        self.disk.develop()
    }

    fn break_writes(&self) -> Result<()> {
        self.disk.break_writes()
    }

    fn freeze_init(&self, leader: u32, frozen: bool) -> Result<()> {
        let pid = i32::try_from(leader).ok().and_then(Pid::from_raw).context("a process id is positive")?;
        kill_process(pid, if frozen { Signal::STOP } else { Signal::CONT })?;
        // On a busy machine the process may run on for a moment.
        let what = if frozen { "freezing the host's init" } else { "thawing the host's init" };
        wait::until_true(what, SIGNAL_LIMIT, || is_stopped(leader) == frozen)
    }
}

/// Whether a process is stopped by a signal, as `proc_pid_stat(5)` has it: the letter behind the name.
fn is_stopped(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('T'))
}

fn meaning(code: i32) -> Ending {
    match code {
        REBOOT => Ending::Reboot,
        0 => Ending::Off,
        code => Ending::Panicked(code),
    }
}

/// Waits for the host's PID 1; nothing if it has ended already.
fn wait_for_init(nspawn: &mut Child) -> Result<Option<u32>> {
    wait::until("starting the host's init", INIT_LIMIT, || match leader_of(nspawn.id()) {
        Some(leader) => Ok(Some(leader)),
        None if !nspawn.is_running() => Ok(None),
        None => Err(anyhow!("systemd-nspawn has not started it yet")),
    })
}

/// The host's PID 1: the child of nspawn that is process 1 of a namespace of its own.
fn leader_of(nspawn: u32) -> Option<u32> {
    let children = fs::read_to_string(format!("/proc/{nspawn}/task/{nspawn}/children")).ok()?;
    let is_first = |pid: &&str| {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let line = status.lines().find(|line| line.starts_with("NSpid:")).unwrap_or_default();
        let ids: Vec<&str> = line.split_whitespace().skip(1).collect();
        ids.len() > 1 && ids.last() == Some(&"1")
    };
    children.split_whitespace().find(is_first)?.parse().ok()
}
