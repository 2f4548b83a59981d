//! `lab ssh`, `lab exec` and `lab journal`: ways onto a host.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use run::Command;

use lab::{Lab, Layout, Login};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The host.
    host: String,
    /// The command and its arguments.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    words: Vec<String>,
}

pub(super) fn ssh(lab: &str, arguments: &Arguments) -> Result<ExitCode> {
    let lab = Lab::find(&Layout::from_env(), lab)?;
    let command = lab.find_host(&arguments.host)?.ssh_command(Login::default());
    become_it(command.args(&arguments.words))
}

pub(super) fn exec(lab: &str, arguments: &Arguments) -> Result<ExitCode> {
    let lab = Lab::find(&Layout::from_env(), lab)?;
    let host = lab.find_host(&arguments.host)?;
    let shell = ["bash".to_owned()];
    let words = if arguments.words.is_empty() { shell.as_slice() } else { &arguments.words };
    become_it(host.command(words)?)
}

pub(super) fn journal(lab: &str, arguments: &Arguments) -> Result<ExitCode> {
    let lab = Lab::find(&Layout::from_env(), lab)?;
    let words = std::iter::once("journalctl").chain(arguments.words.iter().map(String::as_str));
    become_it(lab.find_host(&arguments.host)?.command(words)?)
}

/// Gives the terminal and the exit code to the command.
fn become_it(command: Command) -> Result<ExitCode> {
    Err(command.exec().into())
}
