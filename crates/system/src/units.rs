//! The states of units as `systemctl` prints them.

mod parse;

use std::{collections::BTreeMap, fmt};

pub use parse::{PROPERTIES, UnitsError};

use crate::text::excerpt;

/// What a unit does at the moment (`ActiveState`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum ActiveState {
    /// Running, or a oneshot that remains.
    Active,
    /// Active and being reloaded.
    Reloading,
    /// Not running.
    Inactive,
    /// Ended with a failure.
    Failed,
    /// Being started, or waiting to be started again.
    Activating,
    /// Being stopped.
    Deactivating,
    /// A state that this version does not know.
    Other(String),
}

/// One unit's state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitState {
    /// `LoadState`: `loaded`, `not-found`, `masked`, ...
    pub load: String,
    /// `ActiveState`.
    pub active: ActiveState,
    /// `SubState`: `running`, `exited`, `auto-restart`, ...
    pub sub: String,
    /// `Result`: `success`, `exit-code`, ...; `None` where it was not asked for.
    pub result: Option<String>,
    /// Whether it was made at run time (`systemd-run`, podman): its file lies in `/run/systemd/transient`.
    pub transient: bool,
    /// `NRestarts`: how often systemd has started it again by itself.
    pub restarts: Option<u32>,
}

impl UnitState {
    /// Whether it counts as failed: it is, or it waits to be started again after a failure.
    #[must_use]
    pub fn is_failed(&self) -> bool {
        self.active == ActiveState::Failed || self.is_crashing()
    }

    /// Whether it waits to be started again after it ended.
    #[must_use]
    pub fn is_crashing(&self) -> bool {
        self.active == ActiveState::Activating && self.sub.starts_with("auto-restart")
    }
}

impl fmt::Display for UnitState {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let active = self.active.word();
        write!(out, "{} ({}", excerpt(active), excerpt(&self.sub))?;
        match self.result.as_deref() {
            None | Some("" | "success") => out.write_str(")"),
            Some(result) => write!(out, ", {})", excerpt(result)),
        }
    }
}

impl ActiveState {
    /// systemd's word for it.
    #[must_use]
    pub fn word(&self) -> &str {
        match self {
            Self::Active => "active",
            Self::Reloading => "reloading",
            Self::Inactive => "inactive",
            Self::Failed => "failed",
            Self::Activating => "activating",
            Self::Deactivating => "deactivating",
            Self::Other(word) => word,
        }
    }

    fn from_word(word: &str) -> Self {
        match word {
            "active" => Self::Active,
            "reloading" | "refreshing" => Self::Reloading,
            "inactive" => Self::Inactive,
            "failed" => Self::Failed,
            "activating" => Self::Activating,
            "deactivating" => Self::Deactivating,
            other => Self::Other(excerpt(other)),
        }
    }
}

/// The states of a host's units at one moment, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UnitStates(pub BTreeMap<String, UnitState>);

impl UnitStates {
    /// The names of the units that count as failed, in order.
    pub fn failed(&self) -> impl Iterator<Item = &String> {
        self.0.iter().filter(|(_, state)| state.is_failed()).map(|(name, _)| name)
    }
}

#[cfg(test)]
mod tests;
