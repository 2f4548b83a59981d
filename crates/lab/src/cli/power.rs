//! `lab cut`, `lab on` and `lab line`: what happens to a host from outside.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use clap::Args;

use lab::{Lab, Layout};

/// How long a host may take to boot for `lab on`.
const BOOT_LIMIT: Duration = Duration::from_secs(60);

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The host.
    host: String,
}

#[derive(Debug, Args)]
pub(super) struct LineArguments {
    /// The host.
    host: String,
    /// Pull (`false`) or plug (`true`) the cable.
    #[arg(long)]
    plugged: Option<bool>,
    /// Delay every frame by so many milliseconds in each direction; 0 for none.
    #[arg(long, value_name = "MS", value_parser = clap::value_parser!(u32).range(0..=60_000))]
    delay: Option<u32>,
    /// Limit each direction to so many kbit/s; 0 for no limit.
    #[arg(long, value_name = "KBIT", value_parser = clap::value_parser!(u32).range(0..=10_000_000))]
    rate: Option<u32>,
}

pub(super) fn cut(lab: &str, arguments: &Arguments) -> Result<ExitCode> {
    Lab::find(&Layout::from_env(), lab)?.find_host(&arguments.host)?.cut_power()?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn on(lab: &str, arguments: &Arguments) -> Result<ExitCode> {
    let lab = Lab::find(&Layout::from_env(), lab)?;
    let host = lab.find_host(&arguments.host)?;
    host.power_on()?;
    host.wait_ssh(BOOT_LIMIT)?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn line(lab: &str, arguments: &LineArguments) -> Result<ExitCode> {
    let lab = Lab::find(&Layout::from_env(), lab)?;
    let host = lab.find_host(&arguments.host)?;
    let positive = |number: u32| (number > 0).then_some(number);
    if let Some(plugged) = arguments.plugged {
        host.plug(plugged)?;
    }
    if let Some(delay) = arguments.delay {
        host.delay(positive(delay))?;
    }
    if let Some(rate) = arguments.rate {
        host.limit_rate(positive(rate))?;
    }
    Ok(ExitCode::SUCCESS)
}
