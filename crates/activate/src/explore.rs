//! Every world that an activation can reach, explored with the real step and the real turn of the driver: every
//! effect failing in each way it can, the owner or the guard killed between any two things, a power cut, journal
//! writes that fail or only say so, somebody else at work. The worlds are values; see `world`.

mod judge;
mod races;
mod random;
mod sim;
mod world;

use std::{
    cell::RefCell,
    collections::{BTreeMap, HashSet, VecDeque},
    ops::ControlFlow,
    time::Duration,
};

use order::Mode;

use crate::{
    Event, Fault, LoadError, Owner, Phase,
    drive::{Decide, Going, turn},
    step,
    step::taken,
    vigil,
};
use judge::violation;
use sim::{Hands, Sim};
use world::{Budget, Config, DefaultKind, Node, Process, System, Unit};

/// What an exploration has found.
struct Found {
    worlds: usize,
    ends: BTreeMap<Phase, usize>,
    /// The first violation, and how it came about.
    violation: Option<String>,
}

fn explore(config: Config, decide: Decide) -> Found {
    let mut seen = HashSet::new();
    let mut ways: Vec<(usize, String)> = Vec::new();
    let mut found = Found { worlds: 0, ends: BTreeMap::new(), violation: None };
    let mut queue = VecDeque::from([(config.start(), usize::MAX, "begin".to_owned())]);
    while let Some((node, from, move_)) = queue.pop_front() {
        if !seen.insert(node.key()) {
            continue;
        }
        ways.push((from, move_));
        let here = ways.len() - 1;
        let next = successors(config, decide, &node);
        let is_final = node.process.is_none() && !next.iter().any(|(_, _, finishing)| *finishing);
        if is_final && let Some(end) = node.end() {
            *found.ends.entry(end.phase()).or_default() += 1;
        }
        if let Some(problem) = violation(config, &node, is_final) {
            found.violation = Some(format!("{config:?}\n  {problem}\n  {}", trace(&ways, here)));
            break;
        }
        queue.extend(next.into_iter().map(|(move_, node, _)| (node, here, move_)));
    }
    found.worlds = seen.len();
    found
}

fn trace(ways: &[(usize, String)], mut at: usize) -> String {
    let mut moves = Vec::new();
    while let Some((from, move_)) = ways.get(at) {
        moves.push(move_.as_str());
        at = *from;
    }
    moves.reverse();
    moves.join(" | ")
}

/// The moves out of a node: what, whereto, and whether it is one that must come (not an accident).
type Moves = Vec<(String, Node, bool)>;

fn successors(config: Config, decide: Decide, node: &Node) -> Moves {
    let mut moves = accidents(node);
    match &node.process {
        Some(process) => moves.extend(turns(config, decide, node, process)),
        None => moves.extend(takers(node)),
    }
    moves
}

/// Every outcome of the next turn of the process.
fn turns(config: Config, decide: Decide, node: &Node, process: &Process) -> Moves {
    let mut moves = Moves::new();
    let mut script = Some(Vec::new());
    while let Some(choices) = script {
        let sim = RefCell::new(Sim::new(config, node.world.clone(), choices));
        let now = node.world.now();
        let outcome = turn(process.going.clone(), decide, &mut Hands(&sim), &mut Hands(&sim), now);
        let sim = sim.into_inner();
        script = sim.next_script();
        let mut world = sim.world;
        let process = match outcome {
            _ if sim.died => world.dies(process.is_guard),
            ControlFlow::Continue(going) => Some(Process { going, ..process.clone() }),
            ControlFlow::Break(ended) => world.ends(ended, process.is_guard),
        };
        moves.push((sim.said.join(", "), Node { world, process }, true));
    }
    moves
}

/// Who finishes what is unfinished: the guard, also without a readable journal, or the next contact.
fn takers(node: &Node) -> Moves {
    let mut moves = Moves::new();
    let start = |record, is_guard| {
        let going = Going { record, event: Event::Start, unsaved: None };
        Node { world: node.world.clone(), process: Some(Process { going, is_guard }) }
    };
    if let (true, Some(mine)) = (node.world.guard, &node.world.mine) {
        let seen = node.world.observe();
        let load = || Ok::<_, LoadError>(node.world.journal.clone());
        let mut now = node.world.now();
        if let crate::Vigil::Sleep(_) = vigil(mine, load(), Owner::Gone, now) {
            // A reboot is under way, and does not come.
            now = now.after(Duration::from_secs(200));
        }
        assert_eq!(vigil(mine, load(), Owner::Gone, now), crate::Vigil::TakeOver);
        moves.extend(
            taken(mine, load(), &seen)
                .map(|record| ("guard takes over".to_owned(), start(record, true), true)),
        );
        if let Some(budget) = node.world.budget.fail() {
            let blind = taken(mine, Err(LoadError::Read(Fault::new("fault"))), &seen);
            moves.extend(blind.map(|record| {
                let mut taker = start(record, true);
                taker.world.budget = budget;
                ("guard takes over blindly".to_owned(), taker, true)
            }));
        }
    }
    if let Some(record) = node.world.journal.clone().filter(|record| !record.state.is_end()) {
        moves.push(("next contact".to_owned(), start(record, false), true));
    }
    moves
}

/// What may happen at any time.
fn accidents(node: &Node) -> Moves {
    let mut moves = Moves::new();
    let mut push = |what: &str, change: &dyn Fn(&mut Node)| {
        let mut node = node.clone();
        change(&mut node);
        moves.push((what.to_owned(), node, false));
    };
    if let (Some(budget), Some(process)) = (node.world.budget.crash(), &node.process) {
        let is_guard = process.is_guard;
        push("killed", &|node| {
            node.world.budget = budget;
            node.process = node.world.dies(is_guard);
        });
    }
    if let Some(budget) = node.world.budget.cut() {
        push("POWER CUT", &|node| {
            node.world.budget = budget;
            node.world.boot();
            node.process = None;
        });
    }
    if let Some(budget) = node.world.budget.third() {
        push("somebody moves the profile only", &|node| {
            node.world.budget = budget;
            node.world.set_profile(System::Third);
        });
    }
    if let (Some(budget), Unit::Absent) = (node.world.budget.third(), node.world.unit) {
        push("somebody tests a third system", &|node| {
            node.world.budget = budget;
            node.world.third(false);
        });
        push("somebody switches to a third system", &|node| {
            node.world.budget = budget;
            node.world.third(true);
        });
    }
    if node.world.unit == Unit::Running && node.world.running != System::New {
        push("unit: the link moves", &|node| node.world.running = System::New);
    }
    moves
}

/// Every mode; in mode `reboot` also a system that does not come up.
const MODES: [(Mode, bool); 5] = [
    (Mode::Switch, true),
    (Mode::Test, true),
    (Mode::Boot, true),
    (Mode::Reboot, true),
    (Mode::Reboot, false),
];

fn all_configs(budget: Budget) -> Vec<Config> {
    let mut configs = Vec::new();
    for (mode, boots) in MODES {
        for default in world::DEFAULTS {
            for before in world::BEFORES {
                for (network, keep) in [(true, false), (false, false), (true, true), (false, true)] {
                    configs.push(Config { mode, keep, default, before, network, boots, budget });
                }
            }
        }
    }
    configs
}

/// Explores all of these; returns how many worlds there were, and how many ends of each kind.
fn explore_all(configs: impl IntoIterator<Item = Config>) -> (usize, BTreeMap<Phase, usize>) {
    let (mut worlds, mut ends) = (0, BTreeMap::new());
    for config in configs {
        let found = explore(config, step);
        assert_eq!(found.violation, None, "{}", found.violation.as_deref().unwrap_or_default());
        worlds += found.worlds;
        for (phase, count) in found.ends {
            *ends.entry(phase).or_insert(0) += count;
        }
    }
    println!("{worlds} worlds, ends {ends:?}");
    (worlds, ends)
}

#[test]
fn every_world_ends_well() {
    let (_, ends) = explore_all(all_configs(Budget { fails: 1, crashes: 1, cuts: 1, thirds: 0 }));
    assert!(
        [Phase::Confirmed, Phase::RolledBack, Phase::Unchanged, Phase::Stuck].iter().all(|end| ends[end] > 0)
    );
}

#[test]
fn every_world_with_two_failing_effects_ends_well() {
    let all = all_configs(Budget { fails: 2, crashes: 1, cuts: 1, thirds: 0 });
    explore_all(all.into_iter().filter(is_usual));
}

/// A loader that can be read, the default running, and a failed system that is taken back.
fn is_usual(config: &Config) -> bool {
    config.default == DefaultKind::Read && config.before == System::Default && !config.keep
}

#[test]
fn every_world_of_a_reboot_with_two_crashes_and_two_failing_effects_ends_well() {
    let all = all_configs(Budget { fails: 2, crashes: 2, cuts: 1, thirds: 0 });
    explore_all(all.into_iter().filter(|config| config.mode == Mode::Reboot && is_usual(config)));
}

#[test]
fn every_world_with_two_crashes_ends_well() {
    let all = all_configs(Budget { fails: 1, crashes: 2, cuts: 1, thirds: 0 });
    explore_all(all.into_iter().filter(is_usual));
}

#[test]
fn every_world_with_somebody_else_at_work_ends_well() {
    explore_all(all_configs(Budget { fails: 0, crashes: 1, cuts: 1, thirds: 1 }));
}
