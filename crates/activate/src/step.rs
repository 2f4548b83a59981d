//! The machine: from what is recorded, what happened and what is seen to what is done next. Nobody else decides.
//!
//! One function for each state; [`Turn`] holds what they share. The way through a reboot is in `rebooting`, the way
//! back in `reverting`, the guard's decision in `vigil`.

mod rebooting;
mod reverting;
mod vigil;

use order::{Mode, Nonce, OrderId};

pub(crate) use vigil::{GRACE, taken};
pub use vigil::{Vigil, vigil};

use crate::{
    BootDefault, Cause, CheckPart, CommitPart, Effect, Event, Fault, Lasting, Moment, Observation, Record,
    Remedy, Reply, State, SwitchResult, SwitchUnit,
};

/// How often profile and boot default are tried before the old system comes back.
const COMMIT_TRIES: u32 = 2;

/// What one event leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The record from now on.
    pub record: Record,
    /// Whether it is written before anything else is done.
    pub save: Save,
    /// What the session is told, after the write.
    pub reply: Option<Reply>,
    /// What is done then.
    pub next: Next,
}

/// Whether a record is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Save {
    /// Nothing in it must survive.
    No,
    /// Nothing goes on without it: if it cannot be written, the old record stays in force and hears of it.
    Must,
    /// It is tried; a rollback and an end are not stopped by a full disk.
    Try,
}

/// What the driver does next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// This effect.
    Do(Effect),
    /// Wait for an event, at most until this moment.
    Wait(Moment),
    /// Nothing more.
    End,
}

/// Decides. `seen` is what the host looks like after the event.
#[must_use]
pub fn step(record: &Record, event: Event, seen: &Observation, now: Moment) -> Step {
    let turn = Turn { record, seen, now };
    match &record.state {
        State::Prepared => turn.prepared(event),
        State::Armed => turn.armed(event),
        State::Switching { until, idle } => turn.switching(event, *until, *idle),
        State::Entry { part } => turn.entry(event, *part),
        State::Rebooting { part, .. } => turn.rebooting(event, *part),
        State::Landed => turn.landed(event),
        State::Checking { until, part } => turn.checking(event, *until, *part),
        State::AwaitingConfirm { deadline } => turn.awaiting(event, *deadline),
        State::Committing { part, tries } => turn.committing(event, *part, *tries),
        State::Reverting(back) => turn.reverting(event, back),
        State::Confirmed { .. } | State::RolledBack { .. } | State::Unchanged { .. } => {
            turn.ended(&event, true)
        }
        State::Stuck { .. } => turn.ended(&event, false),
    }
}

/// What every decision looks at.
#[derive(Clone, Copy)]
struct Turn<'a> {
    record: &'a Record,
    seen: &'a Observation,
    now: Moment,
}

impl Turn<'_> {
    fn prepared(self, event: Event) -> Step {
        let boot = self.record.order.mode == Mode::Boot;
        match event {
            Event::Begin if self.lasts() && self.record.before.profile.is_none() => {
                self.untouched(Cause::NoProfile)
            }
            Event::Begin if self.reboots() && self.record.before.default.system().is_none() => {
                self.untouched(Cause::NoWayBack)
            }
            Event::Begin => Step { save: Save::Must, ..self.again(Next::Do(Effect::Root)) },
            Event::Done(Effect::Root, Ok(())) if boot => self.commit(),
            Event::Done(Effect::Root, Ok(())) => self.go(State::Armed, Save::Must, Next::Do(Effect::Arm)),
            Event::Done(Effect::Root, Err(fault)) => self.untouched(Cause::NotRooted(fault)),
            Event::JournalFailed(fault) => self.untouched(Cause::Journal(fault)),
            Event::Start => self.untouched(self.interrupted()),
            Event::Abort => self.untouched(Cause::Aborted).reply(Reply::Aborting),
            other => self.stray(&other, Next::Do(Effect::Root)),
        }
    }

    fn armed(self, event: Event) -> Step {
        let limits = self.record.order.settings.limits;
        match event {
            Event::Done(Effect::Arm, Ok(())) if self.reboots() => self.stage(),
            Event::Done(Effect::Arm, Ok(())) => {
                let (until, idle) = (self.now.after(limits.total), self.now.after(limits.idle));
                self.go(State::Switching { until, idle }, Save::Must, Next::Do(Effect::Switch))
            }
            Event::Done(Effect::Arm, Err(fault)) => self.untouched(Cause::NotGuarded(fault)),
            Event::JournalFailed(fault) => self.untouched(Cause::Journal(fault)),
            Event::Start => self.untouched(self.interrupted()),
            Event::Abort => self.untouched(Cause::Aborted).reply(Reply::Aborting),
            other => self.stray(&other, Next::Do(Effect::Arm)),
        }
    }

    fn switching(self, event: Event, until: Moment, idle: Moment) -> Step {
        match event {
            Event::Done(Effect::Switch, Err(fault)) => self.revert(Cause::NotStarted(fault)),
            Event::SwitchEnded(result) => self.switched(result, until),
            Event::JournalFailed(fault) => self.revert(Cause::Journal(fault)),
            Event::Start => self.revert(self.interrupted()),
            Event::Abort => self.revert(Cause::Aborted).reply(Reply::Aborting),
            _ if until.is_over(self.now) => self.revert(Cause::TotalLimit),
            Event::Progress => {
                let idle = self.now.after(self.record.order.settings.limits.idle);
                let mut step = self.again(Next::Wait(until.min(idle)));
                step.record.state = State::Switching { until, idle };
                step
            }
            _ if idle.is_over(self.now) => self.revert(Cause::IdleLimit),
            other => self.stray(&other, Next::Wait(until.min(idle))),
        }
    }

    /// Exit code 4 alone condemns nothing: a unit that had failed before may have failed again.
    fn switched(self, result: SwitchResult, until: Moment) -> Step {
        match result {
            SwitchResult::Exited { code: 0 | 4, .. } if self.new_runs() => {
                self.check(until, CheckPart::Units)
            }
            SwitchResult::Exited { code: 0, .. } => {
                self.revert(Cause::NotSwitched { running: self.seen.running.clone() })
            }
            result => self.revert(Cause::SwitchFailed(result)),
        }
    }

    fn check(self, until: Moment, part: CheckPart) -> Step {
        let save = if part == CheckPart::Units { Save::Must } else { Save::Try };
        self.go(State::Checking { until, part }, save, Next::Do(self.look(until, part)))
    }

    fn look(self, until: Moment, part: CheckPart) -> Effect {
        match part {
            CheckPart::Units => Effect::Units { until },
            CheckPart::Settle => Effect::Settle { still: self.record.order.settings.limits.settle, until },
            CheckPart::Checks => Effect::Checks { until },
        }
    }

    fn checking(self, event: Event, until: Moment, part: CheckPart) -> Step {
        match event {
            Event::Done(Effect::Units { .. }, Ok(())) => self.check(until, CheckPart::Settle),
            Event::Done(Effect::Settle { .. }, Ok(())) => self.check(until, CheckPart::Checks),
            Event::Done(Effect::Checks { .. }, Ok(())) => {
                let deadline = self.now.after(self.record.order.settings.limits.confirm);
                self.go(State::AwaitingConfirm { deadline }, Save::Must, Next::Wait(deadline))
            }
            Event::Done(Effect::Units { .. }, Err(fault)) => self.revert(Cause::Units(fault)),
            Event::Done(Effect::Settle { .. }, Err(fault)) => self.revert(Cause::Unsettled(fault)),
            Event::Done(Effect::Checks { .. }, Err(fault)) => self.revert(Cause::Checks(fault)),
            Event::JournalFailed(fault) => self.revert(Cause::Journal(fault)),
            Event::Start => self.revert(self.interrupted()),
            Event::Abort => self.revert(Cause::Aborted).reply(Reply::Aborting),
            _ if until.is_over(self.now) => self.revert(Cause::TotalLimit),
            other => self.stray(&other, Next::Do(self.look(until, part))),
        }
    }

    fn awaiting(self, event: Event, deadline: Moment) -> Step {
        match event {
            Event::Confirm { order, nonce } => self.confirm(&order, &nonce, deadline),
            // The only write that can fail from here is the one that a confirmation asked for.
            Event::JournalFailed(fault) => self.not_committed(Cause::Journal(fault)),
            Event::Start => self.revert(self.interrupted()),
            Event::Abort => self.revert(Cause::Aborted).reply(Reply::Aborting),
            _ if deadline.is_over(self.now) => self.revert(Cause::NotConfirmed),
            other => self.stray(&other, Next::Wait(deadline)),
        }
    }

    fn confirm(self, order: &OrderId, nonce: &Nonce, deadline: Moment) -> Step {
        let running = || self.seen.running.clone();
        if !self.is_for_us(order, nonce) {
            self.again(Next::Wait(deadline)).reply(Reply::WrongOrder)
        } else if deadline.is_over(self.now) {
            self.revert(Cause::NotConfirmed).reply(Reply::TooLate)
        } else if self.stranger_runs() {
            self.taken_over().reply(Reply::NotRunning { running: running() })
        } else if !self.new_runs() {
            self.again(Next::Wait(deadline)).reply(Reply::NotRunning { running: running() })
        } else if self.profile_moved() {
            self.not_committed(Cause::TakenOver)
        } else if self.lasts() {
            self.commit()
        } else {
            let lasting = Lasting::UntilReboot;
            Step { save: Save::Must, ..self.end(State::Confirmed { lasting }) }.reply(Reply::Confirmed)
        }
    }

    fn commit(self) -> Step {
        let state = State::Committing { part: CommitPart::Profile, tries: 0 };
        self.go(state, Save::Must, Next::Do(Effect::SetProfile(self.record.new_system())))
    }

    fn committing(self, event: Event, part: CommitPart, tries: u32) -> Step {
        match event {
            Event::Start if self.stranger_runs() => self.taken_over(),
            Event::Start if self.profile_moved() => self.revert(Cause::TakenOver),
            Event::Start if self.may_commit() => Step { save: Save::Try, ..self.commit() },
            Event::Start => self.revert(self.interrupted()),
            Event::Done(..) if self.stranger_runs() => {
                self.taken_over().reply(Reply::NotCommitted { cause: Cause::TakenOver })
            }
            Event::Done(..) if self.profile_moved() => self.not_committed(Cause::TakenOver),
            Event::Done(_, Ok(())) => match (part, self.read_back(part)) {
                (_, Err(cause)) => self.commit_failed(part, tries, cause),
                (CommitPart::Profile, Ok(_)) if self.reboots() => self.try_commit(CommitPart::Trial, 0),
                (CommitPart::Profile | CommitPart::Trial, Ok(_)) => self.try_commit(CommitPart::Default, 0),
                (CommitPart::Default, Ok(lasting)) => {
                    self.end(State::Confirmed { lasting }).reply(Reply::Confirmed)
                }
            },
            Event::Done(_, Err(fault)) => match part {
                CommitPart::Profile => self.commit_failed(part, tries, Cause::ProfileNotSet(fault)),
                // An entry too many in the loader's menu is no reason to go back.
                CommitPart::Trial => self.try_commit(CommitPart::Default, 0),
                CommitPart::Default => self.commit_failed(part, tries, Cause::DefaultNotSet(fault)),
            },
            other => self.stray(&other, self.try_commit(part, tries).next),
        }
    }

    fn try_commit(self, part: CommitPart, tries: u32) -> Step {
        let new = self.record.new_system();
        let effect = match part {
            CommitPart::Profile => Effect::SetProfile(new),
            CommitPart::Trial => Effect::DropTrial,
            CommitPart::Default => Effect::SetDefault(new),
        };
        self.go(State::Committing { part, tries }, Save::Try, Next::Do(effect))
    }

    fn commit_failed(self, part: CommitPart, tries: u32, cause: Cause) -> Step {
        if tries + 1 < COMMIT_TRIES && self.may_commit() {
            self.try_commit(part, tries + 1)
        } else {
            self.not_committed(cause)
        }
    }

    fn not_committed(self, cause: Cause) -> Step {
        self.revert(cause.clone()).reply(Reply::NotCommitted { cause })
    }

    /// What a successful commit has really set. Where the default could not be read before either, the installer's
    /// word must do; where there is no loader, the profile is what boots.
    fn read_back(self, part: CommitPart) -> Result<Lasting, Cause> {
        let new = self.record.new_system();
        if self.seen.profile.as_ref() != Some(&new) {
            return Err(Cause::ProfileNotSet(Fault::new("it names another system afterwards")));
        }
        if !self.may_commit() {
            return Err(Cause::NotSwitched { running: self.seen.running.clone() });
        }
        let lasting = match (&self.record.before.default, &self.seen.default) {
            _ if part != CommitPart::Default => Lasting::Always,
            (BootDefault::None, BootDefault::None) => Lasting::Always,
            // A loader does not come out of nothing: its files were not where they are now.
            (BootDefault::None, found) => return Err(Cause::DefaultNotTaken { found: found.clone() }),
            (_, BootDefault::System(found)) if *found == new => Lasting::Always,
            (BootDefault::Unreadable { .. }, BootDefault::Unreadable { .. }) => Lasting::Unread,
            (_, found) => return Err(Cause::DefaultNotTaken { found: found.clone() }),
        };
        Ok(if self.record.order.mode == Mode::Boot { Lasting::FromNextBoot } else { lasting })
    }

    /// An end: the guard is stopped, and unless a person has to look the roots are removed.
    fn ended(self, event: &Event, tidy: bool) -> Step {
        self.again(match event {
            Event::Done(Effect::Disarm, _) if tidy => Next::Do(Effect::Unroot),
            Event::Done(Effect::Disarm | Effect::Unroot, _) => Next::End,
            _ => Next::Do(Effect::Disarm),
        })
    }

    // What the states share.

    /// Mode `test` changes no boot.
    fn lasts(self) -> bool {
        self.record.order.mode != Mode::Test
    }

    /// The new system is booted, not switched to.
    fn reboots(self) -> bool {
        self.record.order.mode == Mode::Reboot
    }

    fn new_runs(self) -> bool {
        self.seen.running.as_ref() == Some(&self.record.new_system())
    }

    /// In mode `boot` nothing is switched, so it does not matter what runs.
    fn may_commit(self) -> bool {
        self.record.order.mode == Mode::Boot || self.new_runs()
    }

    fn is_for_us(self, order: &OrderId, nonce: &Nonce) -> bool {
        *order == self.record.order.id && *nonce == self.record.order.nonce
    }

    fn interrupted(self) -> Cause {
        let last = self.record.history.last().map_or(self.record.before.boot, |last| last.at.boot);
        if self.seen.boot == last { Cause::Interrupted } else { Cause::Rebooted }
    }

    fn rebooted(self) -> bool {
        self.seen.boot != self.record.before.boot
    }

    /// Whether the host runs what it would run without us: the old system, or after a reboot what its boot default
    /// was. If that could not be read, it is what was booted.
    fn at_home(self) -> bool {
        let before = &self.record.before;
        let Some(running) = &self.seen.running else { return false };
        let booted = match &before.default {
            BootDefault::System(default) => running == default,
            BootDefault::Unreadable { .. } => self.seen.booted.as_ref() == Some(running) && !self.new_runs(),
            BootDefault::None => before.profile.as_ref() == Some(running),
        };
        *running == before.running || (self.rebooted() && booted)
    }

    /// A system runs that is neither the new one nor one from before: somebody else is at work, and nothing of it is
    /// undone. In mode `boot` it does not matter what runs.
    fn stranger_runs(self) -> bool {
        let new = self.record.new_system();
        let stranger = self.seen.running.as_ref().is_some_and(|system| *system != new) && !self.at_home();
        stranger && self.record.order.mode != Mode::Boot
    }

    /// Somebody else has set the profile. Then the next boot is theirs: nothing is committed and nothing of it is put
    /// back; what runs is still ours to take back.
    fn profile_moved(self) -> bool {
        let profile = self.seen.profile.as_ref();
        let moved = profile.is_some_and(|system| *system != self.record.new_system())
            && profile != self.record.before.profile.as_ref();
        moved && self.lasts()
    }

    fn taken_over(self) -> Step {
        let (running, profile) = (self.seen.running.clone(), self.seen.profile.clone());
        self.end(State::Stuck { cause: Cause::TakenOver, remedy: Remedy::TakenOver { running, profile } })
    }

    /// The way out of states in which nothing was switched.
    fn untouched(self, cause: Cause) -> Step {
        if self.at_home() && self.seen.switch != SwitchUnit::Running {
            self.end(State::Unchanged { cause })
        } else {
            self.revert(cause)
        }
    }

    fn end(self, state: State) -> Step {
        self.go(state, Save::Try, Next::Do(Effect::Disarm))
    }

    /// An event that changes nothing: what was being done goes on; who asked is answered.
    fn stray(self, event: &Event, next: Next) -> Step {
        let step = self.again(next);
        match event {
            Event::Confirm { order, nonce } if !self.is_for_us(order, nonce) => step.reply(Reply::WrongOrder),
            Event::Confirm { .. } => step.reply(Reply::TooEarly),
            Event::Abort => step.reply(Reply::TooLate),
            _ => step,
        }
    }

    fn again(self, next: Next) -> Step {
        Step { record: self.record.clone(), save: Save::No, reply: None, next }
    }

    fn go(self, state: State, save: Save, next: Next) -> Step {
        let mut step = Step { save, ..self.again(next) };
        if state.phase() != self.record.state.phase() {
            step.record.note(state.phase(), self.now, state.note());
        }
        step.record.state = state;
        step
    }
}

impl Step {
    fn reply(self, reply: Reply) -> Self {
        Self { reply: Some(reply), ..self }
    }
}
