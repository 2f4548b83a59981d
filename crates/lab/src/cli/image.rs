//! `lab image`: building what hosts are made of.

use std::process::ExitCode;
use std::time::Instant;

use anyhow::Result;
use clap::Args;

use lab::image::Image;
use lab::{Layout, Suite, preflight};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// `trixie` (Nix 2.26.3) or `sid` (Nix 2.34.8); both if none is named.
    #[arg(value_name = "IMAGE")]
    suites: Vec<Suite>,
}

#[expect(clippy::print_stdout, reason = "progress of a long command")]
pub(super) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let layout = Layout::from_env();
    preflight::check(layout.root())?;
    let suites = if arguments.suites.is_empty() { Suite::ALL.to_vec() } else { arguments.suites.clone() };
    for suite in suites {
        let start = Instant::now();
        let image = Image::build(&layout, suite, &|what| println!("{what}"))?;
        let seconds = start.elapsed().as_secs_f64();
        println!("image {} is ready after {seconds:.1} s: {}", suite.name(), image.root.display());
    }
    Ok(ExitCode::SUCCESS)
}
