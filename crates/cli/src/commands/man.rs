//! `lockstep man`: a manual page for the program and one for each command, for packages.

use std::{fs, path::PathBuf};

use anyhow::Context as _;
use clap::{Args, CommandFactory};

use crate::{arguments, context::Context, failure::Failure};

/// Write the manual pages into a directory
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The directory, which is made
    #[arg(value_name = "DIRECTORY")]
    directory: PathBuf,
}

/// Writes them.
pub(crate) fn run(_: &Context, arguments: &Arguments) -> Result<u8, Failure> {
    let directory = &arguments.directory;
    let written = fs::create_dir_all(directory)
        .and_then(|()| clap_mangen::generate_to(arguments::Arguments::command(), directory));
    let failed = || format!("cannot write manual pages to {}", directory.display());
    written.with_context(failed).map_err(Failure::machine)?;
    Ok(0)
}
