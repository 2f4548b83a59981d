//! The chores of the repository, started as `cargo xtask <chore>`.

mod bench;
mod no_lock_out;
mod reference;
mod tidy;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The chores of this repository.
#[derive(Parser)]
#[command(name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Measure, and print what came out as `bench <name> <value> <unit>`.
    Bench(bench::Arguments),
    /// Write the table of all lock-outs that are survived, from a run of the scenarios.
    NoLockOut(no_lock_out::Arguments),
    /// Write the reference page and the JSON schema of the settings.
    Reference(reference::Arguments),
    /// Check the repository's own rules and print its figures.
    Tidy(tidy::Arguments),
}

fn main() -> ExitCode {
    match Arguments::parse().chore {
        Chore::Bench(arguments) => bench::run(&arguments),
        Chore::NoLockOut(arguments) => no_lock_out::run(&arguments),
        Chore::Reference(arguments) => reference::run(&arguments),
        Chore::Tidy(arguments) => tidy::run(&arguments),
    }
}
