//! What must hold in every world, and at every end.

use order::Mode;

use super::world::{Config, DefaultKind, Node, System, Unit, World};
use crate::{Lasting, Remedy, State};

/// What is wrong in this world, if anything.
pub(super) fn violation(config: Config, node: &Node, is_final: bool) -> Option<String> {
    let world = &node.world;
    let asked = world.confirmed || config.mode == Mode::Boot;
    if world.default == System::New && !asked {
        return Some("the boot default is the new system without a confirmation".into());
    }
    let rooted = world.kept.contains(&world.default) || world.roots;
    if !rooted {
        return Some(format!("the boot default {:?} is not rooted", world.default));
    }
    world.lies.clone().or_else(|| if is_final { wrong_end(config, node) } else { None })
}

fn wrong_end(config: Config, node: &Node) -> Option<String> {
    let world = &node.world;
    let third = world.budget.thirds < config.budget.thirds;
    let Some(end) = node.end() else {
        // Killed before the first write: nothing has been done.
        let untouched = world.journal.is_none() && (third || as_before(config, world));
        let state = world.journal.as_ref().map(|record| &record.state);
        return (!untouched).then(|| format!("never ends: {state:?}"));
    };
    if third && runs_on(config, world, &end) {
        return Some(format!("the new system runs on at {end:?}"));
    }
    let good = match &end {
        State::Confirmed { lasting } => third || holds(world, lasting),
        State::RolledBack { .. } | State::Unchanged { .. } => third || as_before(config, world),
        State::Stuck { cause, remedy } => {
            let told = !remedy.to_string().is_empty() && !cause.to_string().is_empty();
            told && (third || stuck_truly(world, remedy))
        }
        _ => false,
    };
    if !good {
        return Some(format!("{end:?} is not true"));
    }
    if world.guard {
        return Some("the guard is still armed at the end".into());
    }
    // Known limit: a confirmed test leaves no trace but the journal, so a guard that could not be stopped and cannot
    // read it brings the old system back. Two things failed, and the host is safe.
    let in_the_dark = config.mode == Mode::Test && world.budget.fails + 2 <= config.budget.fails;
    let took_back = world.told && !third && !in_the_dark && !matches!(end, State::Confirmed { .. });
    took_back.then(|| format!("the operator was told Confirmed, the end is {end:?}"))
}

/// Nobody confirmed, and the new system runs all the same. What else somebody did to the host excuses nothing but a
/// boot into a default that was set after a confirmation.
fn runs_on(config: Config, world: &World, end: &State) -> bool {
    let ours = world.running == System::New && config.before != System::New && world.default != System::New;
    ours && !config.keep && !matches!(end, State::Confirmed { .. })
}

/// After a reboot a system that was only tested runs no more.
fn holds(world: &World, lasting: &Lasting) -> bool {
    let runs = world.running == System::New && world.unit == Unit::Absent;
    let boots = world.default == System::New && world.profile == System::New;
    match lasting {
        Lasting::Always | Lasting::Unread => runs && boots,
        Lasting::UntilReboot => (runs || world.boots > 0) && world.default == System::Default,
        Lasting::FromNextBoot => boots,
    }
}

fn as_before(config: Config, world: &World) -> bool {
    let runs = world.running == config.before || (world.boots > 0 && world.running == System::Default);
    let boots = world.default == System::Default && world.profile == System::Default;
    let failed = world.budget.fails < config.budget.fails;
    let next = !world.once && (!world.trial || failed);
    runs && boots && next && !world.mixed && !world.silent && world.unit == Unit::Absent
}

/// The remedy tells what is: a reboot is advised only where it helps.
fn stuck_truly(world: &World, remedy: &Remedy) -> bool {
    let boots = world.default == System::Default && world.profile == System::Default && !world.once;
    match remedy {
        Remedy::TakenOver { .. } => false,
        Remedy::Kept { .. } | Remedy::NotBack { .. } => boots,
        Remedy::NotRestored { .. } => !boots || world.default_kind != DefaultKind::Read,
    }
}
