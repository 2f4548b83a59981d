//! The live part: a line for each host that fits, and a total. Pure: events in, lines for a size out.

use std::collections::BTreeMap;

use deploy::{Event, News, Progress};
use order::HostName;
use report::{Deployed, Stage, Timestamp};

use crate::{
    style::{Style, paint},
    text::{bytes, clean, counted, duration, fit, pad},
    words,
};

/// Rows that are left to what stands above.
const ROWS_LEFT: usize = 2;
/// Cells of a bar.
const BAR: u64 = 16;
/// Widest column of names.
const NAMES: usize = 32;

/// What is known of every host, and how it is shown.
#[derive(Debug)]
pub(crate) struct Board {
    color: bool,
    began: Option<Timestamp>,
    /// Hosts are asked something: nobody tells how far each is.
    is_question: bool,
    hosts: BTreeMap<HostName, Host>,
}

#[derive(Debug, Default)]
struct Host {
    /// Stages that go on, each with its begin. Connecting goes on beside others.
    stages: Vec<(Stage, Timestamp)>,
    progress: Option<Progress>,
    waits: Option<String>,
    result: Option<Box<Deployed>>,
}

impl Board {
    /// An empty board.
    pub(crate) fn new(color: bool) -> Self {
        Self { color, began: None, is_question: false, hosts: BTreeMap::new() }
    }

    /// These hosts are asked something, from now on.
    pub(crate) fn ask(&mut self, now: Timestamp, hosts: &[HostName]) {
        self.is_question = true;
        self.began = Some(now);
        self.hosts = hosts.iter().map(|host| (host.clone(), Host::default())).collect();
    }

    /// Learns from an event.
    pub(crate) fn take(&mut self, event: &Event) {
        if let News::Began { hosts, .. } = &event.what {
            self.began = Some(event.at);
            self.hosts = hosts.iter().map(|host| (host.clone(), Host::default())).collect();
        }
        if let Some(host) = event.host.as_ref().and_then(|name| self.hosts.get_mut(name)) {
            host.take(event);
        }
    }

    /// The lines for a terminal of this size.
    pub(crate) fn lines(&self, now: Timestamp, width: usize, height: usize) -> Vec<String> {
        let Some(began) = self.began else { return Vec::new() };
        if self.is_question {
            let time = duration(began.until(now));
            return vec![self.dim(&format!("asking {}, {time}", counted(self.hosts.len(), "host")))];
        }
        let room = height.saturating_sub(ROWS_LEFT + 2).max(1);
        let names = self.hosts.keys().map(|name| name.as_str().len()).max().unwrap_or(0).min(NAMES);
        let shown = self.shown(room);
        let mut lines: Vec<String> =
            shown.iter().map(|(name, host)| self.line(name, host, now, (names, width))).collect();
        if shown.len() < self.hosts.len() {
            lines.push(self.dim(&format!("… and {} more", self.hosts.len() - shown.len())));
        }
        lines.push(fit(&self.total(began, now), width).into_owned());
        lines
    }

    /// All hosts if there is room, otherwise those that do something, then those that wait.
    fn shown(&self, room: usize) -> Vec<(&HostName, &Host)> {
        let mut hosts: Vec<_> = self.hosts.iter().collect();
        if hosts.len() > room {
            hosts.retain(|(_, host)| host.result.is_none());
            hosts.sort_by_key(|(_, host)| host.stages.is_empty());
            hosts.truncate(room);
            hosts.sort_by_key(|(name, _)| *name);
        }
        hosts
    }

    fn line(&self, name: &HostName, host: &Host, now: Timestamp, (names, width): (usize, usize)) -> String {
        let name = pad(&fit(name.as_str(), names), names);
        let rest = width.saturating_sub(names + 2);
        let (text, style) = host.text(now);
        format!("{name}  {}", paint(&fit(&text, rest), style, self.color))
    }

    fn total(&self, began: Timestamp, now: Timestamp) -> String {
        let done = self.hosts.values().filter(|host| host.result.is_some()).count();
        let mut counts: BTreeMap<(u8, &str), usize> = BTreeMap::new();
        for result in self.hosts.values().filter_map(|host| host.result.as_ref()) {
            *counts.entry((words::weight(&result.result), words::end(result))).or_default() += 1;
        }
        // The worst first: the line may be cut.
        let each: Vec<_> = counts.iter().rev().map(|((_, word), count)| format!("{count} {word}")).collect();
        let each = if each.is_empty() { String::new() } else { format!(": {}", each.join(", ")) };
        let running = self.hosts.values().filter(|host| !host.stages.is_empty()).count();
        let (all, time) = (counted(self.hosts.len(), "host"), duration(began.until(now)));
        format!("{done} of {all} done, {running} at work, {time}{each}")
    }

    fn dim(&self, text: &str) -> String {
        paint(text, Style::Dim, self.color)
    }
}

impl Host {
    fn take(&mut self, event: &Event) {
        match &event.what {
            News::StageBegan(stage) => {
                self.stages.push((*stage, event.at));
                self.waits = None;
            }
            News::StageEnded { stage, .. } => {
                self.stages.retain(|(known, _)| known != stage);
                self.progress.take_if(|progress| progress.stage == *stage);
            }
            News::Waits { what } => self.waits = Some(what.clone()),
            News::Progress(progress) => {
                self.progress = Some(progress.clone());
                self.waits = None;
            }
            News::Result(deployed) => {
                self.stages.clear();
                self.result = Some(deployed.clone());
            }
            _ => {}
        }
    }

    fn text(&self, now: Timestamp) -> (String, Style) {
        if let Some(deployed) = &self.result {
            return (words::ended(deployed), words::style(&deployed.result));
        }
        // What goes on beside connecting says more.
        let foreground = self.stages.iter().rev().find(|(stage, _)| *stage != Stage::Connect);
        match (foreground.or(self.stages.last()), &self.waits) {
            (_, Some(what)) => (format!("waits: {}", clean(what)), Style::Dim),
            (None, None) => ("waits".to_owned(), Style::Dim),
            (Some((stage, since)), None) => (self.stage_text(*stage, *since, now), Style::Plain),
        }
    }

    fn stage_text(&self, stage: Stage, since: Timestamp, now: Timestamp) -> String {
        let progress = self.progress.as_ref().filter(|progress| progress.stage == stage);
        let details = progress.map(details).unwrap_or_default();
        let time = duration(since.until(now));
        format!("{} {}  {details}", pad(stage.word(), 8), pad(&time, 6)).trim_end().to_owned()
    }
}

/// How far a stage is: a bar, what is counted, and words.
pub(crate) fn details(progress: &Progress) -> String {
    let mut parts = Vec::new();
    if let Some((done, all)) = progress.bytes.or(progress.steps).filter(|(_, all)| *all > 0) {
        parts.push(bar(done, all));
    }
    parts.extend(progress.bytes.map(|(done, all)| format!("{} of {}", bytes(done), bytes(all))));
    parts.extend(progress.steps.map(|(done, all)| format!("{done}/{all}")));
    if !progress.text.is_empty() {
        parts.push(clean(&progress.text).into_owned());
    }
    parts.join("  ")
}

fn bar(done: u64, all: u64) -> String {
    let cells = done.min(all).saturating_mul(BAR).checked_div(all).unwrap_or(0);
    let filled = usize::try_from(cells).unwrap_or(0);
    let empty = usize::try_from(BAR - cells).unwrap_or(0);
    format!("[{}{}]", "=".repeat(filled), " ".repeat(empty))
}

#[cfg(test)]
mod tests;
