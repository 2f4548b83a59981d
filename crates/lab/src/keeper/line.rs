//! A host's line: its cable, and what was set on it, which holds on over boots.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use run::Command;

use super::delay::Delay;
use super::net::{BRIDGE, CARD, cable, ip};
use crate::wait;

/// How long systemd-nspawn may take to make the cable.
const CABLE_LIMIT: Duration = Duration::from_secs(20);
/// How long a rate limit may queue a frame: about what a home router does.
const QUEUE: &str = "200ms";

/// The line of one host.
pub(super) struct Line {
    index: usize,
    /// Whether the host's end of the cable can be reached from here.
    both_ends: bool,
    plugged: bool,
    kbit: Option<u32>,
    delay: Option<Delay>,
}

impl Line {
    /// A line without delay or limit.
    pub(super) fn new(index: usize) -> Self {
        Self { index, both_ends: true, plugged: true, kbit: None, delay: None }
    }

    /// The line of a virtual machine: its end of the cable is its own.
    pub(super) fn of_vm(index: usize) -> Self {
        Self { both_ends: false, ..Self::new(index) }
    }

    /// Connects the cable that systemd-nspawn made for this boot; `init` is the host's PID 1. A host that has
    /// ended meanwhile has no cable any more, and that is no failure of the line.
    pub(super) fn connect(&self, init: u32) -> Result<()> {
        let cable = cable(self.index);
        wait::until("making the host's cable", CABLE_LIMIT, || {
            unless_ended(init, ip(&["link", "show", "dev", &cable]))
        })?;
        let connected = self.join().and_then(|()| self.apply_plug()).and_then(|()| self.apply_rate(init));
        unless_ended(init, connected)
    }

    /// Pulls or plugs the cable.
    pub(super) fn plug(&mut self, plugged: bool) -> Result<()> {
        self.plugged = plugged;
        self.apply_plug()
    }

    /// Limits each direction to so many kbit/s, or lifts the limit.
    pub(super) fn limit(&mut self, init: u32, kbit: Option<u32>) -> Result<()> {
        self.kbit = kbit;
        self.apply_rate(init)
    }

    /// Delays every frame by so many milliseconds in each direction, or not.
    pub(super) fn delay(&mut self, ms: Option<u32>) -> Result<()> {
        // The old one goes first: both use the same interfaces.
        self.delay = None;
        self.delay = ms.map(|ms| Delay::start(self.index, ms)).transpose()?;
        self.join()
    }

    /// Puts the cable on the lab's bridge, or on that of the delay.
    fn join(&self) -> Result<()> {
        let bridge = self.delay.as_ref().map_or(BRIDGE, Delay::bridge);
        ip(&["link", "set", &cable(self.index), "master", bridge])
    }

    fn apply_plug(&self) -> Result<()> {
        ip(&["link", "set", &cable(self.index), if self.plugged { "up" } else { "down" }])
    }

    /// Limits both directions: towards the host on our end of the cable, from it on its card.
    fn apply_rate(&self, init: u32) -> Result<()> {
        if !self.both_ends {
            ensure!(self.kbit.is_none(), "the rate of a virtual machine's line cannot be limited");
            return Ok(());
        }
        let init = init.to_string();
        let inside = Command::new("nsenter").args(["--target", &init, "--net", "--", "tc"]);
        set_bucket(Command::new("tc"), &cable(self.index), self.kbit)?;
        set_bucket(inside, CARD, self.kbit)
    }
}

/// Forgives what failed because the process is gone, or is only waiting to be reaped.
fn unless_ended(pid: u32, result: Result<()>) -> Result<()> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let runs = status.lines().any(|line| line.starts_with("State:") && !line.contains('Z'));
    if runs { result } else { Ok(()) }
}

fn set_bucket(tc: Command, device: &str, kbit: Option<u32>) -> Result<()> {
    let Some(kbit) = kbit else {
        // Without a limit there is nothing to delete, and that is as asked.
        tc.args(["qdisc", "delete", "dev", device, "root"]).output()?;
        return Ok(());
    };
    let (rate, burst) = (format!("{kbit}kbit"), kbit.saturating_mul(2).max(4000).to_string());
    tc.args(["qdisc", "replace", "dev", device, "root", "tbf", "rate", &rate, "burst", &burst])
        .args(["latency", QUEUE])
        .run()
        .context("the kernel may lack the token bucket filter (module `sch_tbf`)")?;
    Ok(())
}
