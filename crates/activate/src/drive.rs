//! The driver loop: the same few lines for the owner, for whoever recovers, for the guard, and for the tests.

use std::ops::ControlFlow;

use thiserror::Error;

use crate::{
    Effect, Event, Fault, Moment, Next, Observation, Record, RecordError, Reply, Save, Step, Vigil, step,
    step::{GRACE, taken},
    vigil,
};

/// The machine's hands: what acts, and decides nothing.
pub trait Host {
    /// What the host looks like now. Called before each decision, so it must be quick: links, the boot loader's own
    /// files, a control group; no D-Bus, no child process that can hang.
    fn observe(&mut self) -> Observation;

    /// Does one effect and says how it went: [`Event::Done`] with this effect; [`Event::Compared`] for
    /// [`Effect::Compare`]; [`Event::Abort`] where the effect allows breaking off. `record` is what the journal holds.
    fn perform(&mut self, effect: &Effect, record: &Record) -> Event;

    /// Waits for what comes first: the end of the activation's unit ([`Event::SwitchEnded`], only while it switches),
    /// a session's [`Event::Confirm`] or [`Event::Abort`], [`Event::Progress`], or [`Event::Deadline`] at `until`.
    fn wait(&mut self, until: Moment, record: &Record) -> Event;

    /// Answers the oldest `Confirm` or `Abort` that has no answer yet.
    fn reply(&mut self, reply: Reply);
}

/// The one place that holds the record of the last activation of a host.
pub trait Journal {
    /// The record, if there is one.
    ///
    /// # Errors
    /// If it cannot be read or is not one.
    fn load(&mut self) -> Result<Option<Record>, LoadError>;

    /// Replaces the record, atomically and synced: after a power cut there is the old one or this one.
    ///
    /// # Errors
    /// If it could not be written. The old one is then still there, or this one is: both are taken.
    fn store(&mut self, record: &Record) -> Result<(), Fault>;
}

/// Why there is no record to be had from a journal.
#[derive(Debug, Error)]
pub enum LoadError {
    /// The bytes could not be had.
    #[error("the journal could not be read")]
    Read(#[source] Fault),
    /// The bytes are not a record that is understood.
    #[error("the journal is damaged or of another Lockstep")]
    Form(#[from] RecordError),
}

/// What time it is.
pub trait Clock {
    /// Now.
    fn now(&mut self) -> Moment;
}

/// What the guard sees of the owner's lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Owner {
    /// Somebody holds the lock.
    Alive,
    /// The lock is free.
    Gone,
}

/// The guard's sight and reach of the owner.
pub trait Watch {
    /// Sleeps until `until`, on the boot-time clock, or until the lock is free, whichever comes first.
    fn wait_for_owner(&mut self, until: Moment) -> Owner;

    /// Ends the owner's process if there is one (a late owner hangs) and takes the lock.
    ///
    /// # Errors
    /// If the lock could not be had; the guard looks again.
    fn take_over(&mut self) -> Result<(), Fault>;
}

/// How an activation ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// The record, in an end state.
    pub record: Record,
    /// Why the journal does not hold it: its last write failed. Whoever finds the older record finishes it again,
    /// with the same end.
    pub unsaved: Option<Fault>,
}

/// Runs a new activation to its end. The caller holds the lock, and the journal holds no unfinished record.
pub fn begin<H, J, C>(record: Record, host: &mut H, journal: &mut J, clock: &mut C) -> Ended
where
    H: Host,
    J: Journal,
    C: Clock,
{
    drive(record, Event::Begin, host, journal, clock)
}

/// Brings an activation that was found in the journal to its end. The caller holds the lock. A record that has ended
/// is only tidied up: its guard is stopped and its roots are removed.
pub fn resume<H, J, C>(record: Record, host: &mut H, journal: &mut J, clock: &mut C) -> Ended
where
    H: Host,
    J: Journal,
    C: Clock,
{
    drive(record, Event::Start, host, journal, clock)
}

/// Guards the activation of `mine`, the record that the guard loaded when it was armed: sleeps, and takes over when
/// the owner is dead or late. A live owner in `Committing` is left alone. `None` if the activation needed no help.
pub fn guard<H, J, C>(mine: &Record, host: &mut H, journal: &mut J, clock: &mut C) -> Option<Ended>
where
    H: Host + Watch,
    J: Journal,
    C: Clock,
{
    let mut owner = Owner::Alive;
    loop {
        match vigil(mine, journal.load(), owner, clock.now()) {
            Vigil::Leave => return None,
            Vigil::Sleep(until) => owner = host.wait_for_owner(until),
            Vigil::TakeOver => match host.take_over() {
                // What the owner wrote last is known only now.
                Ok(()) => {
                    let record = taken(mine, journal.load(), &host.observe())?;
                    return Some(resume(record, host, journal, clock));
                }
                Err(_) => owner = host.wait_for_owner(clock.now().after(GRACE)),
            },
        }
    }
}

fn drive<H, J, C>(record: Record, event: Event, host: &mut H, journal: &mut J, clock: &mut C) -> Ended
where
    H: Host,
    J: Journal,
    C: Clock,
{
    let mut going = Going { record, event, unsaved: None };
    loop {
        match turn(going, step, host, journal, clock.now()) {
            ControlFlow::Continue(next) => going = next,
            ControlFlow::Break(ended) => return ended,
        }
    }
}

/// An activation between two turns of the loop.
#[derive(Debug, Clone)]
pub(crate) struct Going {
    pub(crate) record: Record,
    pub(crate) event: Event,
    pub(crate) unsaved: Option<Fault>,
}

/// What decides: [`step`], and in tests also a wrong one.
pub(crate) type Decide = fn(&Record, Event, &Observation, Moment) -> Step;

/// One turn: look, decide, write, answer, act.
pub(crate) fn turn<H: Host, J: Journal>(
    going: Going,
    decide: Decide,
    host: &mut H,
    journal: &mut J,
    now: Moment,
) -> ControlFlow<Ended, Going> {
    let Going { record, event, mut unsaved } = going;
    let step = decide(&record, event, &host.observe(), now);
    if step.save != Save::No {
        match journal.store(&step.record) {
            Ok(()) => unsaved = None,
            Err(fault) if step.save == Save::Must => {
                return ControlFlow::Continue(Going { record, event: Event::JournalFailed(fault), unsaved });
            }
            Err(fault) => unsaved = Some(fault),
        }
    }
    let record = step.record;
    if let Some(reply) = step.reply {
        host.reply(reply);
    }
    let event = match step.next {
        Next::Do(effect) => host.perform(&effect, &record),
        Next::Wait(until) => host.wait(until, &record),
        Next::End => return ControlFlow::Break(Ended { record, unsaved }),
    };
    ControlFlow::Continue(Going { record, event, unsaved })
}
