//! `lab bench`: how long labs take to come up.

use std::env;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Result};

use lab::Builder;

/// Labs to measure: how many hosts, and how often; the median is printed.
const LABS: [(usize, usize); 2] = [(3, 5), (20, 3)];

#[expect(clippy::print_stdout, reason = "the answer")]
pub(super) fn run() -> Result<ExitCode> {
    for (hosts, rounds) in LABS {
        let mut seconds = (0..rounds).map(|_| bring_up(hosts)).collect::<Result<Vec<_>>>()?;
        seconds.sort_by(f64::total_cmp);
        let median = seconds.get(rounds / 2).context("there is at least one round")?;
        println!("bench lab_up_{hosts}_s {median:.2} s");
    }
    Ok(ExitCode::SUCCESS)
}

/// Seconds until every host answers over ssh.
fn bring_up(hosts: usize) -> Result<f64> {
    let start = Instant::now();
    let names = (1..=hosts).map(|number| format!("host{number}"));
    let lab = Builder::new(env::current_exe()?).hosts(names).start()?;
    let seconds = start.elapsed().as_secs_f64();
    drop(lab);
    Ok(seconds)
}
