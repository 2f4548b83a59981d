//! The way back: rounds of the same parts, judged by what is seen and not by exit codes.

use std::time::Duration;

use order::{Mode, OnFailure, SystemPath};

use super::{Next, Save, Step, Turn};
use crate::{
    Aftermath, BootDefault, Cause, Effect, Event, Fault, Phase, Reach, Record, Remedy, RevertPart, Reverting,
    State, SwitchUnit, record::MAX_UNITS,
};

/// How many rounds are tried before a person has to look.
const ROUNDS: u32 = 3;
/// Most notes of an aftermath that are kept.
const MAX_NOTES: usize = 20;
/// What a part may take beyond the limit of an activation.
const SLACK: Duration = Duration::from_secs(120);

/// The way back when nothing is known but that the switch may have been begun, and a commit too.
pub(super) fn from_the_dark(mine: &Record) -> State {
    State::Reverting(Reverting {
        cause: Cause::Interrupted,
        reach: Reach { running: true, boot: mine.order.mode != Mode::Test },
        part: RevertPart::End,
        tries: 0,
        until: mine.history[0].at,
        running: None,
        boot: None,
    })
}

impl Turn<'_> {
    /// From here the old system wins.
    pub(super) fn revert(self, cause: Cause) -> Step {
        let boot = matches!(self.record.state, State::Committing { .. });
        let running = self.record.order.mode != Mode::Boot;
        self.round(cause, Reach { running, boot }, 0)
    }

    fn round(self, cause: Cause, mut reach: Reach, tries: u32) -> Step {
        // In mode `boot` a reboot in between may have brought the new system up.
        reach.running |= self.new_runs() && !self.at_home();
        let (part, until) = (RevertPart::End, self.now);
        self.part(Reverting { cause, reach, part, tries, until, running: None, boot: None })
    }

    /// Does this part, or the first one after it that has something to do.
    fn part(self, back: Reverting) -> Step {
        let mut back = back;
        back.until = self.now.after(self.record.order.settings.limits.total).after(SLACK);
        loop {
            // Our own unit is ended first in any case; then nobody else's work is undone.
            if back.part != RevertPart::End && self.stranger_runs() {
                return self.taken_over();
            }
            match self.effect(&back) {
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
            RevertPart::Profile => {
                let moved = self.restores(back) && self.seen.profile != before.profile;
                before.profile.clone().filter(|_| moved).map(Effect::SetProfile)
            }
            RevertPart::Default => self.lost_default(back).map(Effect::SetDefault),
            RevertPart::Back => {
                let system = before.running.clone();
                let needed = back.reach.running && !self.keeps() && !(self.rebooted() && self.at_home());
                needed.then_some(Effect::Back { system, until: back.until })
            }
            RevertPart::Compare => Some(Effect::Compare),
        }
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
            Event::Start => self.round(back.cause.clone(), back.reach, 0),
            Event::Compared(aftermath) => self.judge(back, aftermath),
            Event::Done(_, result) => {
                let mut back = back.clone();
                match (back.part, result.err()) {
                    (_, None) => {}
                    (RevertPart::Profile | RevertPart::Default, fault) => back.boot = fault,
                    (_, fault) => back.running = fault,
                }
                back.part = after(back.part);
                self.part(back)
            }
            other => self.stray(&other, self.part(back.clone()).next),
        }
    }

    /// The end of a round. A rollback counts if the host is as it was, whatever an exit code said; and if nothing
    /// failed, then also with an aftermath.
    ///
    /// The next rung, a reboot into the boot default, has its place before `Stuck`.
    fn judge(self, back: &Reverting, mut aftermath: Aftermath) -> Step {
        aftermath.units.truncate(MAX_UNITS);
        aftermath.notes.truncate(MAX_NOTES);
        let cause = back.cause.clone();
        let boots = !back.reach.boot || self.boots_as_before(back);
        let runs = !back.reach.running || self.runs_as_before(back, &aftermath);
        let kept = self.keeps() && self.seen.switch != SwitchUnit::Running;
        let moved = self.profile_moved();
        if moved && (runs || kept) {
            self.taken_over()
        } else if boots && runs {
            self.end(State::RolledBack { cause, aftermath })
        } else if boots && kept {
            self.end(State::Stuck { cause, remedy: self.kept() })
        } else if back.tries + 1 < ROUNDS {
            self.another_round(back)
        } else if boots || moved {
            self.end(State::Stuck { cause, remedy: self.not_back(back) })
        } else {
            self.end(State::Stuck { cause, remedy: self.not_restored(back) })
        }
    }

    fn runs_as_before(self, back: &Reverting, aftermath: &Aftermath) -> bool {
        let ran = match self.keeps() {
            true => self.rebooted(),
            false => back.running.is_none() || aftermath.is_clean(),
        };
        self.at_home() && self.seen.switch != SwitchUnit::Running && ran
    }

    fn boots_as_before(self, back: &Reverting) -> bool {
        let before = &self.record.before;
        let default = match before.default {
            BootDefault::System(_) => self.seen.default == before.default,
            BootDefault::Unreadable { .. } | BootDefault::None => back.boot.is_none(),
        };
        default && self.seen.profile == before.profile
    }

    fn another_round(self, back: &Reverting) -> Step {
        let mut step = self.round(back.cause.clone(), back.reach, back.tries + 1);
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

/// The part that follows.
fn after(part: RevertPart) -> RevertPart {
    match part {
        RevertPart::End => RevertPart::Profile,
        RevertPart::Profile => RevertPart::Default,
        RevertPart::Default => RevertPart::Back,
        RevertPart::Back | RevertPart::Compare => RevertPart::Compare,
    }
}
