//! Scenarios: what the lab and, later, the product do on real hosts. Each test brings up a lab of its own.

mod accounts;
mod activation;
mod activation_boot;
mod activation_ends;
mod activation_hostile;
mod activation_limits;
mod activation_network;
mod activation_reboot;
mod activation_refused;
mod activation_units;
mod agents;
mod boot;
mod cases;
mod closures;
mod configuration;
mod deploy_orders;
mod deploy_ways;
mod disk;
mod doors;
mod etc;
mod evaluation;
mod fleet_answers;
mod fleet_bases;
mod fleet_deploy;
mod fleet_errors;
mod fleet_hostile;
mod fleet_lines;
mod fleet_operators;
mod fleet_outcomes;
mod fleet_reboots;
mod fleet_reboots_into;
mod fleet_runs;
mod fleet_ways;
mod fleets;
mod hosts;
mod keeping;
mod lastrungs;
mod leaks;
mod line;
mod lockout;
mod network;
mod operator;
mod oracle;
mod outcomes;
mod pocket;
mod power;
mod races;
mod refusals;
mod services;
mod shapes;
mod ssh;
mod stops;
mod switch;
mod systems;
mod time;
mod transfer;
mod vm;
mod vm_loaders;
mod vm_reboots;

use std::path::PathBuf;

use lab::{Builder, Lab};

/// A lab to be, kept by the `lab` program that was built with these tests.
fn builder() -> Builder {
    Builder::new(env!("CARGO_BIN_EXE_lab"))
}

/// A lab of plain hosts that answer over ssh.
fn lab<const N: usize>(hosts: [&str; N]) -> anyhow::Result<Lab> {
    builder().hosts(hosts).start()
}

/// A program that is an example of the lab's crate, built with these tests.
fn example(name: &str) -> PathBuf {
    let programs = PathBuf::from(env!("CARGO_BIN_EXE_lab"));
    programs.with_file_name("examples").join(name)
}
