//! The JSON form of events, version 1: one object on a line, for programs.
//!
//! Every object has `version`, `at` (milliseconds since 1970), `event`, and `host` unless it is about the whole run. The
//! words of `event` and what else is there:
//!
//! | event | fields |
//! |---|---|
//! | `began` | `run`, `hosts` |
//! | `stage-began` | `stage`: `evaluate`, `build`, `connect`, `ship`, `activate`, `reboot` or `confirm` |
//! | `stage-ended` | `stage`, `good`, `millis` |
//! | `waits` | `text` |
//! | `progress` | `stage`, `text`, and where known `steps` and `bytes`, each `[done, all]` |
//! | `system` | `system`: a path |
//! | `line` | `from`: `nix`, `store`, `activation`, `out` or `err`; `text` |
//! | `note` | `text` |
//! | `result` | `report`: as in the files of reports |
//! | `ended` | `exit_code` |
//!
//! Words and fields may be added to version 1; what is there stays.

use order::SystemPath;
use report::{Report, What};
use serde::Serialize;
use serde_json::value::RawValue;
use store::store_path::StoreDir;

use crate::{Event, News, Progress};

const VERSION: u32 = 1;

#[derive(Serialize, Default)]
struct EventWire {
    version: u32,
    at: u64,
    event: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    host: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    run: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hosts: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stage: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    good: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    millis: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    steps: Option<(u64, u64)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<(u64, u64)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    system: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    report: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exit_code: Option<u8>,
}

impl Event {
    /// The form for programs: JSON on one line, without the end of the line.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(&EventWire::from(self)).expect("invariant: plain data")
    }
}

impl From<&Event> for EventWire {
    fn from(event: &Event) -> Self {
        let Event { at, host, what } = event;
        let base = Self {
            version: VERSION,
            at: at.0,
            host: host.as_ref().map(ToString::to_string),
            ..Self::default()
        };
        match what {
            News::Began { run, hosts } => {
                let hosts = hosts.iter().map(ToString::to_string).collect();
                Self { event: "began", run: Some(run.to_string()), hosts: Some(hosts), ..base }
            }
            News::StageBegan(stage) => Self { event: "stage-began", stage: Some(stage.word()), ..base },
            News::StageEnded { stage, good, millis } => Self {
                event: "stage-ended",
                stage: Some(stage.word()),
                good: Some(*good),
                millis: Some(*millis),
                ..base
            },
            News::Waits { what } => Self { event: "waits", text: Some(what.clone()), ..base },
            News::Progress(progress) => base.progress(progress),
            News::System(system) => Self { event: "system", system: Some(path(system)), ..base },
            News::Line { from, text } => {
                Self { event: "line", from: Some(from.word()), text: Some(text.clone()), ..base }
            }
            News::Note(text) => Self { event: "note", text: Some(text.clone()), ..base },
            News::Result(deployed) => {
                let what = What::Deployed((**deployed).clone());
                let report = host.clone().map(|host| Report { at: *at, host, what }.to_json());
                Self { event: "result", report: report.and_then(raw), ..base }
            }
            News::Ended { exit_code } => Self { event: "ended", exit_code: Some(*exit_code), ..base },
        }
    }
}

impl EventWire {
    fn progress(self, progress: &Progress) -> Self {
        let Progress { stage, text, steps, bytes } = progress;
        let (stage, text) = (Some(stage.word()), Some(text.clone()));
        Self { event: "progress", stage, text, steps: *steps, bytes: *bytes, ..self }
    }
}

fn path(system: &SystemPath) -> String {
    system.in_store(&StoreDir::default())
}

fn raw(json: Vec<u8>) -> Option<Box<RawValue>> {
    RawValue::from_string(String::from_utf8(json).ok()?).ok()
}

#[cfg(test)]
mod tests;
