//! `lockstep reboot`: restarts hosts and looks at them when they are back.

use std::{num::NonZeroU32, time::Duration};

use clap::Args;
use deploy::{Goal, Manner, Request};

use super::deploy::reboot_timeout;
use crate::{
    arguments::{Hosts, NixOptions, positive},
    context::{Context, Manners},
    failure::Failure,
};

const AFTER: &str = "\
A host is done when it is back in another boot, runs what its boot loader was to boot, has no failed units \
that had not failed before, and its checks hold. One after the other, hosts that are the way to others \
last; after a host that did not come back, or came back with something amiss, no other is rebooted.

Examples:
  lockstep reboot web1
  lockstep reboot '@web' --batch 2
  lockstep reboot --all --timeout 20m
  lockstep reboot '@web' --yes --keep-going";

/// Restart hosts, one at a time, and look at them when they are back
///
/// Nothing is evaluated, built or sent. A host with an activation that has not ended is left alone.
#[derive(Debug, Args)]
#[command(after_help = AFTER)]
pub(crate) struct Arguments {
    #[command(flatten)]
    hosts: Hosts,
    /// Answer the question before the first reboot with yes
    #[arg(short, long)]
    yes: bool,
    /// Restart N hosts at a time, the next N when all of them are back
    #[arg(long, value_name = "N", value_parser = positive, default_value = "1")]
    batch: NonZeroU32,
    /// Restart the others, too, when a host did not come back as it should
    #[arg(long)]
    keep_going: bool,
    /// How long a host may take to come back, as 90s or 20m, instead of its own setting
    #[arg(long, value_name = "TIME", value_parser = reboot_timeout)]
    timeout: Option<Duration>,
    #[command(flatten)]
    nix: NixOptions,
}

/// Restarts.
pub(crate) fn run(context: &Context, arguments: &Arguments) -> Result<u8, Failure> {
    arguments.hosts.required()?;
    let yes = arguments.yes || arguments.hosts.all;
    if !yes && !context.terminal.can_ask() {
        return Err(Failure::usage("reboots are asked about, and nobody can be asked here")
            .with_hint("--yes answers beforehand"));
    }
    let description = context.description(&arguments.nix)?;
    let request = Request {
        hosts: context.select(&description.fleet, &arguments.hosts)?,
        named: true,
        yes,
        goal: Goal::Reboot,
        parallel: None,
        batch: Some(arguments.batch),
        stop_after: (!arguments.keep_going).then_some(NonZeroU32::MIN),
        manner: Manner { reboot_timeout: arguments.timeout, ..Manner::default() },
    };
    let manners = Manners { yes, ..Manners::default() };
    let outcome =
        context.operate(manners, |operator| deploy::reboot(operator, &description.fleet, &request))?;
    Ok(context.conclude(&outcome))
}
