//! Going back to an older generation: an order like any other, for a system that the host still has.

use std::sync::Arc;

use fleet::Fleet;
use order::{Mode, SystemPath};
use report::{Cause, CauseKind, Generation, HostResult, Stage};

use crate::activation::Held;
use crate::bases;
use crate::conduct::{Part, conduct};
use crate::pipeline::{Over, Pipeline, Trail};
use crate::{BeginError, Goal, News, Operator, Outcome, Request, judge};

/// Generations that are asked for.
const GENERATIONS: u32 = 10_000;

/// Activates the system of an older generation of each host's profile: that of this number, or of the newest one before
/// the current that has another system. Nothing is shipped.
///
/// # Errors
/// If it could not begin.
pub fn rollback(
    operator: &Operator,
    fleet: &Fleet,
    request: &Request,
    to: Option<u64>,
) -> Result<Outcome, BeginError> {
    let goal = match request.goal {
        Goal::Activate(mode) => Goal::Activate(mode),
        Goal::Build | Goal::Push | Goal::Reboot => Goal::Activate(Mode::Switch),
    };
    let part: Arc<Part> = Arc::new(move |host: &Pipeline| {
        let mut trail = Trail::default();
        let result = back(host, to, &mut trail);
        host.report(trail, result)
    });
    conduct(operator, fleet, &Request { goal, ..request.clone() }, &part)
}

fn back(host: &Pipeline, to: Option<u64>, trail: &mut Trail) -> Result<HostResult, Over> {
    let failed = |cause| Over::failed(Stage::Connect, cause);
    let connector = host.connector(&host.member).map_err(failed)?;
    let contact = host.teller.stage(Stage::Connect, || connector.shared()).map_err(failed)?;
    let hello = &contact.talk.hello;
    host.keep(&bases::of_hello(hello));
    judge::busy(hello).map_or(Ok(()), |cause| Err(failed(cause)))?;
    let (_, generations) =
        contact.talk.history(GENERATIONS).map_err(|error| failed(contact.cause(&error)))?;
    let system = choose(&generations, hello.profile.as_ref(), to).map_err(failed)?;
    let numbers = generations.iter().filter(|generation| generation.system == system);
    if let Some(number) = numbers.map(|generation| generation.number).max() {
        host.teller.note(format!("goes back to generation {number}: {}", system.path.name()));
    }
    let mode = host.common.request.goal.mode();
    trail.system = Some(system.clone());
    host.teller.tell(News::System(system.clone()));
    if judge::is_there(hello, &system, mode) {
        return Ok(HostResult::AlreadyThere);
    }
    host.turn(host.candidate(Some(system.clone())))?;
    let place = host.common.activating.enter(host.common.operator.stop.nix());
    let Some(_place) = place else { return Err(host.stopped()) };
    let held = Held { contact, store: None };
    host.give_order(mode, held, (&system.path, &connector), trail)
}

/// The system to go back to. The generations come newest first.
pub(super) fn choose(
    generations: &[Generation],
    profile: Option<&SystemPath>,
    to: Option<u64>,
) -> Result<SystemPath, Cause> {
    let missing = |text: String| Err(Cause::new(CauseKind::Refused, text));
    let numbers = || {
        let numbers: Vec<String> =
            generations.iter().take(20).map(|generation| generation.number.to_string()).collect();
        if numbers.is_empty() { "none".to_owned() } else { numbers.join(", ") }
    };
    let found = match to {
        Some(number) => generations.iter().find(|generation| generation.number == number),
        None => {
            let current = generations.iter().position(|generation| Some(&generation.system) == profile);
            let older = generations.iter().skip(current.map_or(0, |at| at + 1));
            older.into_iter().find(|generation| Some(&generation.system) != profile)
        }
    };
    match (found, to) {
        (Some(generation), _) => Ok(generation.system.clone()),
        (None, Some(number)) => missing(format!("the host has no generation {number}; it has {}", numbers())),
        (None, None) => {
            missing(format!("the host has no older generation with another system; it has {}", numbers()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn system(letter: char) -> SystemPath {
        let text = format!("/nix/store/{}-nixos-system-web", letter.to_string().repeat(32));
        SystemPath::parse(&store::store_path::StoreDir::default(), &text).expect("a system")
    }

    #[test]
    fn an_older_system_is_chosen() {
        let generations = |letters: &str| -> Vec<Generation> {
            let numbered = (1..).zip(letters.chars());
            let mut all: Vec<_> =
                numbered.map(|(number, letter)| Generation { number, system: system(letter) }).collect();
            all.reverse();
            all
        };
        let cases = [
            ("ab", 'b', None, Some('a')),
            ("abb", 'b', None, Some('a')),
            ("aba", 'a', None, Some('b')),
            ("abc", 'b', None, Some('a')),
            ("abc", 'd', None, Some('c')),
            ("bb", 'b', None, None),
            ("", 'b', None, None),
            ("abc", 'c', Some(1), Some('a')),
            ("abc", 'c', Some(3), Some('c')),
            ("abc", 'c', Some(9), None),
        ];
        for (letters, profile, to, expected) in cases {
            let found = choose(&generations(letters), Some(&system(profile)), to).ok();
            assert_eq!(found, expected.map(system), "{letters} {profile} {to:?}");
        }
    }
}
