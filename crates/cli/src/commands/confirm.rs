//! `lockstep confirm`: the answer to `deploy --hold`.

use clap::Args;

use crate::{
    arguments::{Hosts, NixOptions},
    context::Context,
    failure::Failure,
};

/// Confirm the activation that a host waits with
///
/// The host is reached over a new connection, which is what proves that it can be. Only who gave the order can
/// confirm it.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  lockstep confirm web1")]
pub(crate) struct Arguments {
    #[command(flatten)]
    hosts: Hosts,
    #[command(flatten)]
    nix: NixOptions,
}

/// Confirms.
pub(crate) fn run(context: &Context, arguments: &Arguments) -> Result<u8, Failure> {
    context.act_on(&arguments.hosts, &arguments.nix, deploy::confirm)
}
