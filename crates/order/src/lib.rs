//! What one host is asked to run, and under which limits. The order is Lockstep's unit: it is made, shipped and
//! activated for each host alone.
//!
//! Pure: values that parse once and cannot be wrong afterwards. [`Order::to_json`] is the stored and sent form.

mod check;
mod duration;
mod names;
mod settings;
mod system_path;
mod wire;

use store::store_path::StorePath;

pub use check::{Check, CheckKind};
pub use duration::{DurationError, format_duration, parse_duration};
pub use names::{HostName, NameError, Nonce, OrderId, UnitName};
pub use settings::{Limits, OnFailure, Settings};
pub use system_path::{SystemPath, SystemPathError};
pub use wire::{MAX_ORDER, OrderError, SettingsWire};

/// What is to become of the new system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Mode {
    /// It runs now and, once confirmed, at every boot.
    Switch,
    /// It runs from the next boot on.
    Boot,
    /// The host boots it once; confirmed, it runs now and at every boot.
    Reboot,
    /// It runs now; the next boot is unchanged.
    Test,
    /// Nothing is changed; the host says what a switch would do.
    DryActivate,
}

impl Mode {
    /// Every mode, in the order in which help lists them.
    pub const ALL: [Self; 5] = [Self::Switch, Self::Boot, Self::Reboot, Self::Test, Self::DryActivate];

    /// The word for it on command lines and in stored forms; `switch-to-configuration` knows the same words, but
    /// for `reboot`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Switch => "switch",
            Self::Boot => "boot",
            Self::Reboot => "reboot",
            Self::Test => "test",
            Self::DryActivate => "dry-activate",
        }
    }

    /// The mode of a word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.word() == word)
    }
}

/// What one host is asked to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// This order, among all.
    pub id: OrderId,
    /// Who confirms must know it: only the operator who gave the order and the host's root do.
    pub nonce: Nonce,
    /// The host it is for.
    pub host: HostName,
    /// The system to run, a path in `/nix/store`.
    pub system: StorePath,
    /// What is to become of it.
    pub mode: Mode,
    /// The last order that the operator knows of: the host refuses if its journal names another.
    pub after: Option<OrderId>,
    /// The store path that holds the agent which owns the activation, if it is in the store; it is rooted with
    /// the systems.
    pub agent: Option<StorePath>,
    /// The rest, the only settings that travel.
    pub settings: Settings,
}
