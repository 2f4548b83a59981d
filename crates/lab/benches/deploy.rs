//! How long deploys of real hosts take: `cargo bench -p lab --bench deploy`, after `make products` and
//! `cargo build --release -p cli`.
//!
//! Each result is a line `bench <name> <value> <unit>`, the median of several rounds unless it says otherwise.
#![allow(missing_docs, reason = "a program, not a library")]
#![expect(clippy::print_stdout, reason = "a bench prints its results")]

#[path = "../tests/scenarios/fleets.rs"]
#[allow(dead_code, reason = "scenarios use more of it")]
mod fleets;
#[path = "deploy/lockout.rs"]
mod lockout;
#[path = "deploy/memory.rs"]
mod memory;

use std::{fs, time::Instant};

use anyhow::{Context, Result};
use lab::Builder;

use self::fleets::Fleet;

/// Rounds of what is quick.
const ROUNDS: usize = 5;

fn builder() -> Builder {
    Builder::new(env!("CARGO_BIN_EXE_lab"))
}

fn main() -> Result<()> {
    // For whoever works on this part.
    if std::env::args().any(|word| word == "lockout") {
        return lockout::measure();
    }
    report("agent_bytes", as_number(fs::metadata(fleets::agent()?)?.len()), "bytes");
    three()?;
    twenty()?;
    lockout::measure()?;
    memory::measure()
}

fn report(name: &str, value: f64, unit: &str) {
    println!("bench {name} {value:.3} {unit}");
}

#[expect(clippy::cast_precision_loss, reason = "sizes below 2^52")]
fn as_number(value: u64) -> f64 {
    value as f64
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn motd(text: &str) -> String {
    format!(r#"environment.etc."motd".text = "{text}\n";"#)
}

/// Three hosts: nothing to do with its stages, one line on one host, one line on all.
fn three() -> Result<()> {
    let hosts = ["web1", "web2", "db1"];
    let lab = fleets::with_operator(hosts)?.start()?;
    let mut fleet = Fleet::new(&lab, &hosts)?;
    fleet.expect(0, &["deploy", "--all", "--yes"])?;
    let mut whole = Vec::new();
    let mut stages: Vec<(String, f64)> = Vec::new();
    for _ in 0..ROUNDS {
        let start = Instant::now();
        let said = fleet.expect(0, &["deploy", "--all", "--yes", "--json"])?;
        whole.push(start.elapsed().as_secs_f64());
        stages.extend(stage_times(&said)?);
    }
    report("deploy_noop_3_s", median(whole), "s");
    for stage in ["evaluate", "connect"] {
        let times: Vec<f64> =
            stages.iter().filter(|(name, _)| name == stage).map(|(_, seconds)| *seconds).collect();
        if !times.is_empty() {
            report(&format!("deploy_noop_3_{stage}_s"), median(times), "s");
        }
    }
    for (name, changed) in [("deploy_line_1_s", &hosts[..1]), ("deploy_line_3_s", &hosts[..])] {
        let mut times = Vec::new();
        for round in 0..ROUNDS {
            for host in changed {
                fleet.define(host, &motd(&format!("{name} {round}")))?;
            }
            let words = [&["deploy", "--yes"], changed].concat();
            let start = Instant::now();
            fleet.expect(0, &words)?;
            times.push(start.elapsed().as_secs_f64());
        }
        report(name, median(times), "s");
    }
    Ok(())
}

/// The stages that ended, with their seconds, of the event stream.
fn stage_times(events: &str) -> Result<Vec<(String, f64)>> {
    let mut found = Vec::new();
    for line in events.lines().filter(|line| line.contains("\"stage-ended\"")) {
        let stage = between(line, "\"stage\":\"", "\"").context("a stage has a name")?;
        let millis = line.split_once("\"millis\":").context("a stage has a duration")?.1;
        let millis: String = millis.chars().take_while(char::is_ascii_digit).collect();
        found.push((stage.to_owned(), millis.parse::<f64>()? / 1000.0));
    }
    Ok(found)
}

fn between<'t>(text: &'t str, from: &str, to: &str) -> Option<&'t str> {
    text.split_once(from)?.1.split_once(to).map(|(inside, _)| inside)
}

/// Twenty hosts: one line on all, and their status.
fn twenty() -> Result<()> {
    let names: Vec<String> = (1..=20).map(|number| format!("h{number:02}")).collect();
    let hosts: [&str; 20] = std::array::from_fn(|number| names[number].as_str());
    let lab = fleets::with_operator(hosts)?.start()?;
    let mut fleet = Fleet::new(&lab, &hosts)?;
    fleet.expect(0, &["deploy", "--all", "--yes"])?;
    for host in hosts {
        fleet.define(host, &motd("twenty"))?;
    }
    let start = Instant::now();
    fleet.expect(0, &["deploy", "--all", "--yes"])?;
    report("deploy_line_20_s", start.elapsed().as_secs_f64(), "s");
    let mut times = Vec::new();
    for _ in 0..3 {
        let start = Instant::now();
        fleet.expect(0, &["status"])?;
        times.push(start.elapsed().as_secs_f64());
    }
    report("status_20_s", median(times), "s");
    Ok(())
}
