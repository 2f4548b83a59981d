//! `lab status`: how the hosts are.

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;

use lab::wire::Power;
use lab::{Lab, Layout};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// As JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(lab: &str, arguments: &Arguments) -> Result<ExitCode> {
    let lab = Lab::find(&Layout::from_env(), lab)?;
    if arguments.json {
        write_out(&(serde_json::to_string_pretty(&lab.status()?)? + "\n"))?;
    } else {
        print(&lab)?;
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) fn print(lab: &Lab) -> Result<()> {
    let hosts = lab.status()?;
    let width = hosts.iter().map(|host| host.name.len()).max().unwrap_or(0).max(4);
    let mut table = format!("{:width$}  {:11}  {:9}  {:>5}  ENTRY\n", "HOST", "ADDRESS", "POWER", "BOOTS");
    for host in hosts {
        let entry = host.entry.unwrap_or_default();
        let power = describe(&host.power);
        table +=
            &format!("{:width$}  {:11}  {power:9}  {:>5}  {entry}\n", host.name, host.address, host.boots);
    }
    write_out(&table)
}

/// Writes to standard output; a reader that has seen enough, such as `head`, is no failure.
pub(super) fn write_out(text: &str) -> Result<()> {
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

fn describe(power: &Power) -> String {
    match power {
        Power::On { .. } => "on".to_owned(),
        Power::Off => "off".to_owned(),
        Power::Cut => "cut".to_owned(),
        Power::Panicked { code } => format!("panicked (init ended with {code})"),
        Power::NothingToBoot { reason } => format!("does not boot: {reason}"),
    }
}
