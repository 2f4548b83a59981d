//! What is known of every host, for `lockstep status`: one row each, and what has to be said below. Pure.

use std::collections::BTreeMap;

use order::{HostName, SystemPath, UnitName};
use report::{Cause, CauseKind, Generation, HostStatus, Known, LoaderDefault, Pending, Timestamp};

use crate::{
    style::{Style, paint},
    table::{Cell, Column, Table},
    text::{clean, counted, duration, first_line, millis, system},
    words,
};

/// What is known of one host.
#[derive(Debug)]
pub(crate) struct HostRow {
    /// The host.
    pub(crate) host: HostName,
    /// All that was remembered, with what it said now.
    pub(crate) known: Known,
    /// Why it did not answer now.
    pub(crate) cause: Option<Cause>,
    /// How long the answer took.
    pub(crate) millis: u64,
}

/// Where a host stands, in the order in which it is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Standing {
    InStep,
    Unknown,
    OutOfStep,
    Active,
    Waits,
    Offline,
    NoAnswer,
}

impl Standing {
    fn word(self) -> &'static str {
        match self {
            Self::InStep => "in step",
            Self::Unknown => "never deployed",
            Self::OutOfStep => "out of step",
            Self::Active => "activates",
            Self::Waits => "waits",
            Self::Offline => "offline",
            Self::NoAnswer => "no answer",
        }
    }

    fn style(self) -> Style {
        match self {
            Self::InStep => Style::Good,
            Self::Unknown => Style::Plain,
            Self::OutOfStep | Self::Active | Self::Waits => Style::Warn,
            Self::Offline | Self::NoAnswer => Style::Bad,
        }
    }
}

impl HostRow {
    /// Whether the host runs, and boots, what is expected of it; `None` if it did not answer, or nothing is expected.
    pub(crate) fn in_step(&self) -> Option<bool> {
        let (expected, status) = (self.known.expected.as_ref()?, self.now()?);
        let boots = match &status.default {
            LoaderDefault::System(path) => path == expected,
            LoaderDefault::NoLoader => true,
            LoaderDefault::Unreadable(_) => false,
        };
        let profile = status.profile.as_ref().map(|generation| &generation.system);
        Some(status.running.as_ref() == Some(expected) && profile == Some(expected) && boots)
    }

    /// What the host says now.
    fn now(&self) -> Option<&HostStatus> {
        let (_, status) = self.known.seen.as_ref().filter(|_| self.cause.is_none())?;
        Some(status)
    }

    fn standing(&self) -> Standing {
        match (&self.cause, self.now().and_then(|status| status.pending.as_ref())) {
            (Some(cause), _) if cause.kind == CauseKind::Offline => Standing::Offline,
            (Some(_), _) => Standing::NoAnswer,
            (None, Some(pending)) if pending.awaits_confirm => Standing::Waits,
            (None, Some(_)) => Standing::Active,
            (None, None) => match self.in_step() {
                Some(true) => Standing::InStep,
                Some(false) => Standing::OutOfStep,
                None => Standing::Unknown,
            },
        }
    }

    fn state(&self, now: Timestamp) -> Cell {
        let standing = self.standing();
        let since = self.known.unreachable.as_ref().filter(|_| self.cause.is_some());
        let time = since.map(|(since, _)| format!(" {}", duration(since.until(now)))).unwrap_or_default();
        Cell::styled(format!("{}{time}", standing.word()), standing.style())
    }

    fn cells(&self, now: Timestamp) -> Vec<Cell> {
        // What a host said when it was last seen is better than nothing, but must not look like now.
        let status = self.known.seen.as_ref().map(|(_, status)| status);
        let style = if self.cause.is_some() { Style::Dim } else { Style::Plain };
        let running = status.and_then(|status| status.running.as_ref());
        let same = |path: Option<&SystemPath>| same(path, running, style);
        let profile = status.and_then(|status| status.profile.as_ref());
        vec![
            self.host.as_str().into(),
            self.state(now),
            Cell::styled(running.map(system).unwrap_or_default(), style),
            same(self.known.expected.as_ref()),
            same(status.and_then(|status| status.booted.as_ref())),
            numbered(profile, running, style),
            status.map(|status| loader(&status.default, running, style)).unwrap_or_default(),
            Cell::styled(status.map(failed).unwrap_or_default(), Style::Bad),
            Cell::styled(if status.is_some_and(needs_reboot) { "yes" } else { "" }, Style::Warn),
            self.deployed(now),
        ]
    }

    fn deployed(&self, now: Timestamp) -> Cell {
        let Some((at, deployed)) = &self.known.deployed else { return Cell::default() };
        let text = format!("{} {} ago", words::result(&deployed.result), duration(at.until(now)));
        Cell::styled(text, words::style(&deployed.result))
    }

    /// What has to be said below the table.
    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        notes.extend(self.cause.iter().map(|cause| first_line(&cause.text).into_owned()));
        let Some(status) = self.now() else { return notes };
        if !status.failed.is_empty() {
            let units: Vec<_> = status.failed.iter().map(UnitName::as_str).collect();
            notes.push(format!("failed units: {}", units.join(", ")));
        }
        if needs_reboot(status) {
            let reasons: Vec<_> = status.reboot.iter().map(|reason| clean(reason)).collect();
            notes.push(format!("complete after a reboot only: {}", reasons.join("; ")));
        }
        notes.extend(next_boot(status));
        if let LoaderDefault::Unreadable(why) = &status.default {
            notes.push(format!("what it would boot cannot be read: {}", clean(why)));
        }
        notes.extend(status.pending.as_ref().map(|pending| self.pending(pending)));
        notes
    }

    fn pending(&self, pending: &Pending) -> String {
        let left = pending.left_millis.map(|left| format!(", {} left", millis(left))).unwrap_or_default();
        let (what, verb) = if pending.awaits_confirm {
            ("waits for a confirmation", "confirm")
        } else {
            ("is at the activation", "attach")
        };
        let (system, state, host) = (system(&pending.system), clean(&pending.state), &self.host);
        format!(
            "{what} of {system}{left} (state {state}); `lockstep {verb} {host}` or `lockstep abort {host}`"
        )
    }
}

/// The table, the notes below it, and the total.
pub(crate) fn lines(rows: &[HostRow], now: Timestamp, width: Option<usize>, color: bool) -> Vec<String> {
    let mut table = Table::new([
        Column::text("HOST"),
        Column::text("STATE"),
        Column::text("RUNNING"),
        Column::text("EXPECTED"),
        Column::text("BOOTED"),
        Column::text("PROFILE"),
        Column::text("DEFAULT"),
        Column::number("FAILED"),
        Column::text("REBOOT"),
        Column::flexible("LAST DEPLOY"),
    ]);
    for row in rows {
        table.row(row.cells(now));
    }
    let mut lines = table.lines(width, color);
    let notes = rows.iter().flat_map(|row| row.notes().into_iter().map(move |note| (row, note)));
    let notes: Vec<_> = notes.map(|(row, note)| format!("{}: {note}", row.host)).collect();
    if !notes.is_empty() {
        lines.push(String::new());
        lines.extend(notes);
    }
    lines.push(String::new());
    lines.push(total(rows));
    if rows.iter().any(|row| row.known.seen.is_some()) {
        lines.push(paint("= is the system that runs", Style::Dim, color));
    }
    lines
}

fn total(rows: &[HostRow]) -> String {
    let mut counts = BTreeMap::<Standing, usize>::new();
    for row in rows {
        *counts.entry(row.standing()).or_default() += 1;
    }
    let each: Vec<_> =
        counts.iter().map(|(standing, count)| format!("{count} {}", standing.word())).collect();
    format!("{}: {}", counted(rows.len(), "host"), each.join(", "))
}

/// A system beside the one that runs; `=` if it is the same.
fn same(path: Option<&SystemPath>, running: Option<&SystemPath>, style: Style) -> Cell {
    match path {
        None => Cell::default(),
        Some(_) if path == running => Cell::styled("=", Style::Dim),
        Some(path) => Cell::styled(system(path), if style == Style::Dim { style } else { Style::Warn }),
    }
}

fn numbered(generation: Option<&Generation>, running: Option<&SystemPath>, style: Style) -> Cell {
    let Some(generation) = generation else { return Cell::default() };
    if Some(&generation.system) == running {
        return Cell::styled(format!("{} =", generation.number), Style::Dim);
    }
    let text = format!("{} {}", generation.number, system(&generation.system));
    Cell::styled(text, if style == Style::Dim { style } else { Style::Warn })
}

fn loader(default: &LoaderDefault, running: Option<&SystemPath>, style: Style) -> Cell {
    match default {
        LoaderDefault::System(path) => same(Some(path), running, style),
        LoaderDefault::Unreadable(_) => Cell::styled("unreadable", Style::Bad),
        LoaderDefault::NoLoader => Cell::styled("no loader", Style::Dim),
    }
}

/// What the next boot brings, if that is not what runs; and what this one still has to.
fn next_boot(status: &HostStatus) -> Vec<String> {
    let mut notes = Vec::new();
    if let (LoaderDefault::System(default), Some(running)) = (&status.default, &status.running)
        && default != running
    {
        notes.push(format!("the next boot brings another system than runs: {}", system(default)));
    }
    notes.extend(status.once.iter().map(|once| format!("its boot loader boots {} once", system(once))));
    if status.starting {
        notes.push("it still starts what belongs to its boot".to_owned());
    }
    notes
}

/// How many units are failed, if any.
fn failed(status: &HostStatus) -> String {
    if status.failed.is_empty() { String::new() } else { status.failed.len().to_string() }
}

fn needs_reboot(status: &HostStatus) -> bool {
    !status.reboot.is_empty()
}

#[cfg(test)]
mod tests;
