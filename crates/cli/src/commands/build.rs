//! `lockstep build`: from the description to a system in the store here.

use clap::Args;
use deploy::Goal;

use super::prepare::{Preparation, prepare};
use crate::{context::Context, failure::Failure};

/// Evaluate and build, and touch no host
///
/// Without a selector all hosts are built. The results are kept from the garbage collector until the next build.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  lockstep build web1\n  lockstep build --show-trace '@web'")]
pub(crate) struct Arguments {
    #[command(flatten)]
    preparation: Preparation,
}

/// Builds.
pub(crate) fn run(context: &Context, arguments: &Arguments) -> Result<u8, Failure> {
    prepare(context, &arguments.preparation, Goal::Build)
}
