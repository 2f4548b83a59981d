//! What `lab` runs of itself inside namespaces; not for people.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;

use lab::{LabDir, image, keeper};

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Lifetime {
    /// End with standard input.
    #[arg(long)]
    owned: bool,
    /// Run until killed.
    #[arg(long)]
    forever: bool,
}

#[derive(Debug, Args)]
pub(super) struct KeeperArguments {
    #[command(flatten)]
    lifetime: Lifetime,
    dir: PathBuf,
}

#[derive(Debug, Args)]
pub(super) struct EnterGroupsArguments {
    #[arg(long = "group")]
    groups: Vec<PathBuf>,
    program: PathBuf,
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

pub(super) fn keeper(arguments: &KeeperArguments) -> Result<ExitCode> {
    keeper::run(&LabDir::at(&arguments.dir), arguments.lifetime.owned)?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn enter_groups(arguments: &EnterGroupsArguments) -> Result<ExitCode> {
    keeper::enter_groups(&arguments.groups, &arguments.program, &arguments.arguments)?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn image_layer(root: &Path, part: &Path) -> Result<ExitCode> {
    image::system::build_layer(root, part)?;
    Ok(ExitCode::SUCCESS)
}
