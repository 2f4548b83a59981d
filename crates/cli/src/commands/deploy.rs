//! `lockstep deploy`: from the description to a confirmed system on every host.

use std::{num::NonZeroU32, time::Duration};

use clap::{
    Args,
    builder::{PossibleValuesParser, TypedValueParser},
};
use deploy::{Goal, Manner, Request};
use order::{Mode, parse_duration};

use crate::{
    arguments::{Hosts, NixOptions, Pace, positive},
    context::{Context, Manners},
    failure::Failure,
};

/// The modes that can be asked for by name.
const MODES: [Mode; 4] = [Mode::Switch, Mode::Boot, Mode::Test, Mode::DryActivate];

const AFTER: &str = "\
Every host goes its own way as soon as it can: one activates while another still evaluates, and one that \
fails stops no other. On the host a guard is armed before anything changes; unless lockstep reaches the \
new system over a new connection in time, the old one comes back by itself. Only a system that was \
reached becomes the boot default.

Examples:
  lockstep deploy web1 web2
  lockstep deploy '@web&!web3' --batch 5 --stop-after 1
  lockstep deploy --all                        all hosts, without being asked
  lockstep deploy db1 --mode test              run it until the next boot only
  lockstep deploy db1 --hold                   leave it to `lockstep confirm db1`
  git diff --name-only | my-hosts | lockstep deploy -";

/// Evaluate, build, ship and activate
///
/// Without a selector all hosts are meant; what would be deployed is listed, and you are asked.
#[derive(Debug, Args)]
#[command(after_help = AFTER)]
pub(crate) struct Arguments {
    #[command(flatten)]
    hosts: Hosts,
    /// What becomes of the new system: switch (now and at every boot), boot (from the next boot on), test (until
    /// the next boot), dry-activate (nothing; say what would happen)
    #[arg(short, long, default_value = "switch", value_parser = modes(), hide_possible_values = true)]
    mode: Mode,
    /// Answer every question with yes
    #[arg(short, long)]
    yes: bool,
    #[command(flatten)]
    pace: Pace,
    /// Activate in groups of N hosts, each when the one before has ended
    #[arg(long, value_name = "N", value_parser = positive)]
    batch: Option<NonZeroU32>,
    /// Begin no further activation once N hosts have failed
    #[arg(long, value_name = "N", value_parser = positive)]
    stop_after: Option<NonZeroU32>,
    #[command(flatten)]
    manner: Guarding,
    #[command(flatten)]
    nix: NixOptions,
}

/// How activations are guarded.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Guarding {
    /// Do not confirm: leave that to `lockstep confirm`, before the time is over
    #[arg(long, conflicts_with = "no_rollback")]
    hold: bool,
    /// Keep a system that fails to look at it; the next boot is still the old one
    #[arg(long)]
    no_rollback: bool,
    /// How long the new system may take to be confirmed, as 90s or 5m, instead of each host's own setting
    #[arg(long, value_name = "TIME", value_parser = confirm_timeout)]
    confirm_timeout: Option<Duration>,
}

impl From<&Guarding> for Manner {
    fn from(typed: &Guarding) -> Self {
        Self { hold: typed.hold, no_rollback: typed.no_rollback, confirm_timeout: typed.confirm_timeout }
    }
}

/// Deploys.
pub(crate) fn run(context: &Context, arguments: &Arguments) -> Result<u8, Failure> {
    let Hosts { selectors, all } = &arguments.hosts;
    check_hold(arguments.mode, &arguments.manner)?;
    let yes = arguments.yes || *all;
    if !yes && selectors.is_empty() && !context.terminal.can_ask() {
        return Err(Failure::usage("no host is named, and nobody can be asked here")
            .with_hint("name hosts, or say --all"));
    }
    if !arguments.yes && arguments.mode == Mode::Boot && !context.terminal.can_ask() {
        return Err(Failure::usage("mode boot is not guarded yet, and nobody can be asked here")
            .with_hint("--yes says that you know"));
    }
    let description = context.description(&arguments.nix)?;
    let request = Request {
        hosts: context.select(&description.fleet, &arguments.hosts)?,
        named: !selectors.is_empty(),
        yes,
        goal: Goal::Activate(arguments.mode),
        parallel: arguments.pace.parallel,
        batch: arguments.batch,
        stop_after: arguments.stop_after,
        manner: (&arguments.manner).into(),
    };
    let manners = Manners { yes, ..Manners::default() };
    let outcome = context.operate(manners, |operator| {
        deploy::deploy(operator, &description.evaluate, &description.fleet, &request)
    })?;
    Ok(context.conclude(&outcome))
}

/// Only what waits for a confirmation can be held.
fn check_hold(mode: Mode, manner: &Guarding) -> Result<(), Failure> {
    match mode {
        Mode::Boot | Mode::DryActivate if manner.hold => Err(Failure::usage(format!(
            "--hold has no meaning with --mode {}: nothing is confirmed",
            mode.word()
        ))),
        _ => Ok(()),
    }
}

fn modes() -> impl TypedValueParser<Value = Mode> {
    let words = PossibleValuesParser::new(MODES.map(Mode::word));
    words.map(|word| Mode::from_word(&word).unwrap_or(Mode::Switch))
}

fn confirm_timeout(text: &str) -> Result<Duration, TimeoutError> {
    let timeout = parse_duration(text)?;
    if timeout < LEAST { Err(TimeoutError::TooShort) } else { Ok(timeout) }
}

/// Less is not enough for a login.
const LEAST: Duration = Duration::from_secs(5);

#[derive(Debug, thiserror::Error)]
enum TimeoutError {
    #[error(transparent)]
    Form(#[from] order::DurationError),
    #[error("a login takes longer; at least 5s")]
    TooShort,
}
