//! The documented JSON of what commands tell (`docs/json.md`): written here only, read by others.
//!
//! Events have their form from crate `deploy`; reports, statuses and causes have their stored forms from `report`.

use delta::equivalence::Verdict;
use deploy::{Answered, Exit, Fate, Garbage, HostOutcome, HostRoot, Outcome, Stored};
use fleet::Shown;
use order::{HostName, SystemPath};
use report::{Cause, Generation, LastActivation, Report, Timestamp, What};
use serde::Serialize;
use serde_json::value::RawValue;
use store::store_path::{StoreDir, StorePath};

use crate::fleet_status::HostRow;

/// The version of all forms. New fields and new kinds of lines do not raise it.
pub(crate) const VERSION: u32 = 1;

/// The last line of a run that acts: every host once more, with its times and its log.
#[derive(Debug, Serialize)]
pub(crate) struct OutcomeWire<'a> {
    version: u32,
    event: &'static str,
    run: &'a str,
    exit_code: u8,
    hosts: Vec<HostWire<'a>>,
    left_out: Vec<LeftOutWire<'a>>,
}

#[derive(Debug, Serialize)]
struct HostWire<'a> {
    host: &'a str,
    exit_code: u8,
    stages: Vec<StageWire>,
    notes: &'a [String],
    log: Option<String>,
    report: Option<Box<RawValue>>,
}

#[derive(Debug, Serialize)]
struct StageWire {
    stage: &'static str,
    millis: u64,
}

#[derive(Debug, Serialize)]
struct LeftOutWire<'a> {
    name: &'a str,
    why: &'a str,
}

/// What is known of one host.
#[derive(Debug, Serialize)]
pub(crate) struct StatusWire<'a> {
    version: u32,
    at: u64,
    event: &'static str,
    host: &'a str,
    reached: bool,
    millis: u64,
    in_step: Option<bool>,
    expected: Option<String>,
    unreachable_since: Option<u64>,
    cause: Option<Box<RawValue>>,
    seen: Option<Box<RawValue>>,
    deployed: Option<Box<RawValue>>,
}

/// What a host did, and the generations that it has.
#[derive(Debug, Serialize)]
pub(crate) struct HistoryWire<'a> {
    version: u32,
    event: &'static str,
    host: &'a str,
    millis: u64,
    activations: Vec<Option<Box<RawValue>>>,
    generations: Vec<Option<Box<RawValue>>>,
    cause: Option<Box<RawValue>>,
}

/// How a command ended on a host.
#[derive(Debug, Serialize)]
pub(crate) struct ExitedWire<'a> {
    version: u32,
    event: &'static str,
    host: &'a str,
    millis: u64,
    code: Option<i32>,
    signal: Option<i32>,
    timed_out: bool,
    cause: Option<Box<RawValue>>,
}

/// What became of a path of the store.
#[derive(Debug, Serialize)]
pub(crate) struct ComparedWire {
    version: u32,
    event: &'static str,
    verdict: &'static str,
    path: String,
    nar_size: u64,
    old: Option<String>,
    old_nar_size: Option<u64>,
}

/// What keeps a system of a host.
#[derive(Debug, Serialize)]
pub(crate) struct RootWire<'a> {
    version: u32,
    event: &'static str,
    host: &'a str,
    why: &'static str,
    system: String,
    link: String,
    since: u64,
    nar_size: Option<u64>,
    trim: Option<&'static str>,
}

/// What all that is kept comes to.
#[derive(Debug, Serialize)]
pub(crate) struct GarbageWire<'a> {
    version: u32,
    event: &'static str,
    description: Option<&'a str>,
    roots: usize,
    nar_size: Option<u64>,
    surplus: usize,
    surplus_nar_size: Option<u64>,
    trimmed: Option<usize>,
    logs: StoredWire,
    surplus_logs: usize,
    reports: StoredWire,
}

#[derive(Debug, Serialize)]
struct StoredWire {
    count: usize,
    bytes: u64,
}

/// One setting of a host.
#[derive(Debug, Serialize)]
pub(crate) struct SettingWire<'a> {
    version: u32,
    event: &'static str,
    host: &'a str,
    setting: &'a str,
    value: &'a str,
    from: Vec<String>,
}

/// The form of an outcome.
pub(crate) fn outcome(outcome: &Outcome, now: Timestamp) -> OutcomeWire<'_> {
    OutcomeWire {
        version: VERSION,
        event: "outcome",
        run: outcome.run.as_str(),
        exit_code: outcome.exit_code(),
        hosts: outcome.hosts.iter().map(|host| of_host(host, now)).collect(),
        left_out: outcome.left_out.iter().map(|(name, why)| LeftOutWire { name, why }).collect(),
    }
}

fn of_host(outcome: &HostOutcome, now: Timestamp) -> HostWire<'_> {
    let HostOutcome { host, deployed, stages, notes, log } = outcome;
    let report = Report { at: now, host: host.clone(), what: What::Deployed(deployed.clone()) };
    HostWire {
        host: host.as_str(),
        exit_code: deployed.result.exit_code(),
        stages: stages
            .iter()
            .map(|(stage, millis)| StageWire { stage: stage.word(), millis: *millis })
            .collect(),
        notes,
        log: log.as_ref().map(|path| path.display().to_string()),
        report: raw(report.to_json()),
    }
}

/// The form of what is known of a host.
pub(crate) fn status(row: &HostRow, now: Timestamp) -> StatusWire<'_> {
    let report = |at: Timestamp, what| raw(Report { at, host: row.host.clone(), what }.to_json());
    let known = &row.known;
    StatusWire {
        version: VERSION,
        at: now.0,
        event: "status",
        host: row.host.as_str(),
        reached: row.cause.is_none(),
        millis: row.millis,
        in_step: row.in_step(),
        expected: known.expected.as_ref().map(path),
        unreachable_since: known.unreachable.as_ref().map(|(since, _)| since.0),
        cause: row.cause.as_ref().and_then(cause),
        seen: known.seen.as_ref().and_then(|(at, status)| report(*at, What::Seen(Box::new(status.clone())))),
        deployed: known
            .deployed
            .as_ref()
            .and_then(|(at, deployed)| report(*at, What::Deployed(deployed.clone()))),
    }
}

/// The form of a history.
pub(crate) fn history(answered: &Answered<(Vec<LastActivation>, Vec<Generation>)>) -> HistoryWire<'_> {
    let (activations, generations) =
        answered.answer.as_ref().map_or((&[][..], &[][..]), |(did, have)| (did, have));
    HistoryWire {
        version: VERSION,
        event: "history",
        host: answered.host.as_str(),
        millis: answered.millis,
        activations: activations.iter().map(|activation| raw(activation.to_json())).collect(),
        generations: generations.iter().map(|generation| raw(generation.to_json())).collect(),
        cause: answered.answer.as_ref().err().and_then(cause),
    }
}

/// The form of the end of a command.
pub(crate) fn exited(answered: &Answered<Exit>) -> ExitedWire<'_> {
    let exit = answered.answer.as_ref().ok();
    ExitedWire {
        version: VERSION,
        event: "exited",
        host: answered.host.as_str(),
        millis: answered.millis,
        code: exit.and_then(|exit| if let Exit::Code(code) = exit { Some(*code) } else { None }),
        signal: exit.and_then(|exit| if let Exit::Signal(signal) = exit { Some(*signal) } else { None }),
        timed_out: exit == Some(&Exit::TimedOut),
        cause: answered.answer.as_ref().err().and_then(cause),
    }
}

/// The word for what became of a path.
pub(crate) fn verdict(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Same => "same",
        Verdict::Equivalent { .. } => "equivalent",
        Verdict::Changed { .. } => "changed",
        Verdict::New => "new",
        Verdict::Gone => "gone",
    }
}

/// The form of what became of a path of the store.
pub(crate) fn compared(path: &StorePath, size: u64, of: &Verdict) -> ComparedWire {
    let store = StoreDir::default();
    let (old, old_size) = match of {
        Verdict::Changed { old, old_size } => (Some(old), Some(*old_size)),
        Verdict::Equivalent { old } => (Some(old), Some(size)),
        Verdict::Same | Verdict::New | Verdict::Gone => (None, None),
    };
    ComparedWire {
        version: VERSION,
        event: "compared",
        verdict: verdict(of),
        path: store.display(path).to_string(),
        nar_size: size,
        old: old.map(|old| store.display(old).to_string()),
        old_nar_size: old_size,
    }
}

/// The form of what keeps a system.
pub(crate) fn root(of: &HostRoot) -> RootWire<'_> {
    let HostRoot { host, root, fate, nar_size } = of;
    RootWire {
        version: VERSION,
        event: "root",
        host: host.as_str(),
        why: root.why.word(),
        system: StoreDir::default().display(&root.system).to_string(),
        link: root.link.display().to_string(),
        since: root.since.0,
        nar_size: *nar_size,
        trim: match fate {
            Fate::Kept => None,
            Fate::Departed => Some("departed"),
            Fate::Surplus => Some("surplus"),
            Fate::Gone => Some("gone"),
        },
    }
}

/// The form of what all that is kept comes to, by which description, and of how many links were removed.
pub(crate) fn garbage<'a>(
    of: &Garbage,
    description: Option<&'a str>,
    trimmed: Option<usize>,
) -> GarbageWire<'a> {
    let stored = |of: Stored| StoredWire { count: of.count, bytes: of.bytes };
    GarbageWire {
        version: VERSION,
        event: "garbage",
        description,
        roots: of.roots.len(),
        nar_size: of.nar_size,
        surplus: of.surplus().count(),
        surplus_nar_size: of.freed,
        trimmed,
        logs: stored(of.logs),
        surplus_logs: of.surplus_logs,
        reports: stored(of.reports),
    }
}

/// The form of a setting.
pub(crate) fn setting<'a>(host: &'a HostName, shown: &'a Shown) -> SettingWire<'a> {
    SettingWire {
        version: VERSION,
        event: "setting",
        host: host.as_str(),
        setting: &shown.setting,
        value: &shown.value,
        from: shown.origin.paths(host, &shown.setting).iter().map(ToString::to_string).collect(),
    }
}

/// A system as its whole path.
fn path(system: &SystemPath) -> String {
    system.in_store(&StoreDir::default())
}

fn cause(cause: &Cause) -> Option<Box<RawValue>> {
    raw(cause.to_json())
}

/// A stored form as a part of a larger one.
fn raw(json: Vec<u8>) -> Option<Box<RawValue>> {
    RawValue::from_string(String::from_utf8(json).ok()?).ok()
}

#[cfg(test)]
mod tests;
