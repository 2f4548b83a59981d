//! `lockstep rollback`: back to an older generation, guarded as every activation is.

use clap::Args;
use deploy::{Goal, Request};
use order::Mode;

use super::deploy::Guarding;
use crate::{
    arguments::{Hosts, NixOptions, Pace},
    context::{Context, Manners},
    failure::Failure,
};

const AFTER: &str = "\
The older system is activated as a deploy would: with a guard, a confirmation, and a new generation of the \
profile. Nothing is evaluated, built or sent. `lockstep history HOST` lists the generations that are left.

Examples:
  lockstep rollback web1
  lockstep rollback web1 --to 41
  lockstep rollback '@web'";

/// Go back to an older generation: the one before, or that of a number
#[derive(Debug, Args)]
#[command(after_help = AFTER)]
pub(crate) struct Arguments {
    #[command(flatten)]
    hosts: Hosts,
    /// The generation to go back to; for one host only
    #[arg(long, value_name = "GENERATION")]
    to: Option<u64>,
    #[command(flatten)]
    pace: Pace,
    #[command(flatten)]
    manner: Guarding,
    #[command(flatten)]
    nix: NixOptions,
}

/// Goes back.
pub(crate) fn run(context: &Context, arguments: &Arguments) -> Result<u8, Failure> {
    arguments.hosts.required()?;
    let description = context.description(&arguments.nix)?;
    let hosts = context.select(&description.fleet, &arguments.hosts)?;
    if arguments.to.is_some() && hosts.len() > 1 {
        let text = format!("--to names a generation of one host, and {} are selected", hosts.len());
        return Err(Failure::usage(text).with_hint("without --to each goes back to the generation before"));
    }
    let request = Request {
        hosts,
        named: true,
        yes: true,
        goal: Goal::Activate(Mode::Switch),
        parallel: arguments.pace.parallel,
        batch: None,
        stop_after: None,
        manner: (&arguments.manner).into(),
    };
    let manners = Manners { yes: true, ..Manners::default() };
    let outcome = context.operate(manners, |operator| {
        deploy::rollback(operator, &description.fleet, &request, arguments.to)
    })?;
    Ok(context.conclude(&outcome))
}
