//! `lockstep exec`: one program on many hosts.

use std::time::Duration;

use clap::Args;
use deploy::{Answered, Exec, Exit};
use order::parse_duration;
use report::worst_exit_code;

use super::status;
use crate::{
    arguments::{Hosts, NixOptions},
    context::{Context, Manners},
    failure::Failure,
    progress::Work,
    style::{Style, paint},
    text::{first_line, millis},
    wire,
};

const AFTER: &str = "\
The words go to the program as they are: no shell reads them. For a shell name one: sh -c '...'. Each line of output is led by \
the name of its host, and what a terminal would obey is written out.

Examples:
  lockstep exec '@web' -- systemctl is-active nginx
  lockstep exec --all -- sh -c 'df -h / | tail -1'";

/// Run a program on hosts, as root
#[derive(Debug, Args)]
#[command(after_help = AFTER)]
pub(crate) struct Arguments {
    #[command(flatten)]
    hosts: Hosts,
    /// Kill the program after this time, as 30s or 5m
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    timeout: Option<Duration>,
    #[command(flatten)]
    nix: NixOptions,
    /// The program and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    words: Vec<String>,
}

/// Runs the program everywhere.
pub(crate) fn run(context: &Context, arguments: Arguments) -> Result<u8, Failure> {
    arguments.hosts.required()?;
    let description = context.description(&arguments.nix)?;
    let hosts = context.select(&description.fleet, &arguments.hosts)?;
    let wish = Exec { words: arguments.words, limit: arguments.timeout };
    let manners = Manners { yes: true, work: Work::Exec(hosts.clone()) };
    let answers =
        context.operate(manners, |operator| deploy::exec(operator, &description.fleet, &hosts, &wish))?;
    for answered in &answers {
        if context.common.json {
            context.terminal.json(&wire::exited(answered));
        } else if let Some(line) = line(answered) {
            context.terminal.note(&paint(&line, Style::Bad, context.terminal.err().color));
        }
    }
    Ok(worst_exit_code(answers.iter().map(exit_code)))
}

/// What has to be said of one host, if anything.
fn line(answered: &Answered<Exit>) -> Option<String> {
    let text = match &answered.answer {
        Ok(Exit::Code(0)) => return None,
        Ok(Exit::Code(code)) => format!("exited with {code}"),
        Ok(Exit::Signal(signal)) => format!("was killed by signal {signal}"),
        Ok(Exit::TimedOut) => format!("was killed, for its time was over after {}", millis(answered.millis)),
        Err(cause) => first_line(&cause.text).into_owned(),
    };
    Some(format!("{}: {text}", answered.host))
}

fn exit_code(answered: &Answered<Exit>) -> u8 {
    match &answered.answer {
        Ok(exit) => u8::from(*exit != Exit::Code(0)),
        Err(_) => status::exit_code(answered),
    }
}
