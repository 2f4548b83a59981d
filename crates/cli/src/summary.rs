//! The end of a run that acts: a table of the hosts, and below it each failure with its last lines. Pure.

use deploy::{HostOutcome, Outcome};
use report::{Ending, HostResult};

use crate::{
    hints,
    style::{Style, paint},
    table::{Cell, Column, Table},
    text::{bytes, clean, counted, fit, millis},
    words,
};

/// With more hosts than this, those that are as asked share a line.
const SINGLE: usize = 40;
/// Last lines of a cause that are shown; all are in the log.
const LOG: usize = 20;

/// What was left out is listed up to so many.
const LEFT_OUT: usize = 10;

/// How a summary is shown.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Form {
    /// Columns, if lines must fit.
    pub(crate) width: Option<usize>,
    /// Whether colours are wanted.
    pub(crate) color: bool,
    /// Whether every host has its line, however many there are.
    pub(crate) is_full: bool,
}

/// The lines of a summary.
pub(crate) fn lines(outcome: &Outcome, form: Form) -> Vec<String> {
    let mut hosts: Vec<&HostOutcome> = outcome.hosts.iter().collect();
    // What matters most stands last, where the eye is.
    hosts.sort_by_key(|host| words::weight(&host.deployed.result));
    let is_folded = hosts.len() > SINGLE && !form.is_full;
    let good = hosts.iter().filter(|host| host.deployed.result.exit_code() == 0).count();
    let shown = if is_folded { &hosts[good..] } else { &hosts[..] };
    let mut lines = table(shown, form);
    if is_folded && good > 0 {
        lines.push(format!("and {} as asked", counted(good, "host")));
    }
    lines.extend(left_out(&outcome.left_out));
    for host in hosts {
        let block = block(host, form);
        if !block.is_empty() {
            lines.push(String::new());
            lines.extend(block);
        }
    }
    lines
}

/// What was left out, a line each, as long as they are few.
pub(crate) fn left_out(all: &[(String, String)]) -> Vec<String> {
    let line = |(name, why): &(String, String)| format!("left out: {}: {}", clean(name), clean(why));
    let mut lines: Vec<_> = all.iter().take(LEFT_OUT).map(line).collect();
    if all.len() > LEFT_OUT {
        lines.push(format!("left out: {} more", all.len() - LEFT_OUT));
    }
    lines
}

fn table(hosts: &[&HostOutcome], form: Form) -> Vec<String> {
    if hosts.is_empty() {
        return Vec::new();
    }
    let mut table = Table::new([
        Column::text("HOST"),
        Column::text("RESULT"),
        Column::text("STAGE"),
        Column::number("TIME"),
        Column::number("SENT"),
        Column::flexible("CAUSE"),
    ]);
    for host in hosts {
        let deployed = &host.deployed;
        table.row([
            Cell::from(host.host.as_str()),
            Cell::styled(words::end(deployed), words::style(&deployed.result)),
            host.stage().map_or("", |stage| stage.word()).into(),
            millis(deployed.millis).into(),
            if deployed.bytes > 0 { bytes(deployed.bytes).into() } else { Cell::default() },
            words::why(&deployed.result).into(),
        ]);
    }
    table.lines(form.width, form.color)
}

/// What is said of one host below the table: nothing if all is as it was asked.
fn block(host: &HostOutcome, form: Form) -> Vec<String> {
    let mut lines: Vec<String> = host.notes.iter().map(|note| format!("  note: {}", clean(note))).collect();
    // The table says all there is about what was left out.
    let is_left_out = matches!(host.deployed.result, HostResult::Skipped { .. });
    if host.deployed.result.exit_code() != 0 && !is_left_out {
        lines.extend(failure(host, form));
    }
    if lines.is_empty() {
        return lines;
    }
    let heading = format!("{}: {}", host.host, words::end(&host.deployed));
    lines.insert(0, paint(&heading, Style::Strong, form.color));
    lines
}

fn failure(host: &HostOutcome, form: Form) -> Vec<String> {
    let result = &host.deployed.result;
    let mut lines = Vec::new();
    let cause = words::cause(result);
    match result {
        HostResult::Pending { why } => lines.extend(indented(why)),
        _ => lines.extend(cause.iter().flat_map(|cause| indented(&cause.text))),
    }
    let log = cause.map_or(&[][..], |cause| &cause.log);
    let last = &log[log.len().saturating_sub(LOG)..];
    lines.extend(last.iter().map(|line| {
        let line = clean(line);
        let width = form.width.unwrap_or(usize::MAX).saturating_sub(4).max(20);
        paint(&format!("  | {}", fit(&line, width)), Style::Dim, form.color)
    }));
    if let HostResult::Activated(Ending::RolledBack { aftermath, .. }) = result {
        lines.extend(aftermath.iter().map(|sentence| format!("  not as before: {}", clean(sentence))));
    }
    lines.extend(host.log.iter().map(|path| format!("  log: {}", clean(&path.display().to_string()))));
    let hint = match result {
        HostResult::Activated(Ending::Stuck { remedy, .. }) => Some(clean(remedy).into_owned()),
        _ => cause.and_then(|cause| hints::hint(cause.kind, &host.host)),
    };
    lines.extend(hint.map(|hint| format!("  {} {hint}", paint("hint:", Style::Strong, form.color))));
    lines
}

/// A text of some lines, clean.
fn indented(text: &str) -> Vec<String> {
    text.lines().map(|line| format!("  {}", clean(line))).collect()
}

#[cfg(test)]
mod tests;
