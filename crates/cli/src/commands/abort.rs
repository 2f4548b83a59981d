//! `lockstep abort`: takes an activation back.

use clap::Args;

use crate::{
    arguments::{Hosts, NixOptions},
    context::Context,
    failure::Failure,
};

/// Take back the activation that goes on on a host
///
/// The system that ran before comes back. What was confirmed is not taken back: that is `lockstep rollback`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  lockstep abort web1")]
pub(crate) struct Arguments {
    #[command(flatten)]
    hosts: Hosts,
    #[command(flatten)]
    nix: NixOptions,
}

/// Takes back.
pub(crate) fn run(context: &Context, arguments: &Arguments) -> Result<u8, Failure> {
    context.act_on(&arguments.hosts, &arguments.nix, deploy::abort)
}
