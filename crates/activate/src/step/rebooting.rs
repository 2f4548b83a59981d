//! The way through a reboot: the new system beside the old one in the boot loader, booted once, and the guard anew.

use std::time::Duration;

use order::SystemPath;

use super::{Next, Save, Step, Turn};
use crate::{Cause, CheckPart, Effect, EntryPart, Event, Fault, Moment, Once, RebootPart, Reply, State};

/// How long a reboot may take to begin: what systemd is given to stop all units, and then the kernel's own way.
const BEGINS: Duration = Duration::from_secs(150);

impl Turn<'_> {
    /// The first state of the way through a reboot. What brings the old system back is its boot default.
    pub(super) fn stage(self) -> Step {
        self.go(State::Entry { part: EntryPart::Trial }, Save::Must, self.make(EntryPart::Trial))
    }

    fn make(self, part: EntryPart) -> Next {
        Next::Do(match (part, self.stays_default()) {
            (EntryPart::Entries, Some(default)) => Effect::SetDefault(default),
            (EntryPart::Trial | EntryPart::Entries, _) => Effect::SetTrial(self.record.new_system()),
        })
    }

    /// The system whose installer lists the new one, and which stays the default.
    fn stays_default(self) -> Option<SystemPath> {
        self.record.before.default.system().cloned()
    }

    pub(super) fn entry(self, event: Event, part: EntryPart) -> Step {
        match event {
            Event::Done(..) if self.stranger_runs() || self.profile_moved() => self.revert(Cause::TakenOver),
            Event::Done(Effect::SetTrial(_), Ok(())) => {
                let part = EntryPart::Entries;
                self.go(State::Entry { part }, Save::Must, self.make(part))
            }
            Event::Done(Effect::SetDefault(_), Ok(())) if self.seen.default != self.record.before.default => {
                self.revert(Cause::DefaultNotTaken { found: self.seen.default.clone() })
            }
            Event::Done(Effect::SetDefault(_), Ok(())) => {
                self.leave(RebootPart::Once, Effect::SetOnce(self.record.new_system()))
            }
            Event::Done(_, Err(fault)) => self.revert(Cause::EntryNotMade(fault)),
            Event::JournalFailed(fault) => self.revert(Cause::Journal(fault)),
            Event::Start => self.revert(self.interrupted()),
            Event::Abort => self.revert(Cause::Aborted).reply(Reply::Aborting),
            other => self.stray(&other, self.make(part)),
        }
    }

    fn leave(self, part: RebootPart, effect: Effect) -> Step {
        let until = begins(self.now);
        self.go(State::Rebooting { part, until }, Save::Must, Next::Do(effect))
    }

    pub(super) fn rebooting(self, event: Event, part: RebootPart) -> Step {
        match event {
            Event::Start if self.rebooted() => self.landed_or_back(),
            Event::Start => self.revert(self.interrupted()),
            Event::Done(..) if self.stranger_runs() || self.profile_moved() => self.revert(Cause::TakenOver),
            Event::Done(Effect::SetOnce(_), Ok(())) if self.is_set_once() => {
                self.leave(RebootPart::Reboot, Effect::Reboot)
            }
            Event::Done(Effect::SetOnce(_), Ok(())) => {
                self.revert(Cause::OnceNotSet(Fault::new("it says otherwise afterwards")))
            }
            Event::Done(Effect::SetOnce(_), Err(fault)) => self.revert(Cause::OnceNotSet(fault)),
            Event::Done(Effect::Reboot, Err(fault)) => self.revert(Cause::NotRebooted(fault)),
            Event::JournalFailed(fault) => self.revert(Cause::Journal(fault)),
            Event::Abort => self.revert(Cause::Aborted).reply(Reply::Aborting),
            other => {
                let next = match part {
                    RebootPart::Once => Effect::SetOnce(self.record.new_system()),
                    RebootPart::Reboot => Effect::Reboot,
                };
                self.stray(&other, Next::Do(next))
            }
        }
    }

    /// The boot after [`State::Rebooting`]: the new system is on trial, anything else is the way back.
    fn landed_or_back(self) -> Step {
        if self.new_runs() {
            self.go(State::Landed, Save::Must, Next::Do(Effect::Arm))
        } else {
            self.revert(Cause::NotBooted)
        }
    }

    pub(super) fn landed(self, event: Event) -> Step {
        match event {
            Event::Done(Effect::Arm, Ok(())) => {
                let until = self.now.after(self.record.order.settings.limits.total);
                self.check(until, CheckPart::Units)
            }
            Event::Done(Effect::Arm, Err(fault)) => self.revert(Cause::NotGuarded(fault)),
            Event::JournalFailed(fault) => self.revert(Cause::Journal(fault)),
            Event::Start => self.revert(self.interrupted()),
            Event::Abort => self.revert(Cause::Aborted).reply(Reply::Aborting),
            other => self.stray(&other, Next::Do(Effect::Arm)),
        }
    }

    /// The next boot is the new system's, once.
    pub(super) fn is_set_once(self) -> bool {
        self.seen.once == Once::Set(self.record.new_system())
    }
}

/// When a reboot that was asked for in this moment has begun, or never does.
pub(super) fn begins(now: Moment) -> Moment {
    now.after(BEGINS)
}
