//! What the journal holds: the order, how the host was before, how far the activation is, and how it came there.

use std::fmt;

use order::{Mode, Order, SystemPath, UnitName};
use store::store_path::StoreDir;
use thiserror::Error;

use crate::{BootId, Moment, Phase, State};

/// Longest text of a [`Fault`] in bytes.
const MAX_FAULT: usize = 4096;
/// Longest note of a transition in characters.
const MAX_NOTE: usize = 300;
/// Most units of one kind in a snapshot or an aftermath.
pub(crate) const MAX_UNITS: usize = 1000;
/// Longest network facts in bytes.
const MAX_NETWORK: usize = 64 << 10;
/// Most transitions that a record keeps; the first is kept for ever, then the oldest go.
pub(crate) const MAX_HISTORY: usize = 200;

/// The journal's content: one activation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// What is asked.
    pub order: Order,
    /// How the host was before.
    pub before: Before,
    /// How far it is.
    pub state: State,
    /// How it came there, oldest first, never empty: the first is the begin.
    pub history: Vec<Transition>,
}

/// Why there can be no activation of an order.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NotActivated {
    /// Its mode changes nothing.
    #[error("mode dry-activate changes nothing, so there is nothing to journal")]
    DryActivate,
    /// The snapshot does not fit a journal that can be read again.
    #[error("the snapshot of the host has more {what} than the {limit} that a journal holds")]
    TooMuch {
        /// What there is too much of.
        what: &'static str,
        /// How much there may be.
        limit: usize,
    },
}

impl Record {
    /// A new activation of this order. The host is as in `before`, nothing has been done.
    ///
    /// # Errors
    /// If the order's mode is `dry-activate`, or the snapshot is larger than any real one.
    pub fn new(order: Order, before: Before, now: Moment) -> Result<Self, NotActivated> {
        if order.mode == Mode::DryActivate {
            return Err(NotActivated::DryActivate);
        }
        let sizes = [
            ("failed units", before.failed.len(), MAX_UNITS),
            ("protected units", before.active.len(), MAX_UNITS),
            ("bytes of network facts", before.network.len(), MAX_NETWORK),
        ];
        if let Some((what, _, limit)) = sizes.into_iter().find(|(_, size, limit)| size > limit) {
            return Err(NotActivated::TooMuch { what, limit });
        }
        let history = vec![Transition { phase: Phase::Prepared, at: now, note: None }];
        Ok(Self { order, before, state: State::Prepared, history })
    }

    /// The system to run.
    #[must_use]
    pub fn new_system(&self) -> SystemPath {
        self.order.system.clone().into()
    }

    /// When the activation began.
    #[must_use]
    pub fn begun(&self) -> Option<Moment> {
        self.history.first().map(|first| first.at)
    }

    /// Keeps a transition, within [`MAX_HISTORY`].
    pub(crate) fn note(&mut self, phase: Phase, at: Moment, note: Option<String>) {
        let note = note.map(|text| text.chars().take(MAX_NOTE).collect());
        let transition = Transition { phase, at, note };
        if self.history.len() >= MAX_HISTORY {
            self.history.remove(1);
        }
        self.history.push(transition);
    }
}

/// One step in the life of an activation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transition {
    /// The phase that was entered, or in which something was noted.
    pub phase: Phase,
    /// When.
    pub at: Moment,
    /// What is worth knowing, for people.
    pub note: Option<String>,
}

/// The host as it was before, taken by the owner under the lock, before the guard is armed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Before {
    /// The boot in which it was taken.
    pub boot: BootId,
    /// What `/run/current-system` names: the system to go back to.
    pub running: SystemPath,
    /// What `/run/booted-system` names.
    pub booted: Option<SystemPath>,
    /// What `/nix/var/nix/profiles/system` names, followed to the end.
    pub profile: Option<SystemPath>,
    /// What would boot.
    pub default: BootDefault,
    /// The units that had failed.
    pub failed: Vec<UnitName>,
    /// Those of the order's protected units that were active.
    pub active: Vec<UnitName>,
    /// Network facts in the host's own form; the machine only carries them. At most 64 KiB.
    pub network: String,
}

/// What the host would boot, by the boot loader's own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BootDefault {
    /// This system.
    System(SystemPath),
    /// There is a loader, and what it would boot cannot be told. A commit then counts if the loader's installer says
    /// so, and is reported as [`crate::Lasting::Unread`]; such a host is not protected, and the plan says so before.
    Unreadable {
        /// Why not.
        why: Fault,
    },
    /// There is no loader, as in a container: the profile is what boots.
    None,
}

impl BootDefault {
    /// The system, if there is one to name.
    #[must_use]
    pub fn system(&self) -> Option<&SystemPath> {
        match self {
            Self::System(system) => Some(system),
            Self::Unreadable { .. } | Self::None => None,
        }
    }
}

impl fmt::Display for BootDefault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System(system) => out.write_str(&system.in_store(&StoreDir::default())),
            Self::Unreadable { why } => write!(out, "unknown ({why})"),
            Self::None => out.write_str("what the system profile names (no boot loader)"),
        }
    }
}

/// What the host says about something that failed: a sentence, perhaps with the last lines of an output.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct Fault(String);

impl Fault {
    /// Keeps the end of a text, at most 4096 bytes: the last lines of an output tell most.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        let text = text.into();
        let mut start = text.len().saturating_sub(MAX_FAULT);
        while !text.is_char_boundary(start) {
            start += 1;
        }
        Self(text[start..].to_owned())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
