//! The command line as it is typed.

use std::num::NonZeroU32;

use clap::{ArgAction, Args, Parser, Subcommand};
use fleet::Selector;

use crate::{
    commands::{
        abort, attach, build, completions, confirm, deploy, diff, exec, gc, history, man, push, reboot,
        rollback, show, status,
    },
    failure::Failure,
    terminal::ColorChoice,
};

/// Below every help.
const AFTER: &str = "\
Examples:
  lockstep show                      what was read from the description
  lockstep deploy web1               evaluate, build, ship and activate one host
  lockstep deploy 'web*&!@canary'    every web host that is no canary
  lockstep status                    what every host runs, and whether it should
  lockstep rollback web1             back to the generation before

Exit codes, the worst of all hosts:
  0  all as asked
  1  a host failed and is unchanged
  2  the command cannot be carried out as it was given; nothing was begun
  3  a host was rolled back
  4  a host needs a person
  5  nothing failed, but not every host is done: offline, waiting, or left out";

/// Keeps a fleet of NixOS machines in lockstep with one description.
///
/// The description is the nearest flake.nix or fleet.nix, here or in a directory above. A flake with plain
/// nixosConfigurations is enough: the name of each is its address for ssh.
#[derive(Debug, Parser)]
#[command(name = "lockstep", version, after_help = AFTER, disable_help_subcommand = true)]
#[command(arg_required_else_help = true, subcommand_required = true, max_term_width = 100)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options of every command.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Options of every command")]
pub(crate) struct Common {
    /// The description: a directory, a Nix file, or a flake as Nix names it
    ///
    /// Without it the nearest flake.nix or fleet.nix is taken, from the working directory upward.
    #[arg(short, long, global = true, value_name = "DESCRIPTION")]
    pub(crate) file: Option<String>,
    /// Write results to standard output as JSON, one object per line
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// When text is coloured
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        value_enum,
        default_value_t,
        hide_possible_values = true
    )]
    pub(crate) color: ColorChoice,
    /// Say more; twice also what hosts and builds print
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub(crate) verbose: u8,
}

/// What is handed to Nix as it is.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Options for Nix")]
pub(crate) struct NixOptions {
    /// Set a setting of nix.conf
    #[arg(long, num_args = 2, value_names = ["NAME", "VALUE"], action = ArgAction::Append)]
    pub(crate) option: Vec<String>,
    /// Use another flake as this input
    #[arg(long, num_args = 2, value_names = ["INPUT", "FLAKE"], action = ArgAction::Append)]
    pub(crate) override_input: Vec<String>,
    /// Let the evaluation see the environment and files outside
    #[arg(long)]
    pub(crate) impure: bool,
    /// Say where evaluation errors come from
    #[arg(long)]
    pub(crate) show_trace: bool,
    /// Build on these machines
    #[arg(long, value_name = "BUILDERS")]
    pub(crate) builders: Option<String>,
    /// Take the settings that the flake asks for
    #[arg(long)]
    pub(crate) accept_flake_config: bool,
}

impl NixOptions {
    /// The pairs of an option with two values.
    pub(crate) fn pairs(values: &[String]) -> Vec<(String, String)> {
        values.chunks_exact(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect()
    }
}

/// Which hosts are meant.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Hosts {
    /// Hosts: names, globs and @tags; & for and, ! for not, a comma for or; - reads them from standard input
    ///
    /// Of several selectors each adds hosts. To leave hosts out, say so within one: 'web*&!web3'. Quote what the
    /// shell would read otherwise.
    #[arg(value_name = "SELECTOR", value_parser = selector)]
    pub(crate) selectors: Vec<Selected>,
    /// All hosts of the description, without being asked
    #[arg(long, conflicts_with = "selectors")]
    pub(crate) all: bool,
}

/// One selector as it was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Selected {
    /// These hosts.
    Hosts(Selector),
    /// What standard input says.
    Stdin,
}

/// Reads one selector argument.
pub(crate) fn selector(text: &str) -> Result<Selected, fleet::SelectorError> {
    if text == Selector::STDIN { Ok(Selected::Stdin) } else { Selector::parse(text).map(Selected::Hosts) }
}

/// How many at a time.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Pace {
    /// At most so many hosts at a time
    #[arg(long, value_name = "N", value_parser = positive)]
    pub(crate) parallel: Option<NonZeroU32>,
}

/// Reads a number of hosts.
pub(crate) fn positive(text: &str) -> Result<NonZeroU32, NotPositive> {
    text.parse().map_err(|_| NotPositive)
}

/// A text that is no number of hosts.
#[derive(Debug, thiserror::Error)]
#[error("expected a whole number, at least 1")]
pub(crate) struct NotPositive;

/// What is to be done.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Deploy(deploy::Arguments),
    Build(build::Arguments),
    Push(push::Arguments),
    Status(status::Arguments),
    Rollback(rollback::Arguments),
    Reboot(reboot::Arguments),
    History(history::Arguments),
    Exec(exec::Arguments),
    Show(show::Arguments),
    Diff(diff::Arguments),
    Gc(gc::Arguments),
    Confirm(confirm::Arguments),
    Attach(attach::Arguments),
    Abort(abort::Arguments),
    Completions(completions::Arguments),
    #[command(hide = true)]
    Man(man::Arguments),
}

impl Hosts {
    /// For commands that mean no host without being told.
    pub(crate) fn required(&self) -> Result<(), Failure> {
        if self.selectors.is_empty() && !self.all {
            return Err(
                Failure::usage("no host is named").with_hint("name hosts, tags or globs, or say --all")
            );
        }
        Ok(())
    }
}
