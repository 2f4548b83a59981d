//! Crate `host`'s last hands on a line, for a scenario to run on a host: `hands trouble`, `hands lasting-trouble` and
//! `hands reboot SECONDS`, where systemd has so long before the kernel is asked.

use std::{
    env,
    io::{self, Write},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use host::{manager, reboot::reboot, running};

fn main() -> Result<()> {
    let words: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let said = match words.as_slice() {
        ["trouble"] => manager::trouble(),
        ["lasting-trouble"] => manager::lasting_trouble(),
        ["reboot", seconds] => {
            let patience = Duration::from_secs(seconds.parse()?);
            Some(reboot(&running().context("no system runs")?, patience))
        }
        other => bail!("unknown: {other:?}"),
    };
    let said = said.map_or_else(|| "none".to_owned(), |fault| fault.to_string());
    Ok(writeln!(io::stdout(), "{said}")?)
}
