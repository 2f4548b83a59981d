//! The documented JSON of results and events (`docs/json.md`): written here only, read by others.

mod answer;
mod event;
mod outcome;
mod status;

use order::SystemPath;
use report::{Cause, Ending, HostResult, Stage};
use serde::Serialize;
use store::store_path::StoreDir;

pub(crate) use answer::{exited, history, setting};
pub(crate) use event::event;
pub(crate) use outcome::outcome;
pub(crate) use status::status;

/// The version of all forms. New fields and new kinds of events do not raise it.
pub(crate) const VERSION: u32 = 1;

/// A system as its whole path.
fn system(path: &SystemPath) -> String {
    path.in_store(&StoreDir::default())
}

/// How a host's part ended: a word, and what belongs to it.
#[derive(Debug, Serialize)]
pub(crate) struct ResultWire<'a> {
    result: &'static str,
    exit_code: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    stage: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<CauseWire<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lasting: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    aftermath: Option<&'a [String]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'a str>,
}

impl<'a> From<&'a HostResult> for ResultWire<'a> {
    fn from(result: &'a HostResult) -> Self {
        let mut wire = Self { exit_code: result.exit_code(), ..Self::word("") };
        match result {
            HostResult::AlreadyThere => wire.result = "already_there",
            HostResult::Done => wire.result = "done",
            HostResult::Activated(ending) => {
                return Self { exit_code: wire.exit_code, ..Self::from(ending) };
            }
            HostResult::Failed { stage, cause } => {
                wire.result = "failed";
                wire.stage = Some(stage.word());
                wire.cause = Some(cause.into());
            }
            HostResult::Pending { why } => {
                wire.result = "pending";
                wire.why = Some(why);
            }
            HostResult::Skipped { why } => {
                wire.result = "left_out";
                wire.why = Some(why);
            }
        }
        wire
    }
}

impl<'a> From<&'a Ending> for ResultWire<'a> {
    fn from(ending: &'a Ending) -> Self {
        let exit_code = HostResult::Activated(ending.clone()).exit_code();
        let mut wire = match ending {
            Ending::Confirmed { lasting } => Self { lasting: Some(*lasting), ..Self::word("confirmed") },
            Ending::RolledBack { aftermath, .. } => {
                Self { aftermath: Some(aftermath), ..Self::word("rolled_back") }
            }
            Ending::Unchanged { .. } => Self::word("unchanged"),
            Ending::Stuck { remedy, .. } => Self { remedy: Some(remedy), ..Self::word("stuck") },
        };
        wire.exit_code = exit_code;
        wire.cause = ending.cause().map(CauseWire::from);
        wire
    }
}

impl ResultWire<'_> {
    fn word(result: &'static str) -> Self {
        Self {
            result,
            exit_code: 0,
            stage: None,
            cause: None,
            lasting: None,
            remedy: None,
            aftermath: None,
            why: None,
        }
    }
}

/// Why something failed.
#[derive(Debug, Serialize)]
pub(crate) struct CauseWire<'a> {
    kind: &'static str,
    text: &'a str,
    log: &'a [String],
}

impl<'a> From<&'a Cause> for CauseWire<'a> {
    fn from(cause: &'a Cause) -> Self {
        Self { kind: cause.kind.word(), text: &cause.text, log: &cause.log }
    }
}

/// How long a stage took.
#[derive(Debug, Serialize)]
pub(crate) struct StageWire {
    stage: &'static str,
    millis: u64,
}

impl From<&(Stage, u64)> for StageWire {
    fn from((stage, millis): &(Stage, u64)) -> Self {
        Self { stage: stage.word(), millis: *millis }
    }
}

#[cfg(test)]
mod tests;
