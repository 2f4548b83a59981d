//! Closures on their way to an agent, each path in the cheapest way, on hosts of both images; and what stops them.

mod bases;
mod broken;
mod caches;
mod lies;
mod line;
mod odd;
mod ordinary;
mod refused;
mod shelf;

use std::{
    collections::BTreeSet,
    io::{self, Write},
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use lab::{Host, Suite, wait};
use store::{closure::Closure, path_info::PathInfo};
use transfer::{Asked, Bases, Error, Given, Offer, Outcome, Progress, Pulse, Source};

use self::{line::Line, shelf::Shelf};
use super::{agents, builder, transfer::connect};

/// How long nothing may go on, most of which is the machine's other work.
const LIMIT: Duration = Duration::from_secs(100);
/// Where the agent keeps the path in work.
const SPOOL: &str = "/nix/var/lockstep/incoming";
/// Most that a session takes, in KiB: what may be held for paths, and the agent itself.
const MEMORY: u64 = 24_576 + 8_192;

/// A test for each promise and image.
macro_rules! receiving {
    ($($module:ident::$name:ident,)*) => {
        mod trixie {
            $(#[test]
            fn $name() -> anyhow::Result<()> {
                super::on_host(lab::Suite::Trixie, super::$module::$name)
            })*
        }
        mod sid {
            $(#[test]
            fn $name() -> anyhow::Result<()> {
                super::on_host(lab::Suite::Sid, super::$module::$name)
            })*
        }
    };
}

receiving! {
    ordinary::nothing_goes_over_twice,
    ordinary::paths_that_differ_in_hashes_only_cost_almost_nothing,
    ordinary::a_changed_library_costs_its_difference,
    ordinary::another_session_carries_a_part,
    broken::what_is_cut_on_either_of_two_sessions_goes_on,
    bases::a_base_that_is_collected_meanwhile_is_not_needed,
    bases::a_base_that_was_changed_on_the_disk_does_no_harm,
    broken::a_long_path_goes_on_where_it_was_cut,
    broken::what_an_agent_holds_that_lives_on_is_not_sent_again,
    broken::a_patch_goes_on_where_it_was_cut,
    broken::many_short_paths_go_on_where_they_were_cut,
    broken::an_agent_that_is_killed_is_followed_by_another,
    broken::a_daemon_that_is_killed_is_asked_again,
    broken::a_disk_that_is_full_is_said_to_be_full,
    broken::a_disk_with_room_for_one_copy_is_enough,
    odd::odd_paths_arrive_as_they_are,
    odd::a_path_may_refer_to_very_many,
    refused::a_daemon_that_is_not_there_is_said_to_be_so,
    refused::a_daemon_that_says_nothing_is_not_waited_for_without_end,
    refused::a_daemon_that_does_not_trust_root_is_said_to_be_so,
    lies::a_sender_that_lies_registers_nothing,
    lies::bytes_that_mean_nothing_end_only_their_transfer,
    caches::what_caches_have_is_not_sent,
    caches::a_cache_that_hangs_is_not_waited_for_without_end,
}

fn on_host(suite: Suite, check: fn(&There<'_>) -> Result<()>) -> Result<()> {
    let lab = builder().suite(suite).hosts(["there"]).start()?;
    let there = There(lab.host("there"));
    agents::install(&there.0)?;
    check(&there)
}

/// The host that is to have the paths.
struct There<'lab>(Host<'lab>);

/// What is to be there, and what it can be made of.
struct Wish<'s> {
    closure: Closure,
    bases: Bases,
    source: Box<dyn Source + Send + 's>,
    substitute: Option<Duration>,
    limit: Duration,
    /// Another session that carries a part.
    second: Option<&'s Line>,
}

impl Wish<'_> {
    /// All of a shelf, whole.
    fn all(shelf: &Shelf) -> Result<Self> {
        let (closure, bases) = (shelf.closure()?, Bases::none());
        let source = Box::new(shelf.source());
        Ok(Self { closure, bases, source, substitute: None, limit: LIMIT, second: None })
    }

    /// All of a shelf, made of another one that is there.
    fn after(shelf: &Shelf, old: &Shelf) -> Result<Self> {
        Ok(Self { bases: shelf.bases(old)?, ..Self::all(shelf)? })
    }

    /// Sends over a session until all is there, or an error.
    fn send(&mut self, line: &Line) -> Result<Vec<Given>> {
        self.send_with(line, |_| Ok(()), |_| ())
    }

    /// The same, with something done after each answer, and while it goes over.
    fn send_with(
        &mut self,
        line: &Line,
        mut on_answer: impl FnMut(&Asked<'_, '_>) -> Result<()>,
        mut on_bytes: impl FnMut(u64),
    ) -> Result<Vec<Given>> {
        let pulse = Pulse::new(Some(self.limit));
        let mut offer = Offer::new(&self.closure, &self.bases, &pulse, self.substitute);
        let mut rounds = Vec::new();
        loop {
            // A line on which no other question can be asked is a broken one.
            let broken = |_| Error::from(io::Error::from(io::ErrorKind::BrokenPipe));
            let (streams, lane) = line.streams().map_err(broken)?;
            let asked = offer.ask(streams)?;
            self.second.map_or(Ok(()), |second| second.join(lane))?;
            on_answer(&asked)?;
            let mut given = asked.give(&mut *self.source, &mut |progress| {
                if let Progress::Sending { bytes, .. } = progress {
                    on_bytes(bytes);
                }
            })?;
            let outcome = std::mem::replace(&mut given.outcome, Outcome::Done);
            rounds.push(given);
            ensure!(rounds.len() < 20, "it has no end: {rounds:?}");
            match outcome {
                Outcome::Done => return Ok(rounds),
                Outcome::Again(again) => offer.amend(again)?,
            }
        }
    }

    /// Sends over a new session what was not sent in one that is to fail; says why it failed.
    fn fail(&mut self, line: &Line) -> Result<Error> {
        match self.send(line) {
            Ok(given) => anyhow::bail!("it should not succeed: {given:?}"),
            Err(error) => error.downcast(),
        }
    }
}

impl There<'_> {
    fn line(&self) -> Result<Line> {
        Line::start(&self.0)
    }

    /// Sends all of a shelf in one round over a session of its own.
    fn send(&self, wish: &mut Wish<'_>) -> Result<Given> {
        only(wish.send(&self.line()?)?)
    }

    /// All of a shelf is there, as it is here, and nothing is left of how it came.
    fn check(&self, shelf: &Shelf) -> Result<()> {
        self.check_all(shelf, |_| ())
    }

    /// The same, if `but` is done to what the host knows of each path.
    fn check_all(&self, shelf: &Shelf, but: fn(&mut PathInfo)) -> Result<()> {
        let mut client = connect(self.0, &["nix-daemon", "--stdio"])?;
        let mut names = Vec::new();
        for info in &shelf.infos {
            let there = client.query_path_info(&info.path)?.context("it is not valid")?;
            let mut same = PathInfo { registration_time: 0, ultimate: false, ..there };
            but(&mut same);
            ensure!(same == *info, "{same:?} instead of {info:?}");
            names.push(shelf::full(&info.path));
        }
        let names = names.join("\n");
        let verify = ["xargs", "nix-store", "--verify-path"];
        self.0.command(verify)?.input(names).timeout(LIMIT).run().context("contents are wrong")?;
        self.nothing_spooled()
    }

    /// None of these paths is valid, and nothing is left of how they came.
    fn has_none(&self, infos: &[PathInfo]) -> Result<()> {
        let mut client = connect(self.0, &["nix-daemon", "--stdio"])?;
        let paths: BTreeSet<_> = infos.iter().map(|info| info.path.clone()).collect();
        let valid = client.query_valid_paths(&paths, false)?;
        ensure!(valid.is_empty(), "{valid:?} are valid");
        self.nothing_spooled()
    }

    fn nothing_spooled(&self) -> Result<()> {
        let spooled = self.spooled()?;
        ensure!(spooled.is_empty(), "{spooled:?}");
        Ok(())
    }

    /// The sizes of the files in which paths in work are kept.
    fn spooled(&self) -> Result<Vec<u64>> {
        let script = format!("cd {SPOOL} 2>/dev/null || exit 0; find . -name '*-*' -printf '%s\\n'");
        self.0.sh(&script)?.lines().map(|line| Ok(line.parse()?)).collect()
    }

    /// The most that the session's process has taken so far, in KiB.
    fn peak(&self) -> Result<u64> {
        let script =
            "sed -n 's/^VmHWM:[^0-9]*\\([0-9]*\\) kB/\\1/p' /proc/$(pgrep -xn lockstep-agent)/status";
        Ok(self.0.sh(script)?.parse()?)
    }

    /// The peak is within what was promised, and is told.
    fn check_peak(&self, what: &str) -> Result<()> {
        let peak = self.peak()?;
        writeln!(io::stderr(), "{what}: the agent took {peak} KiB")?;
        ensure!(peak <= MEMORY, "{what}: the agent took {peak} KiB, {MEMORY} are allowed");
        Ok(())
    }

    /// Waits until no agent of a session runs.
    fn wait_left(&self) -> Result<()> {
        wait::until("the agent to end", LIMIT, || {
            let left = self.0.output(["pgrep", "-x", "lockstep-agent"])?.stdout_text();
            ensure!(left.is_empty(), "{left}");
            Ok(())
        })
    }
}

/// What was given in the only round.
fn only(mut rounds: Vec<Given>) -> Result<Given> {
    ensure!(rounds.len() == 1, "one round was expected: {rounds:?}");
    rounds.pop().context("there is one")
}
