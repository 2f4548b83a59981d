//! One file for each subcommand: its arguments, and what it does with them. All give the exit code.

pub(crate) mod abort;
pub(crate) mod attach;
pub(crate) mod build;
pub(crate) mod completions;
pub(crate) mod confirm;
pub(crate) mod deploy;
pub(crate) mod diff;
pub(crate) mod exec;
pub(crate) mod gc;
pub(crate) mod history;
pub(crate) mod man;
mod prepare;
pub(crate) mod push;
pub(crate) mod reboot;
pub(crate) mod rollback;
pub(crate) mod show;
pub(crate) mod status;

use crate::{arguments::Command, context::Context, failure::Failure};

/// Does what was asked for.
pub(crate) fn run(context: &Context, command: Command) -> Result<u8, Failure> {
    match command {
        Command::Deploy(arguments) => deploy::run(context, &arguments),
        Command::Build(arguments) => build::run(context, &arguments),
        Command::Push(arguments) => push::run(context, &arguments),
        Command::Status(arguments) => status::run(context, &arguments),
        Command::Reboot(arguments) => reboot::run(context, &arguments),
        Command::Rollback(arguments) => rollback::run(context, &arguments),
        Command::History(arguments) => history::run(context, &arguments),
        Command::Exec(arguments) => exec::run(context, arguments),
        Command::Show(arguments) => show::run(context, &arguments),
        Command::Diff(arguments) => diff::run(context, &arguments),
        Command::Gc(arguments) => gc::run(context, &arguments),
        Command::Confirm(arguments) => confirm::run(context, &arguments),
        Command::Attach(arguments) => attach::run(context, &arguments),
        Command::Abort(arguments) => abort::run(context, &arguments),
        Command::Completions(arguments) => completions::run(context, &arguments),
        Command::Man(arguments) => man::run(context, &arguments),
    }
}

#[cfg(test)]
mod tests;
