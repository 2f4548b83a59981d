//! `lockstep push`: from the description to a system in the store of every host.

use clap::Args;
use deploy::Goal;

use super::prepare::{Preparation, prepare};
use crate::{context::Context, failure::Failure};

/// Evaluate, build and ship, and activate nothing
///
/// A later deploy of the same system has nothing left to send. Without a selector all hosts are meant.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  lockstep push '@web' --parallel 4")]
pub(crate) struct Arguments {
    #[command(flatten)]
    preparation: Preparation,
}

/// Ships.
pub(crate) fn run(context: &Context, arguments: &Arguments) -> Result<u8, Failure> {
    prepare(context, &arguments.preparation, Goal::Push)
}
