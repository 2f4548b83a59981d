//! What hosts answer to `history` and `exec`, and what `show` tells, one JSON object each.

use deploy::{Answered, Exit};
use fleet::Shown;
use order::HostName;
use report::{Cause, Generation, LastActivation};
use serde::Serialize;

use super::{
    CauseWire, VERSION,
    status::{ActivationWire, GenerationWire},
};

/// What a host did.
#[derive(Debug, Serialize)]
pub(crate) struct HistoryWire<'a> {
    version: u32,
    event: &'static str,
    host: &'a str,
    millis: u64,
    activations: Vec<ActivationWire<'a>>,
    generations: Vec<GenerationWire>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<CauseWire<'a>>,
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
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<CauseWire<'a>>,
}

/// One setting of a host.
#[derive(Debug, Serialize)]
pub(crate) struct SettingWire<'a> {
    version: u32,
    event: &'static str,
    host: &'a str,
    setting: &'a str,
    /// As Nix writes it.
    value: &'a str,
    /// The attributes that say it; none if it is the built-in default.
    from: Vec<String>,
}

type Histories = (Vec<LastActivation>, Vec<Generation>);

/// The form of a history.
pub(crate) fn history(answered: &Answered<Histories>) -> HistoryWire<'_> {
    let (activations, generations) =
        answered.answer.as_ref().map_or((&[][..], &[][..]), |(did, have)| (did, have));
    HistoryWire {
        version: VERSION,
        event: "history",
        host: answered.host.as_str(),
        millis: answered.millis,
        activations: activations.iter().map(ActivationWire::from).collect(),
        generations: generations.iter().map(GenerationWire::from).collect(),
        cause: cause(answered.answer.as_ref()),
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
        cause: cause(answered.answer.as_ref()),
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

fn cause<T>(answer: Result<T, &Cause>) -> Option<CauseWire<'_>> {
    answer.err().map(CauseWire::from)
}
