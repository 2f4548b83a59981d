//! What a host says of itself.

use order::{Mode, OrderId, SystemPath, UnitName};

use crate::{Ending, Timestamp};

/// What a host says of itself at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostStatus {
    /// When, by the host's own clock.
    pub at: Timestamp,
    /// The kernel's random id of this boot.
    pub boot_id: String,
    /// Since the boot, in milliseconds.
    pub up_millis: u64,
    /// The version in `nixos-version` of the running system.
    pub version: Option<String>,
    /// The system that runs.
    pub running: Option<SystemPath>,
    /// The system that was booted.
    pub booted: Option<SystemPath>,
    /// The newest generation of the system profile that the profile points to.
    pub profile: Option<Generation>,
    /// What the boot loader itself names as the next to boot.
    pub default: LoaderDefault,
    /// The system that the boot loader boots once, before its default counts again.
    pub once: Option<SystemPath>,
    /// Whether systemd still starts what belongs to this boot, so that not all that fails has failed yet.
    pub starting: bool,
    /// Units that are failed now.
    pub failed: Vec<UnitName>,
    /// Why the running system is only complete after a reboot; empty if it is.
    pub reboot: Vec<String>,
    /// An activation that has not ended.
    pub pending: Option<Pending>,
    /// The last activation that has.
    pub last: Option<LastActivation>,
}

/// A numbered generation of the system profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Generation {
    /// Its number.
    pub number: u64,
    /// Its system.
    pub system: SystemPath,
}

/// What a host's boot loader would boot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LoaderDefault {
    /// This system.
    System(SystemPath),
    /// A loader is there, and what it would boot could not be read.
    Unreadable(String),
    /// The host has no boot loader of its own, as containers.
    NoLoader,
}

/// An activation that has not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// Its order.
    pub order: OrderId,
    /// The system of the order.
    pub system: SystemPath,
    /// The state of its machine, for people.
    pub state: String,
    /// Whether it waits for a confirmation.
    pub awaits_confirm: bool,
    /// Until its deadline, in milliseconds.
    pub left_millis: Option<u64>,
}

/// An activation that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastActivation {
    /// Its order.
    pub order: OrderId,
    /// The system of the order.
    pub system: SystemPath,
    /// What was to become of it.
    pub mode: Mode,
    /// When it ended, by the host's clock.
    pub at: Timestamp,
    /// How.
    pub ending: Ending,
}
