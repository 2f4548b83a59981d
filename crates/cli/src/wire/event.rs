//! The stream of events, one JSON object on each line.

use deploy::{Event, News, Progress};
use report::Deployed;
use serde::Serialize;

use super::{ResultWire, VERSION, system};
use crate::progress::voice;

/// One event.
#[derive(Debug, Serialize)]
pub(crate) struct EventWire<'a> {
    version: u32,
    at: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    host: Option<&'a str>,
    #[serde(flatten)]
    what: WhatWire<'a>,
}

#[derive(Debug, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
enum WhatWire<'a> {
    Began {
        run: &'a str,
        hosts: Vec<&'a str>,
    },
    StageBegan {
        stage: &'static str,
    },
    StageEnded {
        stage: &'static str,
        good: bool,
        millis: u64,
    },
    Waits {
        what: &'a str,
    },
    Progress(ProgressWire<'a>),
    System {
        system: String,
    },
    Line {
        from: &'static str,
        text: &'a str,
    },
    Note {
        text: &'a str,
    },
    Result(DeployedWire<'a>),
    Ended {
        exit_code: u8,
    },
    /// Something that this lockstep has no form for.
    Other,
}

#[derive(Debug, Serialize)]
struct ProgressWire<'a> {
    stage: &'static str,
    text: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    steps: Option<Far>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<Far>,
}

#[derive(Debug, Serialize)]
struct Far {
    done: u64,
    all: u64,
}

/// How a deploy of a host ended.
#[derive(Debug, Serialize)]
pub(crate) struct DeployedWire<'a> {
    order: Option<&'a str>,
    system: Option<String>,
    mode: &'static str,
    millis: u64,
    bytes: u64,
    #[serde(flatten)]
    result: ResultWire<'a>,
}

/// The form of an event.
pub(crate) fn event(event: &Event) -> EventWire<'_> {
    let host = event.host.as_ref().map(order::HostName::as_str);
    EventWire { version: VERSION, at: event.at.0, host, what: what(&event.what) }
}

fn what(news: &News) -> WhatWire<'_> {
    match news {
        News::Began { run, hosts } => {
            WhatWire::Began { run: run.as_str(), hosts: hosts.iter().map(order::HostName::as_str).collect() }
        }
        News::StageBegan(stage) => WhatWire::StageBegan { stage: stage.word() },
        News::StageEnded { stage, good, millis } => {
            WhatWire::StageEnded { stage: stage.word(), good: *good, millis: *millis }
        }
        News::Waits { what } => WhatWire::Waits { what },
        News::Progress(progress) => WhatWire::Progress(progress.into()),
        News::System(path) => WhatWire::System { system: system(path) },
        News::Line { from, text } => WhatWire::Line { from: voice(*from), text },
        News::Note(text) => WhatWire::Note { text },
        News::Result(deployed) => WhatWire::Result(deployed.as_ref().into()),
        News::Ended { exit_code } => WhatWire::Ended { exit_code: *exit_code },
        _ => WhatWire::Other,
    }
}

impl<'a> From<&'a Progress> for ProgressWire<'a> {
    fn from(progress: &'a Progress) -> Self {
        let far = |(done, all): (u64, u64)| Far { done, all };
        Self {
            stage: progress.stage.word(),
            text: &progress.text,
            steps: progress.steps.map(far),
            bytes: progress.bytes.map(far),
        }
    }
}

impl<'a> From<&'a Deployed> for DeployedWire<'a> {
    fn from(deployed: &'a Deployed) -> Self {
        Self {
            order: deployed.order.as_ref().map(order::OrderId::as_str),
            system: deployed.system.as_ref().map(system),
            mode: deployed.mode.word(),
            millis: deployed.millis,
            bytes: deployed.bytes,
            result: (&deployed.result).into(),
        }
    }
}
