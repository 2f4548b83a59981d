//! What `lab` runs of itself inside namespaces; not for people.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{self, ExitCode};
use std::{env, thread};

use anyhow::Result;
use clap::{Args, ValueEnum};

use lab::{Builder, LabDir, image, keeper};

/// How an owner of a lab can end.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Ending {
    /// As it should.
    Ok,
    /// Unwinding.
    Panic,
    /// At once, without unwinding.
    Abort,
    /// By somebody else's hand: it waits to be killed.
    Killed,
}

#[derive(Debug, Args)]
pub(super) struct KeeperArguments {
    dir: PathBuf,
}

#[derive(Debug, Args)]
pub(super) struct EnterGroupsArguments {
    #[arg(long = "group")]
    groups: Vec<PathBuf>,
    /// Join the groups of this process.
    #[arg(long)]
    beside: Option<u32>,
    program: PathBuf,
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

pub(super) fn keeper(arguments: &KeeperArguments) -> Result<ExitCode> {
    keeper::run(&env::current_exe()?, &LabDir::at(&arguments.dir))?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn enter_groups(arguments: &EnterGroupsArguments) -> Result<ExitCode> {
    keeper::enter_groups(&arguments.groups, arguments.beside, &arguments.program, &arguments.arguments)?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn image_layer(root: &Path, part: &Path) -> Result<ExitCode> {
    image::system::build_layer(root, part)?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn image_vm_parts(root: &Path, part: &Path) -> Result<ExitCode> {
    image::vm::build_parts(root, part)?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn image_vm_disks(root: &Path, parts: &Path, part: &Path) -> Result<ExitCode> {
    image::vm::build_disks(root, parts, part)?;
    Ok(ExitCode::SUCCESS)
}

#[expect(clippy::print_stdout, clippy::panic, reason = "the test that runs this reads and wants both")]
pub(super) fn hold(ending: Ending) -> Result<ExitCode> {
    let lab = Builder::new(env::current_exe()?).hosts(["held"]).start()?;
    println!("{}", lab.dir().path().display());
    match ending {
        Ending::Ok => Ok(ExitCode::SUCCESS),
        Ending::Panic => panic!("as asked"),
        Ending::Abort => process::abort(),
        Ending::Killed => loop {
            thread::park();
        },
    }
}
