//! The guard's decision: to sleep on, to leave, or to take over.

use std::time::Duration;

use order::Mode;

use crate::{
    CommitPart, LoadError, Moment, Observation, Owner, RebootPart, Record, RevertPart, Reverting, State,
};

/// How much later than its deadline a live owner may be before it counts as hanging.
pub(crate) const GRACE: Duration = Duration::from_secs(3);
/// How long the host may take to end the processes of a part of the way back whose time is over.
const ENDING: Duration = Duration::from_secs(60);
/// How often the guard reads the journal again, so that it learns of a nearer deadline.
const LOOK: Duration = Duration::from_secs(5);

/// What the guard does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Vigil {
    /// Another order has come, so there is nothing to guard.
    Leave,
    /// All is well; look again then, or when the owner is gone.
    Sleep(Moment),
    /// The owner is dead or late.
    TakeOver,
}

/// Decides for the guard of `mine`. Without a journal that can be read its own record must do.
#[must_use]
pub fn vigil(mine: &Record, journal: Result<Option<Record>, LoadError>, owner: Owner, now: Moment) -> Vigil {
    let record = match journal {
        Ok(Some(record)) if record.order.id != mine.order.id => return Vigil::Leave,
        Ok(Some(record)) => record,
        Ok(None) | Err(_) => mine.clone(),
    };
    let look = now.after(LOOK);
    match (owner, patience(&record)) {
        // It went because the host goes down: whoever wakes now must not undo what was decided.
        (Owner::Gone, _) if leaving(&record).is_some_and(|until| !until.is_over(now)) => Vigil::Sleep(look),
        (Owner::Gone, _) => Vigil::TakeOver,
        (Owner::Alive, Some(until)) if until.is_over(now) => Vigil::TakeOver,
        (Owner::Alive, Some(until)) => Vigil::Sleep(until.min(look)),
        (Owner::Alive, None) => Vigil::Sleep(look),
    }
}

/// The record that a guard of `mine` takes over; `None` if another order has come. Without a journal that can be read
/// the host itself is asked: where the new system runs and is the profile, its commit was begun, and only a
/// confirmation begins one; otherwise nothing is known but that the switch may have been begun.
pub(crate) fn taken(
    mine: &Record,
    journal: Result<Option<Record>, LoadError>,
    seen: &Observation,
) -> Option<Record> {
    if let Ok(Some(record)) = journal {
        return (record.order.id == mine.order.id).then_some(record);
    }
    let new = Some(mine.new_system());
    let lasts = mine.order.mode != Mode::Test;
    let commits = lasts && seen.running == new && seen.profile == new && mine.before.profile != new;
    let state = if commits {
        State::Committing { part: CommitPart::Profile, tries: 0 }
    } else {
        super::reverting::from_the_dark(mine)
    };
    Some(Record { state, ..mine.clone() })
}

/// Until when a reboot is under way that was asked for.
fn leaving(record: &Record) -> Option<Moment> {
    match &record.state {
        State::Rebooting { part: RebootPart::Reboot, until }
        | State::Reverting(Reverting { part: RevertPart::Reboot, until, .. }) => Some(*until),
        _ => None,
    }
}

fn sets_loader(part: RevertPart) -> bool {
    matches!(part, RevertPart::Profile | RevertPart::Default | RevertPart::Trial | RevertPart::Entries)
}

/// When a live owner counts as hanging; never while it sets a boot default, however slow the loader's installer is,
/// nor when nothing is left to do.
fn patience(record: &Record) -> Option<Moment> {
    let limits = record.order.settings.limits;
    let until = match &record.state {
        State::Prepared | State::Armed => record.begun()?.after(limits.total).after(limits.confirm),
        State::Switching { until, .. } | State::Checking { until, .. } => until.after(limits.confirm),
        State::AwaitingConfirm { deadline } => *deadline,
        State::Rebooting { until, .. } => *until,
        State::Landed => record.history.last()?.at.after(limits.total),
        State::Reverting(back) if sets_loader(back.part) => return None,
        // The host itself stops the way back at `until`; ending its processes takes a while more.
        State::Reverting(back) if matches!(back.part, RevertPart::Back | RevertPart::End) => {
            back.until.after(ENDING)
        }
        State::Reverting(back) => back.until,
        _ => return None,
    };
    Some(until.after(GRACE))
}
