//! `lockstep`, the operator's program: reads the command line and hands it to the command.

mod arguments;
mod ask;
mod commands;
mod context;
mod failure;
mod fleet_status;
mod hints;
mod identities;
mod interrupt;
mod progress;
#[cfg(test)]
mod samples;
mod style;
mod summary;
mod table;
mod terminal;
mod text;
mod wire;
mod words;

use std::{process::ExitCode, sync::Arc};

use clap::Parser;
use deploy::Stop;

use crate::{arguments::Arguments, context::Context, failure::Failure, terminal::Terminal};

fn main() -> ExitCode {
    let Arguments { common, command } = Arguments::parse();
    let terminal = Arc::new(Terminal::new(common.color));
    let stop = Stop::default();
    let context = Context { terminal: Arc::clone(&terminal), common, stop: stop.clone() };
    let heard = interrupt::install(Arc::clone(&terminal), stop).map_err(Failure::machine);
    let done = heard.and_then(|()| commands::run(&context, command));
    let code = done.unwrap_or_else(|failure| failure.report(&terminal, context.common.json));
    // All may have gone well, but whoever reads the results does not have them.
    ExitCode::from(if code == 0 && terminal.has_lost_output() { 1 } else { code })
}
