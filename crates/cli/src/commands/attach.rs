//! `lockstep attach`: follows an activation to its end.

use clap::Args;

use super::deploy::Guarding;
use crate::{
    arguments::{Hosts, NixOptions},
    context::Context,
    failure::Failure,
};

/// Follow the activation that goes on on a host, to its end
///
/// For when the operator's machine or connection was lost. An order of your own is confirmed when it is ready.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  lockstep attach web1")]
pub(crate) struct Arguments {
    #[command(flatten)]
    hosts: Hosts,
    #[command(flatten)]
    manner: Guarding,
    #[command(flatten)]
    nix: NixOptions,
}

/// Follows.
pub(crate) fn run(context: &Context, arguments: &Arguments) -> Result<u8, Failure> {
    let manner = (&arguments.manner).into();
    context.act_on(&arguments.hosts, &arguments.nix, |operator, fleet, hosts| {
        deploy::attach(operator, fleet, hosts, manner)
    })
}
