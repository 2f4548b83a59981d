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
  lockstep deploy db1 --mode boot --reboot     boot it once, keep it when it was reached
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
    /// What becomes of the new system: switch (now and at every boot), boot (from the next boot on), reboot (as boot with --reboot), test (until
    /// the next boot), dry-activate (nothing; say what would happen)
    #[arg(short, long, default_value = "switch", value_parser = modes(), hide_possible_values = true)]
    mode: Mode,
    /// Answer every question with yes; a reboot that is not guarded needs --unguarded all the same
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
    reboots: Reboots,
    #[command(flatten)]
    nix: NixOptions,
}

/// How hosts are rebooted.
#[derive(Debug, Clone, Default, Args)]
struct Reboots {
    /// Reboot into the new system: with mode boot, and with mode switch where the new system refuses a switch. It
    /// is booted once, and for good only when it was confirmed
    #[arg(long)]
    reboot: bool,
    /// Reboot hosts, too, that nothing brings back if the new system does not come up
    #[arg(long)]
    unguarded: bool,
    /// How long a host may take to come back, as 90s or 20m, instead of its own setting
    #[arg(long, value_name = "TIME", value_parser = reboot_timeout)]
    reboot_timeout: Option<Duration>,
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
        let Guarding { hold, no_rollback, confirm_timeout } = *typed;
        Self { hold, no_rollback, confirm_timeout, ..Self::default() }
    }
}

/// Deploys.
pub(crate) fn run(context: &Context, arguments: &Arguments) -> Result<u8, Failure> {
    let Hosts { selectors, all } = &arguments.hosts;
    let mode = mode(arguments)?;
    check_hold(mode, &arguments.manner)?;
    let yes = arguments.yes || *all;
    if !yes && selectors.is_empty() && !context.terminal.can_ask() {
        return Err(Failure::usage("no host is named, and nobody can be asked here")
            .with_hint("name hosts, or say --all"));
    }
    if !arguments.yes && mode == Mode::Boot && !context.terminal.can_ask() {
        return Err(Failure::usage("mode boot is not guarded, and nobody can be asked here")
            .with_hint("--yes says that you know; --reboot reboots into the new system, guarded"));
    }
    let description = context.description(&arguments.nix)?;
    let request = Request {
        hosts: context.select(&description.fleet, &arguments.hosts)?,
        named: !selectors.is_empty(),
        yes,
        goal: Goal::Activate(mode),
        parallel: arguments.pace.parallel,
        batch: arguments.batch,
        stop_after: arguments.stop_after,
        manner: Manner {
            reboot: arguments.reboots.reboot,
            unguarded: arguments.reboots.unguarded,
            reboot_timeout: arguments.reboots.reboot_timeout,
            ..(&arguments.manner).into()
        },
    };
    let manners = Manners { yes, ..Manners::default() };
    let outcome = context.operate(manners, |operator| {
        deploy::deploy(operator, &description.evaluate, &description.fleet, &request)
    })?;
    Ok(context.conclude(&outcome))
}

/// What becomes of the new systems: mode `boot` with a reboot is a mode of its own.
fn mode(arguments: &Arguments) -> Result<Mode, Failure> {
    match arguments.mode {
        Mode::Boot if arguments.reboots.reboot => Ok(Mode::Reboot),
        mode @ (Mode::Test | Mode::DryActivate) if arguments.reboots.reboot => {
            let text = format!("--reboot has no meaning with --mode {}", mode.word());
            Err(Failure::usage(text).with_hint("it goes with --mode boot and --mode switch"))
        }
        mode => Ok(mode),
    }
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
    let words = PossibleValuesParser::new(Mode::ALL.map(Mode::word));
    words.map(|word| Mode::from_word(&word).unwrap_or(Mode::Switch))
}

/// Reads how long a host may take to come back.
pub(super) fn reboot_timeout(text: &str) -> Result<Duration, TimeoutError> {
    let timeout = parse_duration(text)?;
    if timeout < LEAST_BOOT { Err(TimeoutError::NoBoot) } else { Ok(timeout) }
}

fn confirm_timeout(text: &str) -> Result<Duration, TimeoutError> {
    let timeout = parse_duration(text)?;
    if timeout < LEAST { Err(TimeoutError::TooShort) } else { Ok(timeout) }
}

/// Less is not enough for a login.
const LEAST: Duration = Duration::from_secs(5);

/// Less is not enough for a boot.
const LEAST_BOOT: Duration = Duration::from_secs(10);

/// A time that cannot be given.
#[derive(Debug, thiserror::Error)]
pub(super) enum TimeoutError {
    #[error(transparent)]
    Form(#[from] order::DurationError),
    #[error("a login takes longer; at least 5s")]
    TooShort,
    #[error("a boot takes longer; at least 10s")]
    NoBoot,
}
