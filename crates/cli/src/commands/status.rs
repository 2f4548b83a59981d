//! `lockstep status`: what every host runs, and whether it should.

use clap::Args;
use deploy::{Answered, State, StateError};
use report::{HostResult, HostStatus, Report, Stage, What, worst_exit_code};

use crate::{
    arguments::{Hosts, NixOptions},
    context::{Context, Manners},
    failure::Failure,
    fleet_status::{self, HostRow},
    progress::now,
    wire,
};

const AFTER: &str = "\
All hosts are asked at the same time, each over one connection. Of those that do not answer, the table \
shows what they said when they were last seen, and for how long they have been away.

STATE is
  in step         it runs and boots what the last deploy wanted
  out of step     it does not: look at the columns that are not =
  never deployed  nothing is known of a deploy from here
  waits           an activation waits to be confirmed
  activates       an activation goes on
  offline         it cannot be reached
  no answer       it can be reached, and something else is wrong

Examples:
  lockstep status
  lockstep status --json | jq -r 'select(.in_step == false) | .host'";

/// Show what every host runs, and whether it should
#[derive(Debug, Args)]
#[command(after_help = AFTER)]
pub(crate) struct Arguments {
    #[command(flatten)]
    hosts: Hosts,
    #[command(flatten)]
    nix: NixOptions,
}

/// Asks all hosts and shows what is known.
pub(crate) fn run(context: &Context, arguments: &Arguments) -> Result<u8, Failure> {
    let description = context.description(&arguments.nix)?;
    let hosts = context.select(&description.fleet, &arguments.hosts)?;
    let answers = context.operate(Manners::question(&hosts), |operator| {
        deploy::status(operator, &description.fleet, &hosts)
    })?;
    let code = worst_exit_code(answers.iter().map(exit_code));
    let state = State::usual().map_err(Failure::machine)?;
    let rows: Result<Vec<_>, _> = answers.into_iter().map(|answered| row(&state, answered)).collect();
    let rows = rows.map_err(Failure::machine)?;
    show(context, &rows);
    Ok(code)
}

fn show(context: &Context, rows: &[HostRow]) {
    if context.common.json {
        for row in rows {
            context.terminal.json(&wire::status(row, now()));
        }
    } else {
        let look = context.terminal.out();
        context.terminal.print(fleet_status::lines(rows, now(), look.width, look.color));
    }
}

/// What was remembered, and on top of it what the host says now.
fn row(state: &State, answered: Answered<HostStatus>) -> Result<HostRow, StateError> {
    let Answered { host, answer, millis } = answered;
    let known = state.known(&host)?;
    let (known, cause) = match answer {
        Ok(status) => {
            let what = What::Seen(Box::new(status));
            (known.with(&Report { at: now(), host: host.clone(), what }), None)
        }
        Err(cause) => (known, Some(cause)),
    };
    Ok(HostRow { host, known, cause, millis })
}

/// That a host is not as it should be is no failure of asking it.
pub(crate) fn exit_code<T>(answered: &Answered<T>) -> u8 {
    match &answered.answer {
        Ok(_) => 0,
        Err(cause) => HostResult::Failed { stage: Stage::Connect, cause: cause.clone() }.exit_code(),
    }
}
