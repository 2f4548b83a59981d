//! One host: its disk, its power, its cable, and what happens when its init ends.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use run::{Child, Command, Output};
use rustix::process::{Pid, Signal, kill_process};

use super::cgroup::Cgroup;
use super::delay::Delay;
use super::disk::Disk;
use super::firmware::{self, Choice};
use super::net;
use crate::layout::HostDir;
use crate::spec::{HostSpec, Spec};
use crate::wait;
use crate::wire::{Action, HostStatus, Power};

/// What systemd-nspawn ends with when the host wants to be booted again.
const REBOOT: i32 = 133;
/// How long nspawn may take until it has started the host's init.
const INIT_LIMIT: Duration = Duration::from_secs(20);

/// A host.
pub(super) struct Machine {
    spec: HostSpec,
    index: usize,
    dir: HostDir,
    disk: Disk,
    cgroup: Cgroup,
    state: Mutex<State>,
}

struct State {
    power: Power,
    boots: u32,
    entry: Option<String>,
    init: Option<PathBuf>,
    rate: Option<u32>,
    delay: Option<(u32, Delay)>,
}

impl Machine {
    /// A host that is switched off, its disk mounted.
    pub(super) fn new(
        spec: HostSpec,
        index: usize,
        dir: HostDir,
        disk: Disk,
        cgroup: Cgroup,
    ) -> Result<Self> {
        disk.mount()?;
        cgroup.limit_memory(spec.memory_mib)?;
        let state = State { power: Power::Off, boots: 0, entry: None, init: None, rate: None, delay: None };
        Ok(Self { spec, index, dir, disk, cgroup, state: Mutex::new(state) })
    }

    /// How it is.
    pub(super) fn status(&self) -> HostStatus {
        let state = self.state();
        HostStatus {
            name: self.spec.name.clone(),
            address: Spec::address(self.index),
            power: state.power.clone(),
            boots: state.boots,
            entry: state.entry.clone(),
            init: state.init.as_ref().map(|path| path.display().to_string()),
        }
    }

    /// Does what was asked.
    pub(super) fn perform(self: &Arc<Self>, action: &Action) -> Result<()> {
        match action {
            Action::CutPower => self.cut_power(),
            Action::PowerOn => self.power_on(),
            Action::Link { up } => net::plug(self.index, *up),
            Action::Rate { kbit } => self.limit_rate(*kbit),
            Action::Delay { ms } => self.set_delay(*ms),
            Action::Memory { mib } => self.cgroup.limit_memory(*mib),
            Action::BreakDisk => self.disk.break_writes(),
            Action::FreezeInit { frozen } => self.freeze_init(*frozen),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Boots what the boot file system names.
    pub(super) fn power_on(self: &Arc<Self>) -> Result<()> {
        let mut state = self.state();
        if matches!(state.power, Power::On { .. }) {
            bail!("{} is on", self.spec.name);
        }
        if state.power == Power::Cut {
            self.disk.mount()?;
        }
        self.boot(&mut state)
    }

    fn boot(self: &Arc<Self>, state: &mut State) -> Result<()> {
        self.cgroup.renew()?;
        let (entry, init) = match firmware::choose(&self.disk.boot())? {
            Choice::Entry { entry, init } => (entry, init),
            Choice::Nothing { error } => {
                state.power = Power::NothingToBoot { reason: error };
                return Ok(());
            }
        };
        let child = self.start(&init)?;
        let leader = wait::until("starting the host's init", INIT_LIMIT, || leader_of(&child))?;
        state.power = Power::On { init: leader };
        state.boots += 1;
        state.entry = Some(entry);
        state.init = Some(init);
        self.restore_line(state, leader)?;
        let (machine, boot) = (self.clone(), state.boots);
        thread::spawn(move || machine.follow(child, boot));
        Ok(())
    }

    /// A new cable replaces the old one at each boot; what was set on the line holds on.
    fn restore_line(&self, state: &mut State, leader: u32) -> Result<()> {
        if state.delay.is_none() && state.rate.is_none() {
            return Ok(());
        }
        wait::until_true("plugging the cable in", INIT_LIMIT, || net::is_plugged(self.index))?;
        if let Some((ms, old)) = state.delay.take() {
            drop(old);
            state.delay = Some((ms, Delay::start(self.index, ms)?));
        }
        if state.rate.is_some() {
            net::limit_rate(self.index, leader, state.rate)?;
        }
        Ok(())
    }

    fn start(&self, init: &Path) -> Result<Child> {
        let console = fs::File::options().create(true).append(true).open(self.dir.console())?;
        let program = std::env::current_exe().context("cannot find this program")?;
        let mut command = Command::new(program).arg("enter-groups");
        for group in self.cgroup.directories() {
            command = command.arg("--group").arg(group);
        }
        let command = command.arg("--").wrapping(&self.container(init));
        let command = command
            .env("SYSTEMD_NSPAWN_UNIFIED_HIERARCHY", "1")
            .stdout(Output::File(console.try_clone()?))
            .stderr(Output::File(console));
        Ok(command.spawn()?)
    }

    fn container(&self, init: &Path) -> Command {
        let bind = format!("--bind-ro={}:/run/lab", self.dir.identity().display());
        let mut command = Command::new("systemd-nspawn")
            .args(["--quiet", "--register=no", "--keep-unit", "--kill-signal=SIGRTMIN+3"])
            .args(["--resolv-conf=off", "--timezone=off", "--link-journal=no", "--console=pipe"])
            .arg(format!("--network-bridge={}", net::BRIDGE))
            .arg(format!("--machine={}", net::machine(self.index)))
            .arg(format!("--hostname={}", self.spec.name))
            .arg("--directory")
            .arg(self.disk.root())
            .arg(bind);
        if self.spec.operator
            && let Some(lab) = self.dir.path().ancestors().nth(2)
        {
            command = command.arg(format!("--bind-ro={}:/lab/bin", lab.join("bin").display()));
        }
        command.arg("--").arg(init)
    }

    /// Waits for the end of one boot, and boots again if that is what the host wanted.
    fn follow(self: Arc<Self>, child: Child, boot: u32) {
        let code = child.wait().map_or(-1, |finished| finished.code());
        let mut state = self.state();
        let ended_by_itself = state.boots == boot && matches!(state.power, Power::On { .. });
        if !ended_by_itself {
            return;
        }
        state.power = match code {
            REBOOT | 0 => Power::Off,
            code => Power::Panicked { code },
        };
        if code == REBOOT
            && let Err(error) = self.boot(&mut state)
        {
            state.power = Power::NothingToBoot { reason: format!("{error:#}") };
        }
    }

    fn cut_power(&self) -> Result<()> {
        let mut state = self.state();
        if state.power == Power::Cut {
            bail!("the power of {} is cut already", self.spec.name);
        }
        self.cgroup.freeze()?;
        self.disk.photograph()?;
        state.power = Power::Cut;
        self.cgroup.kill()?;
        self.disk.unmount()?;
        self.disk.develop()
    }

    fn limit_rate(&self, kbit: Option<u32>) -> Result<()> {
        let mut state = self.state();
        state.rate = kbit;
        net::limit_rate(self.index, self.running(&state)?, kbit)
    }

    fn set_delay(&self, ms: Option<u32>) -> Result<()> {
        let mut state = self.state();
        self.running(&state)?;
        // The old one goes first: both use the same interfaces.
        state.delay = None;
        state.delay = ms.map(|ms| Delay::start(self.index, ms).map(|delay| (ms, delay))).transpose()?;
        Ok(())
    }

    fn freeze_init(&self, frozen: bool) -> Result<()> {
        let init = self.running(&self.state())?;
        let pid = i32::try_from(init).ok().and_then(Pid::from_raw).context("a process id is positive")?;
        Ok(kill_process(pid, if frozen { Signal::STOP } else { Signal::CONT })?)
    }

    fn running(&self, state: &State) -> Result<u32> {
        match state.power {
            Power::On { init } => Ok(init),
            _ => Err(anyhow!("{} is not running", self.spec.name)),
        }
    }
}

/// The host's PID 1: the descendant of nspawn that is process 1 of a namespace of its own.
fn leader_of(nspawn: &Child) -> Result<u32> {
    let id = nspawn.id();
    let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children"))
        .with_context(|| "systemd-nspawn ended; the host's console log says why")?;
    let is_first = |pid: &&str| {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let line = status.lines().find(|line| line.starts_with("NSpid:")).unwrap_or_default();
        let ids: Vec<&str> = line.split_whitespace().skip(1).collect();
        ids.len() > 1 && ids.last() == Some(&"1")
    };
    let found = children.split_whitespace().find(is_first).context("it has not started one yet")?;
    Ok(found.parse()?)
}
