//! From errors to causes: of each its kind, one line for people, and the last lines of what failed.

use std::error::Error;

use eval::{BuildError, EvalError};
use report::{Cause, CauseKind, Ending, HostResult};
use ssh::{Reason, Told};
use transfer::Refusal;

use crate::agents::NoAgent;
use crate::talk::TalkError;
use crate::text::{last_lines, one_line, plain};

/// An error and all its sources on one line.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        text.push_str(": ");
        text.push_str(&source.to_string());
        next = source.source();
    }
    one_line(&text)
}

pub(crate) fn evaluation(error: &EvalError) -> Cause {
    let log = error.last_words().map(last_lines).unwrap_or_default();
    let text = match error {
        EvalError::Nix { words, .. } => words.heart.lines().next().unwrap_or("").to_owned(),
        error => chain(error),
    };
    let kind =
        if matches!(error, EvalError::Cancelled { .. }) { CauseKind::Aborted } else { CauseKind::Evaluation };
    Cause::new(kind, plain(&text)).with_log(log)
}

pub(crate) fn build(error: &BuildError) -> Cause {
    match error {
        BuildError::Failed { log, .. } => {
            let log = last_lines(&log.join("\n"));
            Cause::new(CauseKind::Build, first_line(&error.to_string())).with_log(log)
        }
        BuildError::Cancelled => Cause::new(CauseKind::Aborted, "the build was cancelled"),
        error => Cause::new(CauseKind::Build, chain(error)),
    }
}

/// What is wrong on the way to the agent.
pub(crate) fn ssh(error: &ssh::Error) -> Cause {
    let (kind, text, said) = match error {
        ssh::Error::Unreached(failures) => {
            let known: Vec<&ssh::Failure> =
                failures.iter().filter(|failure| !offline(failure.reason)).collect();
            // Where one address led to the host, what it said there is the cause.
            let told = if known.is_empty() { failures.iter().collect() } else { known.clone() };
            let text: Vec<String> =
                told.iter().map(|failure| format!("{}: {}", failure.address, failure.reason)).collect();
            let said = told.last().map(|failure| failure.said.clone()).unwrap_or_default();
            (if known.is_empty() { CauseKind::Offline } else { CauseKind::Ssh }, text.join(", "), said)
        }
        ssh::Error::Refused { told, .. } => {
            (CauseKind::Elevation, first_line(&error.to_string()), said(told))
        }
        ssh::Error::Lost(told) => (CauseKind::Offline, first_line(&error.to_string()), said(told)),
        ssh::Error::NotFound(told)
        | ssh::Error::NotExecutable(told)
        | ssh::Error::Ended { told, .. }
        | ssh::Error::Silent { told, .. }
        | ssh::Error::TooMuch { told, .. } => (CauseKind::Agent, first_line(&error.to_string()), said(told)),
        error => (CauseKind::Ssh, chain(error), String::new()),
    };
    Cause::new(kind, format!("{}; {}", plain(&text), error.hint())).with_log(last_lines(&said))
}

fn said(told: &Told) -> String {
    told.said.clone()
}

/// Whether the host was not reached at all.
fn offline(reason: Reason) -> bool {
    matches!(
        reason,
        Reason::NameNotFound | Reason::Refused | Reason::TimedOut | Reason::NoRoute | Reason::HungUp
    )
}

/// What is wrong with a session; `said` is what the agent printed beside it.
pub(crate) fn talk(error: &TalkError, said: &str) -> Cause {
    match error {
        TalkError::Refused(cause) => clean(cause),
        TalkError::Store(_) => Cause::new(CauseKind::Transfer, chain(error)),
        error => Cause::new(CauseKind::Agent, chain(error)).with_log(last_lines(said)),
    }
}

/// A cause that a host told, fit to be shown.
pub(crate) fn clean(cause: &Cause) -> Cause {
    Cause::new(cause.kind, one_line(&cause.text)).with_log(last_lines(&cause.log.join("\n")))
}

/// A result fit to be shown, logged and remembered, whatever a host has said in it. All results come through here.
pub(crate) fn result(result: HostResult) -> HostResult {
    match result {
        HostResult::AlreadyThere | HostResult::Done => result,
        HostResult::Activated(ending) => HostResult::Activated(clean_ending(ending)),
        HostResult::Failed { stage, cause } => HostResult::Failed { stage, cause: clean(&cause) },
        HostResult::Pending { why } => HostResult::Pending { why: one_line(&why) },
        HostResult::Skipped { why } => HostResult::Skipped { why: one_line(&why) },
    }
}

fn clean_ending(ending: Ending) -> Ending {
    match ending {
        Ending::Confirmed { lasting } => Ending::Confirmed { lasting },
        Ending::RolledBack { cause, aftermath } => Ending::RolledBack {
            cause: clean(&cause),
            aftermath: aftermath.iter().map(|line| one_line(line)).collect(),
        },
        Ending::Unchanged { cause } => Ending::Unchanged { cause: clean(&cause) },
        Ending::Stuck { cause, remedy } => Ending::Stuck { cause: clean(&cause), remedy: one_line(&remedy) },
    }
}

pub(crate) fn no_agent(error: &NoAgent) -> Cause {
    Cause::new(CauseKind::Agent, chain(error))
}

pub(crate) fn transfer(error: &transfer::Error) -> Cause {
    let kind = match error {
        transfer::Error::Refused { refusal: Refusal::DiskFull, .. } => CauseKind::Space,
        _ => CauseKind::Transfer,
    };
    Cause::new(kind, chain(error))
}

pub(crate) fn first_line(text: &str) -> String {
    plain(text.lines().next().unwrap_or(""))
}

#[cfg(test)]
mod tests {
    use report::Stage;

    use super::*;

    #[test]
    fn no_result_carries_a_host_s_control_characters() {
        let raw = "a\nb\u{1b}[2J\u{7}\u{202e}c";
        let cause = || Cause::new(CauseKind::Units, raw).with_log([raw]);
        let results = [
            HostResult::Pending { why: raw.to_owned() },
            HostResult::Skipped { why: raw.to_owned() },
            HostResult::Failed { stage: Stage::Confirm, cause: cause() },
            HostResult::Activated(Ending::Unchanged { cause: cause() }),
            HostResult::Activated(Ending::Stuck { cause: cause(), remedy: raw.to_owned() }),
            HostResult::Activated(Ending::RolledBack { cause: cause(), aftermath: vec![raw.to_owned()] }),
        ];
        for found in results.map(result) {
            let text = format!("{found:?}");
            assert!(text.contains("a bc") && !text.contains('\\'), "{text}");
        }
    }
}
