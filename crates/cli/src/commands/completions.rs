//! `lockstep completions`: what a shell needs to complete the command line.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::{arguments, context::Context, failure::Failure};

const AFTER: &str = "\
Examples:
  lockstep completions bash > ~/.local/share/bash-completion/completions/lockstep
  lockstep completions fish > ~/.config/fish/completions/lockstep.fish
  lockstep completions zsh > ~/.zfunc/_lockstep";

/// Write a shell's completions to standard output
#[derive(Debug, Args)]
#[command(after_help = AFTER)]
pub(crate) struct Arguments {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

/// Writes them.
pub(crate) fn run(context: &Context, arguments: &Arguments) -> Result<u8, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut arguments::Arguments::command(), "lockstep", &mut script);
    context.terminal.write_out(&script);
    Ok(0)
}
