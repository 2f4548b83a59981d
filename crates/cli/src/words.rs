//! The words for results, the same in live lines, tables and summaries.

use report::{Cause, CauseKind, Deployed, Ending, Extent, HostResult};

use crate::{
    style::Style,
    text::{bytes, first_line, millis},
};

/// A result in a word or two.
pub(crate) fn result(result: &HostResult) -> &'static str {
    match result {
        HostResult::AlreadyThere => "already there",
        HostResult::Done => "done",
        HostResult::Activated(ending) => ending.word(),
        HostResult::Failed { cause, .. } if cause.kind == CauseKind::Offline => "offline",
        HostResult::Failed { cause, .. } if cause.kind == CauseKind::NotBack => "not back",
        HostResult::Failed { .. } => "failed",
        HostResult::Pending { .. } => "pending",
        HostResult::Skipped { .. } => "left out",
    }
}

/// The end of a host's part in a word or two.
pub(crate) fn end(deployed: &Deployed) -> &'static str {
    match (deployed.extent, &deployed.result) {
        (Extent::Reboot, HostResult::Done) => "rebooted",
        (_, ended) => result(ended),
    }
}

/// How it looks.
pub(crate) fn style(result: &HostResult) -> Style {
    match result.exit_code() {
        0 => Style::Good,
        5 => Style::Warn,
        _ => Style::Bad,
    }
}

/// The order of results in tables and totals: what matters most comes last, where the eye is.
pub(crate) fn weight(result: &HostResult) -> u8 {
    match result.exit_code() {
        0 => 0,
        5 => 1,
        1 => 2,
        3 => 3,
        _ => 4,
    }
}

/// Why it is not done, if it is not.
pub(crate) fn cause(result: &HostResult) -> Option<&Cause> {
    match result {
        HostResult::Failed { cause, .. } => Some(cause),
        HostResult::Activated(ending) => ending.cause(),
        _ => None,
    }
}

/// Why, on one line; empty if all is as it was asked.
pub(crate) fn why(result: &HostResult) -> String {
    let text = match result {
        HostResult::Pending { why } | HostResult::Skipped { why } => why,
        HostResult::Activated(Ending::Confirmed { lasting: false }) => "until the next boot",
        other => cause(other).map_or("", |cause| &cause.text),
    };
    first_line(text).into_owned()
}

/// The end of a host's part on one line.
pub(crate) fn ended(deployed: &Deployed) -> String {
    let mut line = end(deployed).to_owned();
    if let HostResult::Failed { stage, .. } = &deployed.result {
        line.push_str(&format!(" in {}", stage.word()));
    }
    line.push_str(&format!(" after {}", millis(deployed.millis)));
    if deployed.bytes > 0 {
        line.push_str(&format!(", {} sent", bytes(deployed.bytes)));
    }
    let why = why(&deployed.result);
    if !why.is_empty() {
        line.push_str(": ");
        line.push_str(&why);
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::deployed;

    #[test]
    fn a_reboot_that_ended_well_is_told_as_one() {
        let done = deployed(HostResult::Done);
        assert_eq!(end(&done), "done");
        assert_eq!(end(&Deployed { extent: Extent::Reboot, ..done }), "rebooted");
    }
}
