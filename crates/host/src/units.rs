//! The states of units, as systemd tells them.

mod verdict;

use std::{
    thread,
    time::{Duration, Instant},
};

use activate::{Fault, Record};
use order::{Settings, UnitName};
use run::Command;
use system::{
    System, difference,
    units::{ActiveState, PROPERTIES, UnitStates},
};

use crate::{chain, links, manager::attended, tree::Files};
use verdict::{Verdict, counts, judge};

/// How long systemd may take to answer.
const LIMIT: Duration = Duration::from_secs(30);
/// Longest answer in bytes.
const MAX_ANSWER: usize = 64 << 20;
/// How long a unit's journal may take to be found.
const JOURNAL: Duration = Duration::from_secs(10);
/// How many lines of a unit's journal are told.
const JOURNAL_LINES: &str = "10";
/// How many units' journals are told.
const MAX_JOURNALS: usize = 3;
/// How often the units are looked at.
const LOOK: Duration = Duration::from_millis(250);
/// How long they must hold if any of them was changed. `switch-to-configuration` itself waits a quarter of a second, a
/// crash loop with systemd's defaults takes one to be given up.
const STILL: Duration = Duration::from_secs(2);
/// How long those that start again and again may take to hold.
const PATIENCE: Duration = Duration::from_secs(10);

/// The states of all units that systemd has loaded.
///
/// # Errors
/// If systemd does not answer, or says what is not understood.
pub fn states() -> Result<UnitStates, Fault> {
    let command = systemctl().args(["show", "--property", PROPERTIES, "*"]).limit(MAX_ANSWER);
    let finished = attended(command, LIMIT)?;
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

/// What is broken now and was not when the record was begun: failed units, and protected ones that no longer run.
///
/// # Errors
/// If systemd does not answer.
pub(crate) fn broken(record: &Record) -> Result<Vec<UnitName>, Fault> {
    let states = states()?;
    let failed = states.failed().filter(|unit| counts(unit, &states)).filter_map(|unit| unit.parse().ok());
    let failed = failed.filter(|unit| !record.before.failed.contains(unit));
    let lost = record.before.active.iter().filter(|unit| !is_active(&states, unit)).cloned();
    let mut broken: Vec<UnitName> = failed.chain(lost).collect();
    broken.sort_unstable();
    broken.dedup();
    Ok(broken)
}

/// Whether the units hold on the new system: none failed newly or starts again and again, and every protected unit
/// that was active is. If any unit was changed they are watched for a while.
pub(crate) fn hold(
    record: &Record,
    before: &UnitStates,
    stop: &mut dyn FnMut() -> bool,
) -> Result<(), Fault> {
    let watched = changes_units(record);
    let begun = Instant::now();
    let (mut last, mut since) = (states()?, begun);
    loop {
        let now = states()?;
        let verdict = judge(record, before, &last, &now);
        let patience = begun.elapsed() < PATIENCE && !stop();
        match verdict {
            Verdict::Holds if !watched || since.elapsed() >= STILL => return Ok(()),
            Verdict::Holds => {}
            Verdict::Moves(_) if patience => since = Instant::now(),
            Verdict::Moves(broken) | Verdict::Broken(broken) => return Err(tell(&broken)),
        }
        last = now;
        thread::sleep(LOOK);
    }
}

/// Whether the new system has other units than the old one; in doubt it has.
fn changes_units(record: &Record) -> bool {
    let read = |system| System::read(&Files, &links::folder(system));
    match (read(&record.before.running), read(&record.new_system())) {
        (Ok(old), Ok(new)) => {
            let found = difference(&old, &new);
            found.units().next().is_some() || found.systemd
        }
        _ => true,
    }
}

/// What is broken, with the last lines of its journals.
fn tell(broken: &[(String, String)]) -> Fault {
    let words: Vec<String> = broken.iter().map(|(unit, what)| format!("{unit} {what}")).collect();
    let journals: String = broken.iter().take(MAX_JOURNALS).map(|(unit, _)| journal(unit)).collect();
    Fault::new(format!("{}\n{journals}", words.join("; ")))
}

fn is_active(states: &UnitStates, unit: &UnitName) -> bool {
    let active = |active: &ActiveState| matches!(active, ActiveState::Active | ActiveState::Reloading);
    states.0.get(unit.as_str()).is_some_and(|state| active(&state.active))
}

/// The last lines of a unit's journal.
fn journal(unit: &str) -> String {
    let command = Command::new(links::running_program("systemd/bin/journalctl"))
        .args(["--no-pager", "--quiet", "--output=cat", "--lines", JOURNAL_LINES, "--unit", unit])
        .timeout(JOURNAL);
    let lines = command.run().map(|finished| finished.stdout_text()).unwrap_or_default();
    lines.lines().map(|line| format!("{unit}: {line}\n")).collect()
}

pub(crate) fn systemctl() -> Command {
    Command::new(links::running_program("systemd/bin/systemctl"))
}

/// Whether systemd still starts what belongs to this boot.
///
/// # Errors
/// If systemd does not answer.
pub fn starting() -> Result<bool, Fault> {
    Ok(matches!(system_state()?.as_str(), "initializing" | "starting"))
}

/// What systemd says of itself (`systemctl(1)`, "is-system-running").
pub(crate) fn system_state() -> Result<String, Fault> {
    let command = systemctl().args(["show", "--property", "SystemState", "--value"]);
    Ok(attended(command, LIMIT)?.stdout_text().trim().to_owned())
}
