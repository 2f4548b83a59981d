//! A host and a journal that do everything that can happen: each call asks the script which of its outcomes is meant.

use std::cell::RefCell;

use order::{Nonce, SystemPath};

use super::world::{Config, DefaultKind, System, Unit, World};
use crate::{
    Aftermath, Clock, Effect, Event, Fault, Host, Journal, LoadError, Moment, Observation, Owner, Phase,
    Record, Reply, RevertPart, Reverting, State, SwitchResult, Watch,
};

pub(super) struct Sim {
    config: Config,
    pub(super) world: World,
    /// Which outcome of how many was chosen at each question.
    choices: Vec<(usize, usize)>,
    at: usize,
    pub(super) said: Vec<&'static str>,
    pub(super) died: bool,
}

impl Sim {
    pub(super) fn new(config: Config, world: World, choices: Vec<(usize, usize)>) -> Self {
        Self { config, world, choices, at: 0, said: Vec::new(), died: false }
    }

    /// The next script after this one, if any is left.
    pub(super) fn next_script(&self) -> Option<Vec<(usize, usize)>> {
        let mut choices = self.choices.clone();
        while let Some((chosen, total)) = choices.pop() {
            if chosen + 1 < total {
                choices.push((chosen + 1, total));
                return Some(choices);
            }
        }
        None
    }

    fn choose(&mut self, options: &[&'static str]) -> &'static str {
        if self.at == self.choices.len() {
            self.choices.push((0, options.len()));
        }
        let option = options[self.choices[self.at].0];
        self.at += 1;
        if !option.is_empty() {
            self.said.push(option);
        }
        option
    }

    /// The good outcome, or one of the bad ones as long as something may go wrong.
    fn outcome(&mut self, good: &'static str, bad: &[&'static str]) -> &'static str {
        let Some(budget) = self.world.budget.fail() else { return self.choose(&[good]) };
        let options: Vec<_> = std::iter::once(good).chain(bad.iter().copied()).collect();
        let chosen = self.choose(&options);
        if chosen != good {
            self.world.budget = budget;
        }
        chosen
    }

    fn write(&mut self, record: &Record) -> Result<(), Fault> {
        let outcome = match self.world.budget.crash() {
            Some(budget) if !self.choose(&["", "written, then killed"]).is_empty() => {
                self.world.budget = budget;
                self.died = true;
                "written"
            }
            _ => self.outcome("written", &["not written", "written, but said not to be"]),
        };
        if outcome != "not written" {
            self.world.journal = Some(record.clone());
        }
        if outcome == "written" { Ok(()) } else { Err(Fault::new("fault")) }
    }

    fn act(&mut self, effect: &Effect, record: &Record) -> Event {
        let good = match effect {
            Effect::Root => self.done("root", "", |world| world.roots = true),
            Effect::Unroot => self.done("unroot", "", |world| world.roots = false),
            Effect::Disarm => self.done("disarm", "", |world| world.guard = false),
            Effect::Arm => self.done("arm", "armed, but said not to be", |world| {
                world.guard = true;
                world.mine = Some(record.clone());
            }),
            Effect::Switch => self.done("switch starts", "started, but said not to be", |world| {
                world.unit = Unit::Running;
                world.mixed = true;
            }),
            Effect::Units { .. } | Effect::Settle { .. } | Effect::Checks { .. } => return self.look(effect),
            Effect::SetProfile(system) => {
                let system = System::of(system);
                self.done("profile", "profile set, but said not to be", |world| world.set_profile(system))
            }
            Effect::SetDefault(system) => self.set_default(System::of(system)),
            Effect::EndSwitch => self.done("unit ended", "", |world| world.unit = Unit::Absent),
            Effect::Back { system, .. } => self.back(system),
            Effect::SetTrial(_) => {
                self.done("trial", "trial set, but said not to be", |world| world.trial = true)
            }
            Effect::DropTrial => self.done("trial dropped", "", |world| world.trial = false),
            Effect::SetOnce(_) => self.set_once(),
            Effect::ClearOnce => self.done("once cleared", "", |world| world.once = false),
            Effect::Reboot => self.reboot(),
            Effect::Compare => {
                return self.compare(matches!(&record.state, State::Reverting(back) if back.reach.running));
            }
        };
        let result = if good { Ok(()) } else { Err(Fault::new("fault")) };
        Event::Done(effect.clone(), result)
    }

    /// An effect that succeeds, fails, or (if there is a word for it) succeeds and says that it failed.
    fn done(&mut self, good: &'static str, lying: &'static str, change: impl FnOnce(&mut World)) -> bool {
        let bad = ["failed", lying];
        let chosen = self.outcome(good, if lying.is_empty() { &bad[..1] } else { &bad });
        if chosen != "failed" {
            change(&mut self.world);
        }
        chosen == good
    }

    fn look(&mut self, effect: &Effect) -> Event {
        match self.outcome("holds", &["does not hold", "abort"]) {
            "holds" => Event::Done(effect.clone(), Ok(())),
            "abort" => Event::Abort,
            _ => Event::Done(effect.clone(), Err(Fault::new("fault"))),
        }
    }

    /// A loader that can be read may also do nothing and say that all is well.
    fn set_default(&mut self, system: System) -> bool {
        let bad = ["boot failed", "boot did it and failed", "boot did nothing and said it did"];
        let can_lie = self.config.default != DefaultKind::Unreadable;
        let chosen = self.outcome("boot", &bad[..if can_lie { 3 } else { 2 }]);
        if chosen == "boot" || chosen == "boot did it and failed" {
            self.world.set_default(system);
        }
        chosen == "boot" || chosen == "boot did nothing and said it did"
    }

    fn set_once(&mut self) -> bool {
        let bad = ["once failed", "once did it and failed", "once did nothing and said it did"];
        let chosen = self.outcome("once", &bad);
        self.world.once |= chosen == "once" || chosen == "once did it and failed";
        chosen == "once" || chosen == "once did nothing and said it did"
    }

    /// Nobody of this boot lives to see the next one.
    fn reboot(&mut self) -> bool {
        if self.outcome("reboots", &["does not reboot"]) == "reboots" {
            self.world.boot();
            self.died = true;
        }
        false
    }

    /// The lock of a running activation refuses another one.
    fn back(&mut self, system: &SystemPath) -> bool {
        if self.world.silent {
            self.said.push("systemd is silent");
            return false;
        }
        let locked = self.world.unit == Unit::Running;
        if locked {
            self.said.push("old is locked out");
            return false;
        }
        let chosen = self.outcome("old runs", &["old does not start", "old is activated half-way"]);
        if chosen != "old does not start" {
            self.world.running = System::of(system);
            self.world.mixed = chosen != "old runs";
        }
        chosen == "old runs"
    }

    /// Only a system that has run here can have silenced systemd.
    fn compare(&mut self, has_run: bool) -> Event {
        let mut aftermath = Aftermath::default();
        if self.world.silent {
            aftermath.manager = Some(Fault::new("fault"));
        }
        let bad = ["something differs", "systemd falls silent"];
        match self.outcome("compared", &bad[..if has_run { 2 } else { 1 }]) {
            "compared" if !self.world.mixed => {}
            "systemd falls silent" => {
                self.world.silent = true;
                aftermath.manager = Some(Fault::new("fault"));
            }
            _ => aftermath.network = Some(Fault::new("fault")),
        }
        Event::Compared(aftermath)
    }

    fn waits(&mut self, until: Moment, record: &Record) -> Event {
        let mut options = vec!["deadline", "abort"];
        if record.state.phase() == Phase::Reverting {
            options.push("contact");
        } else if record.state.phase() == Phase::Switching {
            options.push("confirm");
            options.extend_from_slice(match self.world.unit {
                Unit::Absent => &["lost"],
                Unit::Running => &[
                    "switched",
                    "exit 4",
                    "exit 0, not switched",
                    "exit 1",
                    "exit 2",
                    "lost in emergency mode",
                    "progress",
                ],
            });
        } else if self.config.network || self.world.running != System::New {
            options.extend_from_slice(&["confirm", "late confirm", "wrong order", "wrong nonce"]);
        }
        let chosen = self.choose(&options);
        if chosen == "deadline" || chosen == "late confirm" {
            self.world.clock = until.since_boot;
        }
        let order = &record.order;
        let confirm = |nonce: &Nonce| Event::Confirm { order: order.id.clone(), nonce: nonce.clone() };
        match chosen {
            "deadline" => Event::Deadline,
            "contact" => Event::Contact,
            "progress" => Event::Progress,
            "abort" => Event::Abort,
            "confirm" => {
                let awaited = record.state.phase() == Phase::AwaitingConfirm;
                self.world.confirmed |= awaited && self.world.running == System::New;
                confirm(&order.nonce)
            }
            "late confirm" => confirm(&order.nonce),
            "wrong nonce" => confirm(&Nonce::from_random([9; 32])),
            "wrong order" => {
                Event::Confirm { order: order::OrderId::from_random([9; 20]), nonce: order.nonce.clone() }
            }
            ended => self.unit_ends(ended),
        }
    }

    fn unit_ends(&mut self, how: &str) -> Event {
        self.world.unit = Unit::Absent;
        self.world.silent |= how == "lost in emergency mode";
        let (code, moved) = match how {
            "switched" => (0, true),
            "exit 4" => (4, true),
            "exit 0, not switched" => (0, false),
            "exit 1" => (1, false),
            "exit 2" => (2, true),
            _ => return Event::SwitchEnded(SwitchResult::Lost { why: Fault::new("fault") }),
        };
        if moved {
            self.world.running = System::New;
        }
        if how == "switched" || how == "exit 4" {
            self.world.mixed = false;
        }
        Event::SwitchEnded(SwitchResult::Exited { code, output: Fault::new("") })
    }

    /// The operator believes what is said.
    fn hear(&mut self, reply: &Reply) {
        let world = &mut self.world;
        // In mode `boot` nobody asks.
        if *reply == Reply::Confirmed && self.config.mode != order::Mode::Boot {
            world.told = true;
            let lasts = matches!(self.config.mode, order::Mode::Switch | order::Mode::Reboot);
            let boots = !lasts || world.default == System::New;
            if world.running != System::New || !boots {
                world.lies = Some(format!(
                    "told Confirmed while {:?} runs and {:?} boots",
                    world.running, world.default
                ));
            }
        }
    }
}

/// One simulation in the hands of both traits.
pub(super) struct Hands<'a>(pub(super) &'a RefCell<Sim>);

impl Host for Hands<'_> {
    fn observe(&mut self) -> Observation {
        self.0.borrow().world.observe()
    }

    fn perform(&mut self, effect: &Effect, record: &Record) -> Event {
        let mut sim = self.0.borrow_mut();
        if sim.died { Event::Deadline } else { sim.act(effect, record) }
    }

    fn wait(&mut self, until: Moment, record: &Record) -> Event {
        let mut sim = self.0.borrow_mut();
        let contact = |back: &Reverting| back.part == RevertPart::Contact;
        assert!(match &record.state {
            State::Switching { .. } | State::AwaitingConfirm { .. } => true,
            State::Reverting(back) => contact(back),
            _ => false,
        });
        if sim.died { Event::Deadline } else { sim.waits(until, record) }
    }

    fn reply(&mut self, reply: Reply) {
        let mut sim = self.0.borrow_mut();
        if !sim.died {
            sim.hear(&reply);
        }
    }
}

impl Journal for Hands<'_> {
    fn load(&mut self) -> Result<Option<Record>, LoadError> {
        Ok(self.0.borrow().world.journal.clone())
    }

    fn store(&mut self, record: &Record) -> Result<(), Fault> {
        self.0.borrow_mut().write(record)
    }
}

impl Clock for Hands<'_> {
    fn now(&mut self) -> Moment {
        self.0.borrow().world.now()
    }
}

impl Watch for Hands<'_> {
    fn wait_for_owner(&mut self, _until: Moment) -> Owner {
        Owner::Gone
    }

    fn take_over(&mut self) -> Result<(), Fault> {
        Ok(())
    }
}
