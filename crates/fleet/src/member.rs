//! The nouns: a fleet, its members, and the values that their settings are split into.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;
use std::time::Duration;

use order::{Check, HostName, NameError};

use crate::{Addresses, Argv, Origins, SshOption, Tag, WebUrl};

/// What one cheap evaluation of a description tells: names, and what is known without any configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    pub(crate) fleet: Fleet,
}

impl Index {
    /// The hosts' names, sorted.
    pub fn names(&self) -> impl Iterator<Item = &HostName> {
        self.fleet.hosts.keys()
    }

    /// The fleet. All settings of Lockstep's own description are known without a configuration.
    #[must_use]
    pub fn into_fleet(self) -> Fleet {
        self.fleet
    }
}

/// What the operator wrote, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fleet {
    /// Every host by its name.
    pub hosts: BTreeMap<HostName, Member>,
    /// Configurations that cannot be hosts, sorted by name.
    pub left_out: Vec<LeftOut>,
    /// What holds for a whole run.
    pub run: RunSettings,
}

/// A configuration that cannot be a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// Its attribute's name.
    pub name: String,
    /// Why.
    pub reason: NameError,
}

/// What holds for a whole run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RunSettings {
    /// At most so many hosts at a time; `None` is all.
    pub parallel: Option<NonZeroU32>,
    /// What follows each host's result.
    pub on_result: Option<OnResult>,
}

/// What follows each host's result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OnResult {
    /// This runs on the operator's machine.
    Command(Argv),
    /// The result is sent here.
    Webhook(WebUrl),
}

/// One host of the fleet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// How it is reached.
    pub reach: Reach,
    /// Where its system is built.
    pub build: BuildOn,
    /// Whether it fetches from its own substituters.
    pub substitute: Substitute,
    /// What travels with its orders: limits, checks tried on the host, protected units.
    pub settings: order::Settings,
    /// Checks tried from the operator's machine, sorted by name.
    pub operator_checks: Vec<Check>,
    /// How its reboots are gone about.
    pub reboot: Reboots,
    /// Its tags.
    pub tags: BTreeSet<Tag>,
    /// The hosts that it is the way to; they are activated before it. Never itself.
    pub gateway_for: BTreeSet<HostName>,
    /// Whether an operator pushes to it or it pulls.
    pub delivery: Delivery,
    /// Where each of its settings was written.
    pub origins: Origins,
}

/// How a host is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reach {
    /// Tried in this order.
    pub addresses: Addresses,
    /// Given to ssh in this order; of two with one keyword ssh takes the first.
    pub ssh_options: Vec<SshOption>,
    /// How the agent becomes root where the user is not.
    pub elevation: Elevation,
}

/// How the agent becomes root where the user is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Elevation {
    /// `sudo`.
    #[default]
    Sudo,
    /// `run0` of systemd.
    Run0,
    /// `doas`.
    Doas,
    /// Not at all: the user is root, or it fails.
    None,
}

/// Where the system of a host is built.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub enum BuildOn {
    /// On the operator's machine, with its builders.
    #[default]
    Here,
    /// On the host itself.
    Target,
    /// On another host of the fleet.
    Host(HostName),
}

/// Whether a host fetches what it lacks from its own substituters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Substitute {
    /// What they have comes from there, the rest from the operator.
    #[default]
    OnTarget,
    /// Everything comes from the operator.
    Never,
}

/// How reboots of a host are gone about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reboots {
    /// From the reboot until the host is reached again and its units have started.
    pub timeout: Duration,
    /// What a deploy does if the new system refuses to be switched to.
    pub on_inhibitor: OnInhibitor,
}

impl Default for Reboots {
    fn default() -> Self {
        Self { timeout: Duration::from_secs(600), on_inhibitor: OnInhibitor::default() }
    }
}

/// What a deploy does if the new system refuses to be switched to, since only a reboot can bring what changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum OnInhibitor {
    /// It fails.
    #[default]
    Fail,
    /// The next boot brings the new system, unguarded.
    Boot,
    /// The host is rebooted into the new system, guarded.
    Reboot,
}

/// Who begins a deploy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Delivery {
    /// An operator, over ssh.
    #[default]
    Push,
    /// The host, by itself.
    Pull,
}

/// The words of a setting with a fixed set of values.
pub(crate) trait Word: Sized + Copy + PartialEq + 'static {
    /// Every value with its word, in the order in which they are listed.
    const WORDS: &'static [(&'static str, Self)];

    /// The word of this value.
    fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(_, value)| *value == self).map_or("", |(word, _)| word)
    }
}

impl Word for Elevation {
    const WORDS: &'static [(&'static str, Self)] =
        &[("sudo", Self::Sudo), ("run0", Self::Run0), ("doas", Self::Doas), ("none", Self::None)];
}

impl Word for OnInhibitor {
    const WORDS: &'static [(&'static str, Self)] =
        &[("fail", Self::Fail), ("boot", Self::Boot), ("reboot", Self::Reboot)];
}

impl Word for Delivery {
    const WORDS: &'static [(&'static str, Self)] = &[("push", Self::Push), ("pull", Self::Pull)];
}
