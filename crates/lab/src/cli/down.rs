//! `lab down`: the end of a lab.

use std::process::ExitCode;

use anyhow::Result;

use lab::{Lab, Layout};

#[expect(clippy::print_stdout, reason = "the answer")]
pub(super) fn run(lab: &str) -> Result<ExitCode> {
    Lab::find(&Layout::from_env(), lab)?.end()?;
    println!("the lab `{lab}` has ended");
    Ok(ExitCode::SUCCESS)
}
