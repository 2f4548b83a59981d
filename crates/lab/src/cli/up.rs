//! `lab up`: a lab that stays until `lab down`.

use std::env;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Result};
use clap::Args;

use lab::image::Image;
use lab::{Builder, HostSpec, Layout, Suite, preflight};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Names of the hosts.
    #[arg(default_values = ["web1", "web2", "db1"], value_name = "HOST")]
    hosts: Vec<String>,
    /// So many hosts, called host1, host2 and so on, instead of names.
    #[arg(long, value_name = "N", conflicts_with = "hosts")]
    count: Option<usize>,
    /// Also an operator host with the lab's key, Nix and git.
    #[arg(long)]
    operator: bool,
    /// Limit every host's memory.
    #[arg(long, value_name = "MIB")]
    memory: Option<u64>,
    /// The image: `trixie` or `sid`.
    #[arg(long, default_value = "trixie")]
    image: Suite,
}

#[expect(clippy::print_stdout, reason = "progress and the answer")]
pub(super) fn run(lab: &str, arguments: &Arguments) -> Result<ExitCode> {
    let layout = Layout::from_env();
    preflight::check(layout.root())?;
    Image::build(&layout, arguments.image, &|what| println!("{what}"))?;
    let start = Instant::now();
    let program = env::current_exe().context("cannot find this program")?;
    let mut builder = Builder::new(program).suite(arguments.image);
    for name in names(arguments) {
        builder = builder.host(HostSpec { memory_mib: arguments.memory, ..HostSpec::new(name) });
    }
    if arguments.operator {
        builder = builder.operator();
    }
    let up = builder.start_detached(lab)?;
    println!("{} hosts answer over ssh after {:.1} s", up.hosts().count(), start.elapsed().as_secs_f64());
    super::status::print(&up)?;
    println!("`cargo lab ssh HOST` logs in, `cargo lab down` ends it all");
    Ok(ExitCode::SUCCESS)
}

fn names(arguments: &Arguments) -> Vec<String> {
    match arguments.count {
        Some(count) => (1..=count).map(|number| format!("host{number}")).collect(),
        None => arguments.hosts.clone(),
    }
}
