//! `lab`: real hosts to test on, from the command line.

use std::process::ExitCode;

use clap::Parser;

mod cli;

#[expect(clippy::print_stderr, reason = "the one place where this program reports a failure")]
fn main() -> ExitCode {
    match cli::run(cli::Arguments::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("lab: {error:#}");
            ExitCode::FAILURE
        }
    }
}
