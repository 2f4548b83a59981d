//! This machine as the activation sees it: what acts, and decides nothing.

use std::{
    collections::VecDeque,
    fs,
    sync::mpsc::{Receiver, RecvTimeoutError, Sender},
    time::Duration,
};

use activate::{
    Effect, Event, Fault, Host, Moment, Observation, Phase, Record, Reply, RevertPart, Reverting, State,
    SwitchResult,
};
use order::OrderId;
use system::units::UnitStates;

use crate::{
    back, checks,
    clock::BootClock,
    contact, guard,
    job::{Job, JobEnd, Purpose},
    links, loader, log, once, reboot, roots, settle, started, trial, units,
};

/// How often the activation's unit and its log are looked at.
const LOOK: Duration = Duration::from_millis(20);
/// Longest sleep without a look at the clock, which also counts the time that the machine sleeps.
const DOZE: Duration = Duration::from_secs(1);
/// Progress is told at most this often.
const PROGRESS: Duration = Duration::from_secs(1);

/// What a session wants from the activation that goes on.
#[derive(Debug)]
pub struct Wish {
    /// [`Event::Confirm`] or [`Event::Abort`].
    pub event: Event,
    /// Where the answer goes.
    pub answer: Sender<Reply>,
}

/// Which of the two processes of an activation this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The one that began or resumed it.
    Owner,
    /// The one that took over: it does not stop itself.
    Guard,
}

/// This machine.
#[derive(Debug)]
pub struct Machine {
    role: Role,
    order: OrderId,
    /// The units before the activation; nothing is known of them in a guard, which never looks at a new system.
    before: UnitStates,
    clock: BootClock,
    wishes: Receiver<Wish>,
    /// Who waits for an answer, oldest first.
    waiting: VecDeque<Sender<Reply>>,
    /// An [`Event::Abort`] that came while an effect was performed.
    aborted: bool,
    /// How long the activation's log was, and when progress was last told.
    seen: (u64, Duration),
}

impl Machine {
    /// The machine for the activation of this order; wishes of sessions come from `wishes`.
    #[must_use]
    pub fn new(role: Role, order: OrderId, wishes: Receiver<Wish>) -> Self {
        let clock = BootClock::new();
        Self {
            role,
            order,
            before: UnitStates::default(),
            clock,
            wishes,
            waiting: VecDeque::new(),
            aborted: false,
            seen: (0, Duration::ZERO),
        }
    }

    /// The same with the units as they were before the activation.
    #[must_use]
    pub fn with_units(self, before: UnitStates) -> Self {
        Self { before, ..self }
    }

    /// The next wish, if one is there; whoever made it waits for an answer from now on.
    fn take(&mut self, wish: Wish) -> Event {
        self.waiting.push_back(wish.answer);
        wish.event
    }

    fn done(effect: &Effect, result: Result<(), Fault>) -> Event {
        Event::Done(effect.clone(), result)
    }

    /// The result of the activation's unit, if it has ended.
    fn switch_ended(record: &Record) -> Option<Event> {
        let end = Job::new(&record.order.id, Purpose::Test).end()?;
        let output = log::tail(&record.order.id);
        Some(Event::SwitchEnded(match end {
            JobEnd::Exited(code) => SwitchResult::Exited { code, output },
            JobEnd::Lost => SwitchResult::Lost { why: output },
        }))
    }

    fn progress(&mut self, record: &Record) -> Option<Event> {
        let length = fs::metadata(Job::log(&record.order.id)).map_or(0, |file| file.len());
        if length > log::LONGEST {
            let why = Fault::new(format!("it wrote more than {} bytes and was stopped", log::LONGEST));
            return Some(Event::SwitchEnded(SwitchResult::Lost { why }));
        }
        let now = self.clock.moment().since_boot;
        let (seen, told) = self.seen;
        if length == seen || now.saturating_sub(told) < PROGRESS {
            return None;
        }
        self.seen = (length, now);
        Some(Event::Progress)
    }

    /// Whether an effect should break off: the time is over, or somebody wants the old system back.
    fn interrupted(&mut self, until: Moment) -> bool {
        if !self.aborted
            && let Ok(wish) = self.wishes.try_recv()
        {
            match self.take(wish) {
                Event::Abort => self.aborted = true,
                _ => self.reply(Reply::TooEarly),
            }
        }
        self.aborted || until.is_over(self.clock.moment())
    }

    /// What an effect that can be broken off ends with.
    fn breakable(
        &mut self,
        effect: &Effect,
        act: impl FnOnce(&mut dyn FnMut() -> bool) -> Result<(), Fault>,
        until: Moment,
    ) -> Event {
        let result = act(&mut || self.interrupted(until));
        if std::mem::take(&mut self.aborted) { Event::Abort } else { Self::done(effect, result) }
    }
}

/// Whether somebody has come who was waited for.
fn has_contact(record: &Record) -> bool {
    let State::Reverting(Reverting { part: RevertPart::Contact, .. }) = &record.state else { return false };
    record.history.last().is_some_and(|waits| contact::since(waits.at))
}

impl Host for Machine {
    fn observe(&mut self) -> Observation {
        Observation {
            boot: self.clock.boot(),
            running: links::running(),
            booted: links::booted(),
            profile: links::profile(),
            default: loader::boot_default(),
            switch: Job::new(&self.order, Purpose::Test).state(),
            once: once::read(),
        }
    }

    fn perform(&mut self, effect: &Effect, record: &Record) -> Event {
        let id = &record.order.id;
        let result = match effect {
            Effect::Root => roots::root(record),
            Effect::Arm => guard::arm(record),
            Effect::Switch => Job::new(id, Purpose::Test).start(&record.new_system(), &record.before.running),
            Effect::Units { until } => {
                let before = std::mem::take(&mut self.before);
                let hold = |stop: &mut dyn FnMut() -> bool| {
                    started::wait(record, stop)?;
                    units::hold(record, &before, stop)
                };
                return self.breakable(effect, hold, *until);
            }
            Effect::Settle { still, until } => {
                return self.breakable(effect, |stop| settle::settle(record, *still, stop), *until);
            }
            Effect::Checks { until } => {
                let guarded = self.role == Role::Owner;
                let hold = |stop: &mut dyn FnMut() -> bool| {
                    checks::hold(record, stop)?;
                    // Nobody waits for a confirmation unguarded.
                    if guarded { guard::arm(record) } else { Ok(()) }
                };
                return self.breakable(effect, hold, *until);
            }
            Effect::SetProfile(system) => crate::profile::set(record, system),
            Effect::SetDefault(system) => back::set_default(record, system),
            Effect::EndSwitch => {
                let ended = back::end_switch(id);
                // One that cannot be cut is not worth the way back.
                let _long = log::cut(id);
                ended
            }
            Effect::Back { system, until } => back::back(record, system, until.from_now(self.clock.moment())),
            Effect::Compare => return Event::Compared(back::compare(record)),
            Effect::SetTrial(system) => trial::set(record, system),
            Effect::DropTrial => trial::drop_it(),
            Effect::SetOnce(system) => once::set(system),
            Effect::ClearOnce => once::clear(),
            Effect::Reboot => Err(reboot::reboot(&record.before.running, reboot::PATIENCE)),

            Effect::Disarm if self.role == Role::Guard => Ok(()),
            Effect::Disarm => guard::disarm(id),
            Effect::Unroot => roots::unroot(id),
        };
        Self::done(effect, result)
    }

    fn wait(&mut self, until: Moment, record: &Record) -> Event {
        let switching = record.state.phase() == Phase::Switching;
        loop {
            if has_contact(record) {
                return Event::Contact;
            }
            if switching && let Some(event) = Self::switch_ended(record).or_else(|| self.progress(record)) {
                return event;
            }
            let left = until.from_now(self.clock.moment());
            if left.is_zero() {
                return Event::Deadline;
            }
            let nap = if switching { LOOK } else { DOZE };
            match self.wishes.recv_timeout(nap.min(left)) {
                Ok(wish) => return self.take(wish),
                Err(RecvTimeoutError::Timeout) => {}
                // Nobody can wish anything any more, as in a guard.
                Err(RecvTimeoutError::Disconnected) => std::thread::sleep(nap.min(left)),
            }
        }
    }

    fn reply(&mut self, reply: Reply) {
        if let Some(answer) = self.waiting.pop_front() {
            // A session that has gone needs no answer.
            let _gone = answer.send(reply);
        }
    }
}
