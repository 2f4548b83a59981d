//! From the machine's values to the words that reports and sessions carry.

use activate::{
    Aftermath, BootDefault, Cause as Why, Lasting, Moment, Phase, Record, RevertPart, Reverting, State,
    SwitchResult,
};
use report::{Cause, CauseKind, Ending, LastActivation, LoaderDefault, Pending, Timestamp};
use session::Progress;

/// How an activation ended; none if it has not.
pub(crate) fn ending(state: &State) -> Option<Ending> {
    Some(match state {
        State::Confirmed { lasting } => {
            Ending::Confirmed { lasting: !matches!(lasting, Lasting::UntilReboot) }
        }
        State::RolledBack { cause: why, aftermath: after } => {
            Ending::RolledBack { cause: cause(why), aftermath: aftermath(after) }
        }
        State::Unchanged { cause: why } => Ending::Unchanged { cause: cause(why) },
        State::Stuck { cause: why, remedy } => {
            Ending::Stuck { cause: cause(why), remedy: remedy.to_string() }
        }
        _ => return None,
    })
}

/// Why, with its kind; the last lines of an output become its log.
pub(crate) fn cause(why: &Why) -> Cause {
    let text = why.to_string();
    let (first, rest) = text.split_once('\n').unwrap_or((&text, ""));
    Cause::new(kind(why), first.trim_end_matches(':')).with_log(rest.lines())
}

fn kind(why: &Why) -> CauseKind {
    match why {
        Why::Aborted => CauseKind::Aborted,
        Why::NotConfirmed => CauseKind::Unconfirmed,
        Why::Interrupted | Why::Rebooted => CauseKind::Interrupted,
        Why::Units(_) | Why::SwitchFailed(SwitchResult::Exited { code: 4, .. }) => CauseKind::Units,
        Why::Checks(_) => CauseKind::Check,
        Why::DefaultNotSet(_) | Why::DefaultNotTaken { .. } | Why::NotBooted => CauseKind::BootLoader,
        Why::TakenOver => CauseKind::TakenOver,
        _ => CauseKind::Activation,
    }
}

fn aftermath(after: &Aftermath) -> Vec<String> {
    let units = after.units.iter().map(|unit| format!("{unit} has failed"));
    let network = after.network.iter().map(|fault| format!("the network differs: {fault}"));
    let rebooted = after.rebooted.then(|| "the host was rebooted into its boot default".to_owned());
    let manager = after.manager.iter().map(|fault| format!("systemd is in trouble: {fault}"));
    rebooted
        .into_iter()
        .chain(units)
        .chain(manager)
        .chain(network)
        .chain(after.notes.iter().map(ToString::to_string))
        .collect()
}

/// What happens in a phase, for people.
fn doing(phase: Phase) -> &'static str {
    match phase {
        Phase::Prepared => "roots the systems",
        Phase::Armed => "starts the guard",
        Phase::Switching => "activates the new system",
        Phase::Entry => "gives the boot loader an entry for the new system",
        Phase::Rebooting => "reboots into the new system, once",
        Phase::Landed => "has booted the new system, and starts the guard",
        Phase::Checking => "checks the new system",
        Phase::AwaitingConfirm => "waits for a confirmation over a new connection",
        Phase::Committing => "makes the new system the one that boots",
        Phase::Reverting => "goes back to the system that ran before",
        Phase::Confirmed => "confirmed",
        Phase::RolledBack => "rolled back",
        Phase::Unchanged => "unchanged",
        Phase::Stuck => "needs a person",
    }
}

/// What happens in a state, for people.
fn doing_in(state: &State) -> &'static str {
    match state {
        State::Reverting(Reverting { part: RevertPart::Reboot, .. }) => "reboots into the old system",
        State::Reverting(Reverting { part: RevertPart::Contact, .. }) => {
            "runs the old system, and waits for somebody to come, for the network is not as it was"
        }
        state => doing(state.phase()),
    }
}

/// The word for a state; the host that waits for a contact has one of its own, for the operator has to act on it.
fn word(state: &State) -> &'static str {
    match state {
        State::Reverting(Reverting { part: RevertPart::Contact, .. }) => session::AWAITS_CONTACT,
        state => state.phase().word(),
    }
}

/// How far an activation is, for who follows it.
pub(crate) fn progress(record: &Record, now: Moment) -> Progress {
    let deadline = deadline(&record.state);
    Progress {
        state: word(&record.state).to_owned(),
        text: doing_in(&record.state).to_owned(),
        awaits_confirm: matches!(record.state, State::AwaitingConfirm { .. }),
        left: deadline.map(|deadline| deadline.from_now(now)),
    }
}

fn deadline(state: &State) -> Option<Moment> {
    match state {
        State::Switching { until, .. }
        | State::Checking { until, .. }
        | State::AwaitingConfirm { deadline: until }
        | State::Reverting(Reverting { part: RevertPart::Contact, until, .. }) => Some(*until),
        _ => None,
    }
}

/// An activation that goes on.
pub(crate) fn pending(record: &Record, now: Moment) -> Pending {
    let left = deadline(&record.state).map(|deadline| deadline.from_now(now).as_millis());
    Pending {
        order: record.order.id.clone(),
        system: record.new_system(),
        state: doing_in(&record.state).to_owned(),
        awaits_confirm: matches!(record.state, State::AwaitingConfirm { .. }),
        left_millis: left.map(|millis| u64::try_from(millis).unwrap_or(u64::MAX)),
    }
}

/// An activation that has ended, for the history; none if it has not.
pub(crate) fn last(record: &Record) -> Option<LastActivation> {
    Some(LastActivation {
        order: record.order.id.clone(),
        system: record.new_system(),
        mode: record.order.mode,
        at: Timestamp(record.history.last().map_or(0, |last| last.at.unix.saturating_mul(1000))),
        ending: ending(&record.state)?,
    })
}

/// What the boot loader names.
pub(crate) fn loader(default: BootDefault) -> LoaderDefault {
    match default {
        BootDefault::System(system) => LoaderDefault::System(system),
        BootDefault::Unreadable { why } => LoaderDefault::Unreadable(why.to_string()),
        BootDefault::None => LoaderDefault::NoLoader,
    }
}
