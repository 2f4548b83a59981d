//! What follows from what a host said before and after its reboot: decided without effects.

use std::time::Duration;

use order::{SystemPath, UnitName, format_duration};
use report::{Cause, CauseKind, HostStatus, LoaderDefault, Timestamp};

/// Most units that a cause names.
const NAMED: usize = 10;

/// The system that the host would boot next; none if it does not know.
pub(crate) fn would_boot(status: &HostStatus) -> Option<&SystemPath> {
    match (&status.once, &status.default) {
        (Some(once), _) => Some(once),
        (None, LoaderDefault::System(system)) => Some(system),
        // Containers start what their profile names.
        (None, LoaderDefault::NoLoader) => status.profile.as_ref().map(|generation| &generation.system),
        (None, LoaderDefault::Unreadable(_)) => None,
    }
}

/// What is not as it should be on a host that is back, the worst first.
pub(super) fn troubles(before: &HostStatus, after: &HostStatus, wanted: Option<&SystemPath>) -> Vec<Cause> {
    let mut troubles = Vec::new();
    let runs = after.running.as_ref();
    if let Some(wanted) = wanted.filter(|wanted| runs != Some(*wanted)) {
        let text = format!("it came back with {}, and not with {wanted}", name(runs));
        let booted = format!("booted: {}", name(after.booted.as_ref()));
        let cause = Cause::new(CauseKind::BootLoader, text);
        troubles.push(cause.with_log([booted, boots(after)]));
    } else if after.booted != after.running {
        let text =
            format!("it booted {}, and runs {}", name(after.booted.as_ref()), name(after.running.as_ref()));
        troubles.push(Cause::new(CauseKind::Activation, text));
    }
    let newly: Vec<&str> =
        after.failed.iter().filter(|unit| !before.failed.contains(unit)).map(UnitName::as_str).collect();
    if !newly.is_empty() {
        let named = newly.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
        let more = if newly.len() > NAMED { ", and more" } else { "" };
        let text = format!("it is back, and units have failed that had not before: {named}{more}");
        troubles.push(Cause::new(CauseKind::Units, text));
    }
    troubles
}

/// A host that was asked to reboot and is waited for.
#[derive(Debug)]
pub(super) struct Absence {
    asked: Timestamp,
    limit: Duration,
    /// Since when it cannot be reached, and the last reason; none if it answered last, in the old boot.
    away: Option<(Timestamp, String)>,
}

impl Absence {
    pub(super) fn new(asked: Timestamp, limit: Duration) -> Self {
        Self { asked, limit, away: None }
    }

    /// It answers, in the old boot.
    pub(super) fn still_there(&mut self) {
        self.away = None;
    }

    /// It does not answer, for this reason. Whether that is new.
    pub(super) fn gone(&mut self, now: Timestamp, why: &str) -> bool {
        let since = self.away.as_ref().map(|(since, _)| *since);
        self.away = Some((since.unwrap_or(now), why.to_owned()));
        since.is_none()
    }

    /// Why it is given up.
    pub(super) fn cause(&self, before: &HostStatus) -> Cause {
        let (asked, limit) = (self.asked, format_duration(self.limit));
        let Some((since, why)) = &self.away else {
            let text = format!(
                "it was asked to reboot at {asked}, and {limit} later the same boot still runs; `systemctl list-jobs` \
                 there tells what holds it"
            );
            return Cause::new(CauseKind::Activation, text);
        };
        let text = format!("it has not come back within {limit} of its reboot: away since {since}");
        let known = [
            format!("asked to reboot at {asked}, out of reach since {since}"),
            format!("until then it ran {}", name(before.running.as_ref())),
            boots(before),
            format!("the last try to reach it: {why}"),
        ];
        Cause::new(CauseKind::NotBack, text).with_log(known)
    }
}

/// What the host would boot, as it said.
fn boots(status: &HostStatus) -> String {
    let default = match &status.default {
        LoaderDefault::System(system) => format!("its boot loader names {system}"),
        LoaderDefault::Unreadable(why) => format!("what its boot loader names could not be read: {why}"),
        LoaderDefault::NoLoader => "it has no boot loader".to_owned(),
    };
    match &status.once {
        Some(once) => format!("its boot loader boots {once} once; after that, {default}"),
        None => default,
    }
}

fn name(system: Option<&SystemPath>) -> String {
    system.map_or_else(|| "an unknown system".to_owned(), ToString::to_string)
}

#[cfg(test)]
mod tests;
