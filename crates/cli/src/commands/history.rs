//! `lockstep history`: what hosts did, and the generations that they have.

use clap::Args;
use deploy::Answered;
use report::{Generation, HostResult, LastActivation, Timestamp, worst_exit_code};

use super::status::exit_code;
use crate::{
    arguments::{Hosts, NixOptions},
    context::{Context, Manners},
    failure::Failure,
    progress::now,
    style::{Style, paint},
    table::{Cell, Column, Table},
    terminal::Look,
    text::{clean, duration, first_line, system},
    wire, words,
};

/// Show what a host did last, and which generations it has
///
/// Activations come from the host's own journal, generations from its system profile; both newest first.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  lockstep history web1\n  lockstep history web1 --limit 3 --json")]
pub(crate) struct Arguments {
    #[command(flatten)]
    hosts: Hosts,
    /// At most so many of each
    #[arg(short = 'n', long, value_name = "N", default_value_t = 10)]
    limit: u32,
    #[command(flatten)]
    nix: NixOptions,
}

/// What one host did and has.
type Did = (Vec<LastActivation>, Vec<Generation>);

/// Asks and shows.
pub(crate) fn run(context: &Context, arguments: &Arguments) -> Result<u8, Failure> {
    arguments.hosts.required()?;
    let description = context.description(&arguments.nix)?;
    let hosts = context.select(&description.fleet, &arguments.hosts)?;
    let answers = context.operate(Manners::question(&hosts), |operator| {
        deploy::history(operator, &description.fleet, &hosts, arguments.limit)
    })?;
    for (index, answered) in answers.iter().enumerate() {
        if context.common.json {
            context.terminal.json(&wire::history(answered));
        } else {
            let between = (index > 0).then(String::new);
            let lines = lines(answered, now(), context.terminal.out());
            context.terminal.print(between.into_iter().chain(lines));
        }
    }
    Ok(worst_exit_code(answers.iter().map(exit_code)))
}

fn lines(answered: &Answered<Did>, now: Timestamp, look: Look) -> Vec<String> {
    let mut lines = vec![paint(answered.host.as_str(), Style::Strong, look.color)];
    match &answered.answer {
        Ok((activations, generations)) => {
            lines.extend(activations_table(activations, now).lines(look.width, look.color));
            if activations.is_empty() {
                lines.push("no activation by lockstep".to_owned());
            }
            if !generations.is_empty() {
                lines.push(String::new());
            }
            lines.extend(generations_table(generations).lines(look.width, look.color));
        }
        Err(cause) => lines.extend(cause.text.lines().map(|line| format!("  {}", clean(line)))),
    }
    lines
}

fn activations_table(activations: &[LastActivation], now: Timestamp) -> Table {
    let mut table = Table::new([
        Column::text("WHEN"),
        Column::text("AGO"),
        Column::text("SYSTEM"),
        Column::text("MODE"),
        Column::text("RESULT"),
        Column::flexible("CAUSE"),
    ]);
    for activation in activations {
        let result = HostResult::Activated(activation.ending.clone());
        let cause = activation.ending.cause().map(|cause| first_line(&cause.text).into_owned());
        table.row([
            Cell::from(activation.at.to_string()),
            duration(activation.at.until(now)).into(),
            system(&activation.system).into(),
            activation.mode.word().into(),
            Cell::styled(words::result(&result), words::style(&result)),
            cause.unwrap_or_default().into(),
        ]);
    }
    table
}

fn generations_table(generations: &[Generation]) -> Table {
    let mut table =
        Table::new([Column::number("GENERATION"), Column::text("SYSTEM"), Column::flexible("NAME")]);
    for generation in generations {
        let name = generation.system.path.name().as_str();
        table.row([
            Cell::from(generation.number.to_string()),
            system(&generation.system).into(),
            clean(name).into_owned().into(),
        ]);
    }
    table
}

#[cfg(test)]
mod tests;
