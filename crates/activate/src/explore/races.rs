//! The races that concern the machine, each with its name; and wrong machines, which the exploration must find.

use std::{cell::RefCell, time::Duration};

use order::{Mode, OrderId};

use super::{
    explore,
    sim::{Hands, Sim},
    world::{Budget, Config, DefaultKind, Node, System},
};
use crate::{
    Cause, Effect, Event, Moment, Next, Observation, Owner, Phase, Record, RecordError, Reply, Save, State,
    Step, SwitchResult, Vigil, begin, guard, resume, step, vigil,
};

const USUAL: Config = Config {
    mode: Mode::Switch,
    keep: false,
    default: DefaultKind::Read,
    before: System::Default,
    network: true,
    boots: true,
    budget: Budget { fails: 1, crashes: 1, cuts: 1, thirds: 0 },
};

fn start() -> (Record, Observation, Moment) {
    let Node { world, process } = USUAL.start();
    (process.expect("a process").going.record, world.observe(), world.now())
}

/// A record that awaits its confirmation until `deadline` seconds, while the new system runs.
fn awaiting(deadline: u64) -> (Record, Observation, Moment) {
    let (mut record, mut seen, now) = start();
    record.state = State::AwaitingConfirm { deadline: now.after(Duration::from_secs(deadline)) };
    seen.running = Some(record.new_system());
    (record, seen, now)
}

fn confirmation(record: &Record) -> Event {
    Event::Confirm { order: record.order.id.clone(), nonce: record.order.nonce.clone() }
}

fn at(mut record: Record, state: State) -> Record {
    record.state = state;
    record
}

const COMMITTING: State = State::Committing { part: crate::CommitPart::Default, tries: 0 };

#[test]
fn race_01_a_confirmation_after_the_deadline_is_too_late_and_one_before_it_wins() {
    let (record, seen, now) = awaiting(10);
    let early = step(&record, confirmation(&record), &seen, now.after(Duration::from_secs(9)));
    assert_eq!((early.record.state.phase(), early.save, early.reply), (Phase::Committing, Save::Must, None));
    let late = step(&record, confirmation(&record), &seen, now.after(Duration::from_secs(10)));
    assert_eq!((late.record.state.phase(), late.reply), (Phase::Reverting, Some(Reply::TooLate)));
}

#[test]
fn race_02_the_guard_leaves_a_live_owner_with_a_slow_boot_alone() {
    let (record, _, now) = awaiting(10);
    let look = |state: State, owner, seconds| {
        let journal = Ok(Some(at(record.clone(), state)));
        vigil(&record, journal, owner, now.after(Duration::from_secs(seconds)))
    };
    assert!(matches!(look(COMMITTING, Owner::Alive, 100_000), Vigil::Sleep(_)));
    assert_eq!(look(COMMITTING, Owner::Gone, 1), Vigil::TakeOver);
    assert!(matches!(look(record.state.clone(), Owner::Alive, 11), Vigil::Sleep(_)));
    assert_eq!(look(record.state.clone(), Owner::Alive, 13), Vigil::TakeOver);
}

#[test]
fn race_02_the_guard_lets_a_late_way_back_end_its_processes() {
    let (record, seen, now) = awaiting(10);
    let reverting = step(&record, Event::Abort, &seen, now).record;
    let State::Reverting(back) = reverting.state.clone() else { unreachable!("it goes back") };
    for (part, seconds, sleeps) in [
        (crate::RevertPart::Back, 62, true),
        (crate::RevertPart::Back, 63, false),
        (crate::RevertPart::End, 62, true),
        (crate::RevertPart::Compare, 2, true),
        (crate::RevertPart::Compare, 3, false),
    ] {
        let state = State::Reverting(crate::Reverting { part, ..back.clone() });
        let journal = Ok(Some(at(reverting.clone(), state)));
        let then = back.until.after(Duration::from_secs(seconds));
        let found = vigil(&record, journal, Owner::Alive, then);
        assert_eq!(matches!(found, Vigil::Sleep(_)), sleeps, "{part:?} {seconds}");
    }
}

#[test]
fn race_03_the_new_systems_unit_is_ended_before_the_old_system_runs() {
    let (record, seen, now) = awaiting(10);
    let step = step(&record, Event::Abort, &seen, now);
    assert_eq!((step.next, step.reply), (Next::Do(Effect::EndSwitch), Some(Reply::Aborting)));
}

#[test]
fn race_04_a_confirmation_while_the_old_system_runs_is_refused() {
    let (record, mut seen, now) = awaiting(10);
    seen.running = Some(record.before.running.clone());
    let step = step(&record, confirmation(&record), &seen, now);
    assert_eq!(step.record.state, record.state);
    assert!(matches!(step.reply, Some(Reply::NotRunning { .. })));
}

#[test]
fn race_05_a_left_over_guard_of_an_earlier_order_leaves() {
    let (mine, _, now) = awaiting(10);
    let mut other = mine.clone();
    other.order.id = OrderId::from_random([7; 20]);
    assert_eq!(vigil(&mine, Ok(Some(other)), Owner::Gone, now), Vigil::Leave);
}

#[test]
fn race_06_a_unit_that_was_collected_is_no_success() {
    let (record, seen, now) = awaiting(10);
    let record = at(
        record,
        State::Switching {
            until: now.after(Duration::from_secs(9)),
            idle: now.after(Duration::from_secs(9)),
        },
    );
    let lost = SwitchResult::Lost { why: crate::Fault::new("no result file") };
    assert_eq!(step(&record, Event::SwitchEnded(lost), &seen, now).record.state.phase(), Phase::Reverting);
}

#[test]
fn race_09_a_newcomer_recovers_what_an_owner_left() {
    let (record, seen, now) = awaiting(10);
    assert_eq!(step(&record, Event::Start, &seen, now).record.state.phase(), Phase::Reverting);
}

#[test]
fn race_10_a_change_by_hand_is_neither_confirmed_nor_rolled_back() {
    let (record, mut seen, now) = awaiting(10);
    seen.running = Some(System::Third.path());
    for (state, event) in [(record.state.clone(), confirmation(&record)), (COMMITTING, Event::Start)] {
        let step = step(&at(record.clone(), state), event, &seen, now);
        assert!(matches!(step.record.state, State::Stuck { cause: Cause::TakenOver, .. }));
    }
}

#[test]
fn race_10_a_profile_moved_by_hand_is_left_alone_and_the_old_system_comes_back() {
    let (record, mut seen, now) = awaiting(10);
    seen.profile = Some(System::Third.path());
    for (state, event) in [
        (record.state.clone(), confirmation(&record)),
        (record.state.clone(), Event::Start),
        (COMMITTING, Event::Start),
    ] {
        let first = step(&at(record.clone(), state), event, &seen, now);
        assert_eq!(first.next, Next::Do(Effect::EndSwitch));
        let second = step(&first.record, Event::Done(Effect::EndSwitch, Ok(())), &seen, now);
        assert!(
            matches!(&second.next, Next::Do(Effect::Back { system, .. }) if *system == record.before.running)
        );
        let home = Observation { running: Some(record.before.running.clone()), ..seen.clone() };
        let end = step(&second.record, Event::Compared(crate::Aftermath::default()), &home, now);
        assert!(matches!(end.record.state, State::Stuck { cause: Cause::TakenOver, .. }));
    }
}

#[test]
fn a_loader_that_comes_out_of_nothing_is_no_proof() {
    let (mut record, mut seen, now) = awaiting(10);
    let new = record.new_system();
    seen.profile = Some(new.clone());
    let done = || Event::Done(Effect::SetDefault(new.clone()), Ok(()));
    for (before, found, phase) in [
        (crate::BootDefault::None, crate::BootDefault::None, Phase::Confirmed),
        (crate::BootDefault::None, crate::BootDefault::System(new.clone()), Phase::Committing),
        (record.before.default.clone(), crate::BootDefault::System(new.clone()), Phase::Confirmed),
    ] {
        (record.before.default, seen.default) = (before, found);
        let step = step(&at(record.clone(), COMMITTING), done(), &seen, now);
        assert_eq!(step.record.state.phase(), phase);
    }
}

#[test]
fn race_13_after_a_reboot_while_committing_what_runs_decides() {
    let (record, mut seen, now) = awaiting(10);
    let record = at(record, COMMITTING);
    seen.boot = crate::BootId::from_bits(9);
    assert_eq!(step(&record, Event::Start, &seen, now).record.state.phase(), Phase::Committing);
    seen.running = Some(record.before.running.clone());
    assert_eq!(step(&record, Event::Start, &seen, now).record.state.phase(), Phase::Reverting);
}

/// A power cut between a write of the journal and the effect that it announces: the state says more than happened.
#[test]
fn race_17_a_state_whose_effect_never_came_is_survived() {
    let (record, seen, now) = start();
    let late = now.after(Duration::from_secs(9));
    let switching = State::Switching { until: late, idle: late };
    let checking = State::Checking { until: late, part: crate::CheckPart::Units };
    let awaiting = State::AwaitingConfirm { deadline: late };
    let once = State::Rebooting { part: crate::RebootPart::Once, until: late };
    let trial = State::Entry { part: crate::EntryPart::Trial };
    for (state, expected) in [
        (State::Prepared, Phase::Unchanged),
        (State::Armed, Phase::Unchanged),
        (switching, Phase::Reverting),
        (trial, Phase::Reverting),
        (once, Phase::Reverting),
        (State::Landed, Phase::Reverting),
        (checking, Phase::Reverting),
        (awaiting, Phase::Reverting),
        (COMMITTING, Phase::Reverting),
    ] {
        let found = step(&at(record.clone(), state.clone()), Event::Start, &seen, now);
        assert_eq!(found.record.state.phase(), expected, "{state:?}");
        assert!(matches!(found.next, Next::Do(_)), "{state:?}");
    }
}

#[test]
fn race_18_a_record_of_a_newer_agent_is_refused() {
    let (record, ..) = start();
    let json = String::from_utf8(record.to_json()).expect("JSON is UTF-8");
    let newer = json.replacen(r#""version":1"#, r#""version":2"#, 1);
    assert_ne!(json, newer);
    assert!(matches!(Record::from_json(newer.as_bytes()), Err(RecordError::Version(2))));
}

/// The loops themselves, over the same hands: nobody confirms, and a guard finishes what a dead owner left.
#[test]
fn begin_resume_and_guard_run_to_an_end() {
    let (record, ..) = start();
    let config = Config { budget: Budget { fails: 0, crashes: 0, cuts: 0, thirds: 0 }, ..USUAL };
    let sim = RefCell::new(Sim::new(config, config.start().world, Vec::new()));
    let hands = || Hands(&sim);
    let ended = begin(record.clone(), &mut hands(), &mut hands(), &mut hands());
    assert_eq!((ended.record.state.phase(), ended.unsaved), (Phase::RolledBack, None));
    let (left, ..) = awaiting(10);
    sim.borrow_mut().world.journal = Some(left);
    let guarded = guard(&record, &mut hands(), &mut hands(), &mut hands()).expect("taken over");
    assert_eq!(guarded.record.state.phase(), Phase::RolledBack);
    let tidied = resume(guarded.record.clone(), &mut hands(), &mut hands(), &mut hands());
    assert_eq!(tidied.record, guarded.record);
}

#[test]
fn wrong_machines_are_found() {
    let wrong: [(&str, crate::drive::Decide); 4] = [
        ("takes the deadline for a confirmation", |record, event, seen, now| {
            let awaits = record.state.phase() == Phase::AwaitingConfirm && event == Event::Deadline;
            let before = Moment { since_boot: Duration::ZERO, ..now };
            if awaits {
                step(record, confirmation(record), seen, before)
            } else {
                step(record, event, seen, now)
            }
        }),
        ("writes nothing", |record, event, seen, now| Step {
            save: Save::No,
            ..step(record, event, seen, now)
        }),
        ("says Confirmed before the read-back", |record, event, seen, now| {
            let right = step(record, event, seen, now);
            let commits = right.record.state.phase() == Phase::Committing;
            if commits { Step { reply: Some(Reply::Confirmed), ..right } } else { right }
        }),
        ("believes that the new system runs", |record, event, seen, now| {
            let running = Some(record.new_system());
            step(record, event, &Observation { running, ..seen.clone() }, now)
        }),
    ];
    for (what, decide) in wrong {
        assert!(explore(USUAL, decide).violation.is_some(), "a machine that {what} passes");
    }
}
