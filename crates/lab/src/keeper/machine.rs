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
use super::disk::Disk;
use super::firmware::{self, Choice};
use super::line::Line;
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
    mounted: bool,
    boots: u32,
    entry: Option<String>,
    init: Option<PathBuf>,
    line: Line,
}

impl Machine {
    /// A host that is switched off; its disk is mounted.
    pub(super) fn new(
        spec: HostSpec,
        index: usize,
        dir: HostDir,
        disk: Disk,
        cgroup: Cgroup,
    ) -> Result<Self> {
        cgroup.limit_memory(spec.memory_mib)?;
        let line = Line::new(index);
        let state = State { power: Power::Off, mounted: true, boots: 0, entry: None, init: None, line };
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
            Action::Link { up } => self.on_line(|line, _| line.plug(*up)),
            Action::Rate { kbit } => self.on_line(|line, init| line.limit(init, *kbit)),
            Action::Delay { ms } => self.on_line(|line, _| line.delay(*ms)),
            Action::Memory { mib } => self.cgroup.limit_memory(*mib),
            Action::BreakDisk => self.disk.break_writes(),
            Action::FreezeInit { frozen } => self.freeze_init(*frozen),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Its name.
    pub(super) fn name(&self) -> &str {
        &self.spec.name
    }

    /// Boots what the boot file system names.
    pub(super) fn power_on(self: &Arc<Self>) -> Result<()> {
        let mut state = self.state();
        match state.power {
            Power::On { .. } => bail!("{} is on", self.spec.name),
            Power::Panicked { .. } => {
                bail!("{} has panicked and stays down until its power is cut", self.spec.name)
            }
            Power::Off | Power::Cut | Power::NothingToBoot { .. } => self.boot(&mut state),
        }
    }

    fn boot(self: &Arc<Self>, state: &mut State) -> Result<()> {
        if !state.mounted {
            self.disk.mount()?;
            state.mounted = true;
        }
        self.cgroup.renew()?;
        let (entry, init) = match firmware::choose(&self.disk.boot(), &self.dir.efivars())? {
            Choice::Entry { entry, init } => (entry, init),
            Choice::Nothing { error } => {
                state.power = Power::NothingToBoot { reason: error };
                return Ok(());
            }
        };
        let mut child = self.start(&init)?;
        state.boots += 1;
        state.entry = Some(entry);
        state.init = Some(init);
        let Some(leader) = wait_for_init(&mut child)? else {
            // An init that ends before it was seen has panicked like any other.
            state.power = Power::Panicked { code: child.wait()?.code() };
            return Ok(());
        };
        state.power = Power::On { init: leader };
        let (machine, boot) = (self.clone(), state.boots);
        thread::spawn(move || machine.follow(child, boot));
        state.line.connect(leader)
    }

    fn start(&self, init: &Path) -> Result<Child> {
        let console = fs::File::options().create(true).append(true).open(self.dir.console())?;
        // Not by its path: the program may be built anew while a lab is up.
        let mut command = Command::new("/proc/self/exe").arg("enter-groups");
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
        if state.power == Power::Cut && !state.mounted {
            bail!("the power of {} is cut already", self.spec.name);
        }
        self.cgroup.freeze()?;
        if let Err(error) = self.disk.photograph() {
            // Nothing has happened yet; the host goes on.
            self.cgroup.thaw()?;
            return Err(error);
        }
        state.power = Power::Cut;
        self.cgroup.kill()?;
        self.disk.unmount()?;
        state.mounted = false;
        self.disk.develop()
    }

    fn on_line(&self, change: impl FnOnce(&mut Line, u32) -> Result<()>) -> Result<()> {
        let mut state = self.state();
        let init = self.running(&state)?;
        change(&mut state.line, init)
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
