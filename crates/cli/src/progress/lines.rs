//! Plain lines: what is worth a line of its own, for logs and for above the board. Pure: events in, lines out.

use std::{collections::HashMap, time::Duration};

use deploy::{Event, News, Progress, Voice};
use order::HostName;
use report::{Stage, Timestamp};

use super::{Work, board::details};
use crate::{
    style::{Style, paint},
    text::{clean, counted, millis},
    words,
};

/// How far a stage is, is told at most so often for each host.
const BETWEEN: Duration = Duration::from_secs(10);

/// How much is told.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Detail {
    /// A board shows the stages.
    pub(crate) is_live: bool,
    /// How often -v was given.
    pub(crate) verbose: u8,
    /// What the operation does.
    pub(crate) work: Work,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Said {
    /// The line, clean.
    pub(crate) text: String,
    /// Whether it belongs on standard output.
    pub(crate) is_result: bool,
}

/// Makes lines of events.
#[derive(Debug)]
pub(crate) struct Lines {
    detail: Detail,
    color: bool,
    told: HashMap<HostName, Timestamp>,
}

impl Lines {
    /// Nothing is told yet.
    pub(crate) fn new(detail: Detail, color: bool) -> Self {
        Self { detail, color, told: HashMap::new() }
    }

    /// The lines of one event.
    pub(crate) fn take(&mut self, event: &Event) -> Option<Said> {
        let host = event.host.as_ref();
        match &event.what {
            News::Line { from, text } => self.line(host, *from, text),
            News::Progress(progress) => self.progress(host?, event.at, progress),
            other => self.told(host, other),
        }
    }

    /// Whether every stage is worth a line.
    fn is_plain(&self) -> bool {
        !self.detail.is_live && self.detail.work == Work::Run
    }

    fn told(&self, host: Option<&HostName>, what: &News) -> Option<Said> {
        let (plain, more) = (self.is_plain(), self.detail.verbose > 0);
        let text = match what {
            News::Began { run, hosts } if more => format!("run {run} with {}", counted(hosts.len(), "host")),
            News::StageBegan(stage) if plain || more => stage.word().to_owned(),
            News::StageEnded { stage, good, millis } if more || (!good && self.detail.work == Work::Run) => {
                stage_ended(*stage, *good, *millis)
            }
            News::Waits { what } if plain || more => format!("waits: {}", clean(what)),
            News::System(system) if more => format!("system {system}"),
            News::Note(text) => format!("{} {}", paint("note:", Style::Warn, self.color), clean(text)),
            News::Result(deployed) if plain || more || deployed.result.exit_code() != 0 => {
                paint(&words::ended(deployed), words::style(&deployed.result), self.color)
            }
            _ => return None,
        };
        Some(said(host, ": ", &text))
    }

    fn progress(&mut self, host: &HostName, at: Timestamp, progress: &Progress) -> Option<Said> {
        if !self.is_plain() {
            return None;
        }
        let before = *self.told.entry(host.clone()).or_insert(at);
        if before.until(at) < BETWEEN {
            return None;
        }
        self.told.insert(host.clone(), at);
        Some(said(Some(host), ": ", format!("{} {}", progress.stage.word(), details(progress)).trim_end()))
    }

    fn line(&self, host: Option<&HostName>, from: Voice, text: &str) -> Option<Said> {
        let text = clean(text);
        match from {
            // Of a command that was asked for, or of a dry run.
            Voice::Out => Some(Said { is_result: true, ..said(host, " | ", &text) }),
            Voice::Err => Some(said(host, " | ", &text)),
            _ if self.detail.verbose > 1 => Some(said(host, &format!(" {}| ", from.word()), &text)),
            _ => None,
        }
    }
}

fn stage_ended(stage: Stage, good: bool, time: u64) -> String {
    let how = if good { "done" } else { "failed" };
    format!("{} {how} after {}", stage.word(), millis(time))
}

fn said(host: Option<&HostName>, between: &str, text: &str) -> Said {
    let text = match host {
        Some(host) => format!("{host}{between}{text}"),
        None => text.to_owned(),
    };
    Said { text, is_result: false }
}

#[cfg(test)]
mod tests;
