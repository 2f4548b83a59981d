//! What `build` and `push` have in common: a deploy that ends before anything changes.

use clap::Args;
use deploy::{Goal, Manner, Request};

use crate::{
    arguments::{Hosts, NixOptions, Pace},
    context::{Context, Manners},
    failure::Failure,
};

/// What both take.
#[derive(Debug, Args)]
pub(crate) struct Preparation {
    #[command(flatten)]
    hosts: Hosts,
    #[command(flatten)]
    pace: Pace,
    #[command(flatten)]
    nix: NixOptions,
}

/// Goes as far as the goal; nobody has to be asked.
pub(crate) fn prepare(context: &Context, preparation: &Preparation, goal: Goal) -> Result<u8, Failure> {
    let description = context.description(&preparation.nix)?;
    let request = Request {
        hosts: context.select(&description.fleet, &preparation.hosts)?,
        named: !preparation.hosts.selectors.is_empty(),
        yes: true,
        goal,
        parallel: preparation.pace.parallel,
        batch: None,
        stop_after: None,
        manner: Manner::default(),
    };
    let manners = Manners { yes: true, ..Manners::default() };
    let outcome = context.operate(manners, |operator| {
        deploy::deploy(operator, &description.evaluate, &description.fleet, &request)
    })?;
    Ok(context.conclude(&outcome))
}
