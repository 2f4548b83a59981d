//! One host: its power, its cable, and what happens when it ends by itself.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use anyhow::{Result, anyhow, bail};

use super::body::{Body, Boot, Ending, Running};
use super::cgroup::Cgroup;
use super::line::Line;
use crate::spec::{HostSpec, Spec};
use crate::wire::{Action, HostStatus, Power};

/// A host.
pub(super) struct Machine {
    spec: HostSpec,
    index: usize,
    cgroup: Cgroup,
    state: Mutex<State>,
}

struct State {
    body: Box<dyn Body>,
    power: Power,
    boots: u32,
    entry: Option<String>,
    init: Option<PathBuf>,
    line: Line,
}

impl Machine {
    /// A host that is switched off.
    pub(super) fn new(spec: HostSpec, index: usize, body: Box<dyn Body>, cgroup: Cgroup) -> Result<Self> {
        let line = if spec.vm.is_some() { Line::of_vm(index) } else { Line::new(index) };
        if spec.vm.is_none() {
            cgroup.limit_memory(spec.memory_mib)?;
        }
        let state = State { body, power: Power::Off, boots: 0, entry: None, init: None, line };
        Ok(Self { spec, index, cgroup, state: Mutex::new(state) })
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
            Action::Memory { mib } => self.limit_memory(*mib),
            Action::BreakDisk => self.state().body.break_writes(),
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
        self.cgroup.renew()?;
        let running = match state.body.boot(&self.cgroup)? {
            Boot::Nothing { reason } => {
                state.power = Power::NothingToBoot { reason };
                return Ok(());
            }
            Boot::Ended { code, choice } => {
                state.boots += 1;
                (state.entry, state.init) = choice.unzip();
                state.power = Power::Panicked { code };
                return Ok(());
            }
            Boot::Runs(running) => running,
        };
        state.boots += 1;
        (state.entry, state.init) = running.choice.clone().unzip();
        let leader = running.leader;
        state.power = Power::On { init: leader };
        let (machine, boot) = (self.clone(), state.boots);
        thread::spawn(move || machine.follow(running, boot));
        state.line.connect(leader)
    }

    /// Waits for the end of one boot, and boots again if that is what the host wanted.
    fn follow(self: Arc<Self>, running: Running, boot: u32) {
        let code = running.child.wait().map_or(-1, |finished| finished.code());
        let ending = (running.meaning)(code);
        let mut state = self.state();
        let ended_by_itself = state.boots == boot && matches!(state.power, Power::On { .. });
        if !ended_by_itself {
            return;
        }
        state.power = match ending {
            Ending::Reboot | Ending::Off => Power::Off,
            Ending::Panicked(code) => Power::Panicked { code },
        };
        if matches!(ending, Ending::Reboot)
            && let Err(error) = self.boot(&mut state)
        {
            state.power = Power::NothingToBoot { reason: format!("{error:#}") };
        }
    }

    fn cut_power(&self) -> Result<()> {
        let mut state = self.state();
        state.body.prepare_cut(&self.cgroup)?;
        state.power = Power::Cut;
        state.body.cut(&self.cgroup)
    }

    fn on_line(&self, change: impl FnOnce(&mut Line, u32) -> Result<()>) -> Result<()> {
        let mut state = self.state();
        let init = self.running(&state)?;
        change(&mut state.line, init)
    }

    fn limit_memory(&self, mib: Option<u64>) -> Result<()> {
        if self.spec.vm.is_some() {
            bail!("the memory of a virtual machine is what it was made with");
        }
        self.cgroup.limit_memory(mib)
    }

    fn freeze_init(&self, frozen: bool) -> Result<()> {
        let state = self.state();
        state.body.freeze_init(self.running(&state)?, frozen)
    }

    fn running(&self, state: &State) -> Result<u32> {
        match state.power {
            Power::On { init } => Ok(init),
            _ => Err(anyhow!("{} is not running", self.spec.name)),
        }
    }
}
