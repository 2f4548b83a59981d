//! Scenarios: what the lab and, later, the product do on real hosts. Each test brings up a lab of its own.

mod cases;
mod disk;
mod hosts;
mod leaks;
mod line;
mod operator;
mod pocket;
mod power;
mod refusals;
mod switch;
mod time;

use lab::{Builder, Lab};

/// A lab to be, kept by the `lab` program that was built with these tests.
fn builder() -> Builder {
    Builder::new(env!("CARGO_BIN_EXE_lab"))
}

/// A lab of plain hosts that answer over ssh.
fn lab<const N: usize>(hosts: [&str; N]) -> anyhow::Result<Lab> {
    builder().hosts(hosts).start()
}
