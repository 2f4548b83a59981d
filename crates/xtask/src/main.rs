//! The chores of the repository, started as `cargo xtask <chore>`.

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
    /// Check the repository's own rules and print its figures.
    Tidy(tidy::Arguments),
}

fn main() -> ExitCode {
    match Arguments::parse().chore {
        Chore::Tidy(arguments) => tidy::run(&arguments),
    }
}
