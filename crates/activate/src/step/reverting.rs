//! The way back: rounds of the same parts, judged by what is seen and not by exit codes.

use std::time::Duration;

use order::{Mode, OnFailure, SystemPath};

use super::{Next, Save, Step, Turn, rebooting::begins};
use crate::{
    Aftermath, BootDefault, Cause, Contact, Effect, Event, Fault, Moment, Once, Phase, Reach, Record, Remedy,
    RevertPart, Reverting, State, SwitchUnit, record::MAX_UNITS,
};

/// How many rounds are tried before a person has to look.
const ROUNDS: u32 = 3;
/// Most notes of an aftermath that are kept.
const MAX_NOTES: usize = 20;
/// What a part may take beyond the limit of an activation.
const SLACK: Duration = Duration::from_secs(120);

/// The way back when nothing is known but that the switch may have been begun, and a commit too.
pub(super) fn from_the_dark(mine: &Record) -> State {
    let trial = mine.order.mode == Mode::Reboot;
    let reach = Reach { running: true, boot: mine.order.mode != Mode::Test, trial };
    State::Reverting(Reverting::new(Cause::Interrupted, reach, mine.history[0].at))
}

impl Reverting {
    /// The first round.
    fn new(cause: Cause, reach: Reach, now: Moment) -> Self {
        let (part, tries, until) = (RevertPart::End, 0, now);
        let contact = Contact::Unknown;
        Self {
            cause,
            reach,
            part,
            tries,
            until,
            running: None,
            boot: None,
            left: None,
            stays: false,
            contact,
        }
    }
}

impl Turn<'_> {
    /// From here the old system wins.
    pub(super) fn revert(self, cause: Cause) -> Step {
        let boot = matches!(self.record.state, State::Committing { .. });
        let running = matches!(self.record.order.mode, Mode::Switch | Mode::Test);
        let trial = self.reboots() && !matches!(self.record.state, State::Prepared | State::Armed);
        self.round(Reverting::new(cause, Reach { running, boot, trial }, self.now))
    }

    fn round(self, last: Reverting) -> Step {
        let mut reach = last.reach;
        // A reboot may have brought the new system up.
        reach.running |= self.new_runs() && !self.at_home();
        self.part(Reverting { reach, part: RevertPart::End, running: None, boot: None, ..last })
    }

    /// Does this part, or the first one after it that has something to do.
    fn part(self, back: Reverting) -> Step {
        let mut back = back;
        back.until = self.now.after(self.record.order.settings.limits.total).after(SLACK);
        loop {
            // Our own unit and our own one-time entry go in any case; then nobody else's work is undone.
            if !matches!(back.part, RevertPart::End | RevertPart::Once) && self.stranger_runs() {
                return self.taken_over();
            }
            match self.effect(&back) {
                Some(Effect::Reboot) => return self.reboot(back),
                Some(effect) => return self.go(State::Reverting(back), Save::Try, Next::Do(effect)),
                None => back.part = after(back.part),
            }
        }
    }

    /// What a part has to do, if anything.
    fn effect(self, back: &Reverting) -> Option<Effect> {
        let before = &self.record.before;
        match back.part {
            RevertPart::End => back.reach.running.then_some(Effect::EndSwitch),
            RevertPart::Once => (back.reach.trial && self.may_be_set_once()).then_some(Effect::ClearOnce),
            RevertPart::Profile => {
                let moved = self.restores(back) && self.seen.profile != before.profile;
                before.profile.clone().filter(|_| moved).map(Effect::SetProfile)
            }
            RevertPart::Default => self.lost_default(back).map(Effect::SetDefault),
            RevertPart::Back => {
                let system = before.running.clone();
                let needed = back.reach.running && !self.keeps() && !(self.rebooted() && self.at_home());
                // What was booted goes by a boot.
                (needed && !self.reboots()).then_some(Effect::Back { system, until: back.until })
            }
            RevertPart::Reboot => {
                let needed = self.reboots() && back.reach.running && !self.keeps() && !self.at_home();
                (needed && self.can_reboot(back)).then_some(Effect::Reboot)
            }
            RevertPart::Trial => back.reach.trial.then_some(Effect::DropTrial),
            RevertPart::Entries => {
                let default = self.record.before.default.system().cloned();
                let ours = back.reach.trial && !self.profile_moved();
                default.filter(|_| ours).map(Effect::SetDefault)
            }
            RevertPart::Compare | RevertPart::Contact => Some(Effect::Compare),
        }
    }

    /// A one-time entry of somebody else stays.
    fn may_be_set_once(self) -> bool {
        self.is_set_once() || matches!(self.seen.once, Once::Unreadable { .. })
    }

    /// Whether a reboot leads to what was booted before, or to what somebody else chose, and has not been tried in vain.
    fn can_reboot(self, back: &Reverting) -> bool {
        let first = back.left.is_none_or(|boot| boot == self.seen.boot);
        let new = self.record.new_system();
        let theirs = self.profile_moved() && self.seen.default.system().is_some_and(|system| *system != new);
        let known = !back.changes_boot() || self.boots_as_before(back) || theirs;
        first && !back.stays && known && !(back.reach.trial && self.may_be_set_once())
    }

    /// The last rung. A boot into a system that is neither the old one nor somebody's choice needs a host that is lost
    /// otherwise: without its systemd any reset would boot that system.
    fn may_reboot(self, back: &Reverting, aftermath: &Aftermath) -> bool {
        let before = &self.record.before;
        let same = before.default.system() == Some(&before.running);
        let agreed = self.reboots() || same || self.profile_moved() || aftermath.manager.is_some();
        agreed && back.reach.running && !self.keeps() && self.can_reboot(back)
    }

    fn reboot(self, back: Reverting) -> Step {
        let (part, until) = (RevertPart::Reboot, begins(self.now));
        let back = Reverting { part, until, left: Some(self.seen.boot), ..back };
        self.go(State::Reverting(back), Save::Try, Next::Do(Effect::Reboot))
    }

    fn wait_for_contact(self, back: &Reverting, missing: &Fault) -> Step {
        let until = self.now.after(self.record.order.settings.limits.confirm);
        let back = Reverting { part: RevertPart::Contact, until, ..back.clone() };
        let mut step = self.go(State::Reverting(back), Save::Try, Next::Wait(until));
        let note = format!("{missing}; without a contact by then the host is rebooted");
        step.record.note(Phase::Reverting, self.now, Some(note));
        step
    }

    /// The system whose `switch-to-configuration boot` brings the boot default back, if it has, or may have, moved.
    fn lost_default(self, back: &Reverting) -> Option<SystemPath> {
        let before = &self.record.before;
        let system = match &before.default {
            BootDefault::System(_) if self.seen.default == before.default => None,
            BootDefault::System(system) => Some(system.clone()),
            // Nothing can be read, so nothing tells whether it has moved.
            BootDefault::Unreadable { .. } | BootDefault::None => before.profile.clone(),
        };
        system.filter(|_| self.restores(back))
    }

    /// Whether profile and boot default are to be put back, if they have moved: not if they are somebody else's.
    fn restores(self, back: &Reverting) -> bool {
        back.reach.boot && !self.profile_moved()
    }

    pub(super) fn reverting(self, event: Event, back: &Reverting) -> Step {
        match event {
            Event::Start => self.round(Reverting { tries: 0, contact: Contact::Unknown, ..back.clone() }),
            Event::Compared(aftermath) => self.judge(back, aftermath),
            event if back.part == RevertPart::Contact => self.waited(&event, back),
            Event::Done(_, result) => {
                let mut back = back.clone();
                match (back.part, result.err()) {
                    (_, None) => {}
                    (RevertPart::Reboot, fault) => {
                        back.stays = true;
                        back.running = fault.filter(|_| !self.at_home());
                    }
                    (RevertPart::End | RevertPart::Back, fault) => back.running = fault,
                    (_, fault) => back.boot = fault,
                }
                back.part = after(back.part);
                self.part(back)
            }
            other => self.stray(&other, self.part(back.clone()).next),
        }
    }

    /// While the host waits for somebody to come.
    fn waited(self, event: &Event, back: &Reverting) -> Step {
        let contact = match event {
            Event::Contact => Contact::Made,
            Event::Deadline => Contact::Missed,
            other => return self.stray(other, Next::Wait(back.until)),
        };
        self.part(Reverting { part: RevertPart::Compare, contact, ..back.clone() })
    }

    /// The end of a round. A rollback counts if the host is as it was, whatever an exit code said; and if nothing
    /// failed, then also with an aftermath. What only a boot can bring back is brought back by one, once: systemd that
    /// cannot be asked, and a network that is not as it was while nobody comes.
    fn judge(self, back: &Reverting, mut aftermath: Aftermath) -> Step {
        aftermath.units.truncate(MAX_UNITS);
        aftermath.notes.truncate(MAX_NOTES);
        aftermath.rebooted = back.left.is_some_and(|boot| boot != self.seen.boot);
        let boots = !back.changes_boot() || self.boots_as_before(back);
        let runs = !back.reach.running || self.runs_as_before(back, &aftermath);
        let kept = self.keeps() && self.seen.switch != SwitchUnit::Running;
        let moved = self.profile_moved();
        let reboot = self.may_reboot(back, &aftermath);
        if moved && (runs || kept) {
            self.taken_over()
        } else if boots && runs {
            self.runs_again(back, aftermath)
        } else if boots && kept {
            self.end(State::Stuck { cause: back.cause.clone(), remedy: self.kept() })
        } else if back.tries + 1 < ROUNDS && !(reboot && aftermath.manager.is_some()) {
            self.another_round(back)
        } else if reboot {
            self.reboot(back.clone())
        } else {
            self.stuck(back, boots || moved)
        }
    }

    fn runs_again(self, back: &Reverting, mut aftermath: Aftermath) -> Step {
        let missing = aftermath.network.as_ref().filter(|_| self.may_reboot(back, &aftermath));
        match (missing, back.contact) {
            (Some(missing), Contact::Unknown) => return self.wait_for_contact(back, missing),
            (Some(_), Contact::Missed) => return self.reboot(back.clone()),
            _ => {}
        }
        let cause = back.cause.clone();
        // Nothing of the new system has run.
        if self.reboots() && !back.reach.running && !self.rebooted() {
            return self.end(State::Unchanged { cause });
        }
        aftermath.notes.extend(back.boot.clone().filter(|_| back.reach.trial));
        self.end(State::RolledBack { cause, aftermath })
    }

    fn stuck(self, back: &Reverting, boots: bool) -> Step {
        let remedy = if boots { self.not_back(back) } else { self.not_restored(back) };
        self.end(State::Stuck { cause: back.cause.clone(), remedy })
    }

    fn runs_as_before(self, back: &Reverting, aftermath: &Aftermath) -> bool {
        let ran = match self.keeps() {
            true => self.rebooted(),
            false => back.running.is_none() || aftermath.is_clean(),
        };
        // Without systemd nothing can be said to run.
        let ran = ran && (aftermath.manager.is_none() || !back.reach.running);
        self.at_home() && self.seen.switch != SwitchUnit::Running && ran
    }

    fn boots_as_before(self, back: &Reverting) -> bool {
        let before = &self.record.before;
        let default = match before.default {
            BootDefault::System(_) => self.seen.default == before.default,
            BootDefault::Unreadable { .. } | BootDefault::None => back.boot.is_none(),
        };
        default && self.seen.profile == before.profile && !(back.reach.trial && self.is_set_once())
    }

    fn another_round(self, back: &Reverting) -> Step {
        let mut step = self.round(Reverting { tries: back.tries + 1, ..back.clone() });
        let fault = back.boot.as_ref().or(back.running.as_ref());
        let note = Some(fault.map_or_else(|| "the host is not yet as it was".to_owned(), Fault::to_string));
        step.record.note(Phase::Reverting, self.now, note);
        step
    }

    /// The order says that a failed system is left running.
    fn keeps(self) -> bool {
        self.record.order.settings.on_failure == OnFailure::Keep
    }

    fn kept(self) -> Remedy {
        Remedy::Kept { running: self.seen.running.clone(), back: self.record.before.running.clone() }
    }

    fn not_back(self, back: &Reverting) -> Remedy {
        Remedy::NotBack {
            running: self.seen.running.clone(),
            back: self.record.before.running.clone(),
            default: self.seen.default.clone(),
            fault: back.running.clone(),
            rebooted: back.left.is_some_and(|boot| boot != self.seen.boot),
        }
    }

    fn not_restored(self, back: &Reverting) -> Remedy {
        Remedy::NotRestored {
            running: self.seen.running.clone(),
            profile: self.record.before.profile.clone(),
            default: self.seen.default.clone(),
            boot: self.record.before.default.system().cloned(),
            fault: back.boot.clone(),
        }
    }
}

impl Reverting {
    /// Whether the next boot may be another than before.
    fn changes_boot(&self) -> bool {
        self.reach.boot || self.reach.trial
    }
}

/// The part that follows.
fn after(part: RevertPart) -> RevertPart {
    match part {
        RevertPart::End => RevertPart::Once,
        RevertPart::Once => RevertPart::Profile,
        RevertPart::Profile => RevertPart::Default,
        RevertPart::Default => RevertPart::Back,
        RevertPart::Back => RevertPart::Reboot,
        RevertPart::Reboot => RevertPart::Trial,
        RevertPart::Trial => RevertPart::Entries,
        RevertPart::Entries | RevertPart::Compare | RevertPart::Contact => RevertPart::Compare,
    }
}
