//! The states of units as `systemctl` prints them, and which of them failed newly.

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
    /// Whether it was made at run time (`systemd-run`, podman): its file lies in `/run/systemd/transient`. Unknown, and
    /// then false, in what `list-units` prints.
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

/// What became of the units between two moments. Every name is in one list at most; names are in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UnitChanges {
    /// Failed now, not failed before, and part of the system.
    pub newly_failed: Vec<String>,
    /// Failed now, not failed before, and made at run time by somebody: no system describes it.
    pub transient: Vec<String>,
    /// Not failed now, but started again by systemd more often than before: perhaps a slow crash loop.
    pub restarting: Vec<String>,
    /// Failed before and now.
    pub still_failed: Vec<String>,
    /// Failed before, running now.
    pub recovered: Vec<String>,
    /// Failed before, neither failed nor running now: a switch resets what had failed.
    pub cleared: Vec<String>,
}

/// Compares two snapshots.
///
/// `before` must be taken before anything is activated: a switch resets all failed units.
#[must_use]
pub fn compare(before: &UnitStates, after: &UnitStates) -> UnitChanges {
    let mut changes = UnitChanges::default();
    let failed_before = |name: &str| before.0.get(name).is_some_and(UnitState::is_failed);
    for (name, now) in &after.0 {
        let list = match (failed_before(name), now.is_failed()) {
            (true, true) => &mut changes.still_failed,
            (false, true) if now.transient => &mut changes.transient,
            (false, true) => &mut changes.newly_failed,
            (true, false) if runs(now) => &mut changes.recovered,
            (true, false) => &mut changes.cleared,
            (false, false) if was_restarted(before.0.get(name), now) => &mut changes.restarting,
            (false, false) => continue,
        };
        list.push(name.clone());
    }
    let gone = before.failed().filter(|name| !after.0.contains_key(*name));
    changes.cleared.extend(gone.cloned());
    changes.cleared.sort_unstable();
    changes
}

fn runs(state: &UnitState) -> bool {
    matches!(state.active, ActiveState::Active | ActiveState::Reloading | ActiveState::Activating)
}

/// A unit that the switch itself restarted counts from zero again, so only a higher number says something.
fn was_restarted(before: Option<&UnitState>, now: &UnitState) -> bool {
    let count = |state: &UnitState| state.restarts.unwrap_or(0);
    runs(now) && count(now) > before.map_or(0, count)
}

impl fmt::Display for UnitChanges {
    /// One sentence without a full stop.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lists = [
            ("newly failed", &self.newly_failed),
            ("failed, made at run time", &self.transient),
            ("started again and again", &self.restarting),
            ("failed as before", &self.still_failed),
            ("recovered", &self.recovered),
            ("no longer failed", &self.cleared),
        ];
        let mut first = true;
        for (what, names) in lists.into_iter().filter(|(_, names)| !names.is_empty()) {
            let between = if first { "" } else { "; " };
            write!(out, "{between}{what}: {}", names.join(", "))?;
            first = false;
        }
        if first { out.write_str("no unit failed or recovered") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests;
