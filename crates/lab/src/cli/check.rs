//! `lab check`: what this machine lacks for a lab.

use std::process::ExitCode;

use anyhow::Result;

use lab::{Layout, preflight};

#[expect(clippy::print_stdout, reason = "the answer")]
pub(super) fn run() -> Result<ExitCode> {
    preflight::check(Layout::from_env().root())?;
    println!("this machine can run a lab");
    Ok(ExitCode::SUCCESS)
}
