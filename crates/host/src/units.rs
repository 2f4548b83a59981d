//! The states of units, as systemd tells them.

use std::{collections::BTreeSet, time::Duration};

use activate::{Fault, Record};
use order::{Settings, UnitName};
use run::Command;
use system::units::{ActiveState, PROPERTIES, UnitStates};

use crate::{chain, links};

/// How long systemd may take to answer.
const LIMIT: Duration = Duration::from_secs(30);
/// Longest answer in bytes.
const MAX_ANSWER: usize = 64 << 20;
/// How many lines of a unit's journal are told.
const JOURNAL_LINES: &str = "10";
/// How many units' journals are told.
const MAX_JOURNALS: usize = 3;

/// The states of all units that systemd has loaded.
///
/// # Errors
/// If systemd does not answer, or says what is not understood.
pub fn states() -> Result<UnitStates, Fault> {
    let command = systemctl().args(["show", "--property", PROPERTIES, "*"]).limit(MAX_ANSWER).timeout(LIMIT);
    let finished = command.run().map_err(|error| Fault::new(chain(&error)))?;
    UnitStates::from_show(&finished.stdout).map_err(|error| Fault::new(chain(&error)))
}

/// The units that have failed.
///
/// # Errors
/// If systemd does not answer.
pub fn failed() -> Result<Vec<UnitName>, Fault> {
    Ok(states()?.failed().filter_map(|unit| unit.parse().ok()).collect())
}

/// The protected units that are active.
pub(crate) fn protected_active(settings: &Settings, states: &UnitStates) -> Vec<UnitName> {
    settings.protected.iter().filter(|unit| is_active(states, unit)).cloned().collect()
}

/// Whether the units hold on the new system: none failed newly (transient units of others aside), and every protected
/// unit that was active is.
pub(crate) fn hold(record: &Record, _stop: &mut dyn FnMut() -> bool) -> Result<(), Fault> {
    let states = states()?;
    let before: BTreeSet<&str> = record.before.failed.iter().map(UnitName::as_str).collect();
    let foreign = |unit: &str| states.0.get(unit).is_some_and(|state| state.transient);
    let failed: Vec<&str> =
        states.failed().map(String::as_str).filter(|unit| !before.contains(unit) && !foreign(unit)).collect();
    let lost: Vec<&str> = record
        .before
        .active
        .iter()
        .filter(|unit| !is_active(&states, unit))
        .map(UnitName::as_str)
        .filter(|unit| !failed.contains(unit))
        .collect();
    if failed.is_empty() && lost.is_empty() {
        return Ok(());
    }
    let mut parts = Vec::new();
    if !failed.is_empty() {
        parts.push(format!("{} failed", failed.join(", ")));
    }
    if !lost.is_empty() {
        parts.push(format!("{} (protected) no longer active", lost.join(", ")));
    }
    let journals =
        failed.iter().chain(&lost).take(MAX_JOURNALS).map(|unit| journal(unit)).collect::<String>();
    Err(Fault::new(format!("{}\n{journals}", parts.join("; "))))
}

fn is_active(states: &UnitStates, unit: &UnitName) -> bool {
    states.0.get(unit.as_str()).is_some_and(|state| state.active == ActiveState::Active)
}

/// The last lines of a unit's journal.
fn journal(unit: &str) -> String {
    let command = Command::new(running_program("systemd/bin/journalctl"))
        .args(["--no-pager", "--quiet", "--output=cat", "--lines", JOURNAL_LINES, "--unit", unit])
        .timeout(LIMIT);
    let lines = command.run().map(|finished| finished.stdout_text()).unwrap_or_default();
    lines.lines().map(|line| format!("{unit}: {line}\n")).collect()
}

fn systemctl() -> Command {
    Command::new(running_program("systemd/bin/systemctl"))
}

/// A program of the system that runs.
fn running_program(inside: &str) -> String {
    links::running().map_or_else(
        || format!("{}/{inside}", crate::paths::RUNNING),
        |running| links::program_of(&running, inside),
    )
}
