//! `lab up`: a lab that stays until `lab down`.

use std::env;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Result};
use clap::Args;

use super::status::write_out;
use lab::image::Image;
use lab::{Builder, HostSpec, Layout, Loader, Suite, preflight};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Names of the hosts.
    #[arg(default_values = ["web1", "web2", "db1"], value_name = "HOST")]
    hosts: Vec<String>,
    /// So many hosts, called host1, host2 and so on, instead of names.
    #[arg(long, value_name = "N", conflicts_with = "hosts", value_parser = clap::value_parser!(u16).range(1..=200))]
    count: Option<u16>,
    /// Also an operator host with the lab's key, Nix and git.
    #[arg(long)]
    operator: bool,
    /// Limit every host's memory.
    #[arg(long, value_name = "MIB", value_parser = clap::value_parser!(u64).range(64..=1_048_576))]
    memory: Option<u64>,
    /// Virtual machines that this loader boots (`systemd-boot` or `grub`), instead of containers.
    #[arg(long, value_name = "LOADER")]
    vm: Option<Loader>,
    /// The image: `trixie` or `sid`.
    #[arg(long, default_value = "trixie")]
    image: Suite,
}

pub(super) fn run(lab: &str, arguments: &Arguments) -> Result<ExitCode> {
    let layout = Layout::from_env();
    preflight::check(layout.root())?;
    Image::build(&layout, arguments.image, &|what| drop(write_out(&format!("{what}\n"))))?;
    let start = Instant::now();
    let program = env::current_exe().context("cannot find this program")?;
    let mut builder = Builder::new(program).suite(arguments.image);
    for name in names(arguments) {
        let (memory_mib, vm) = (arguments.memory, arguments.vm);
        builder = builder.host(HostSpec { memory_mib, vm, ..HostSpec::new(name) });
    }
    if arguments.operator {
        builder = builder.operator();
    }
    let up = builder.start_detached(lab)?;
    let seconds = start.elapsed().as_secs_f64();
    write_out(&format!("{} hosts answer over ssh after {seconds:.1} s\n", up.hosts().count()))?;
    super::status::print(&up)?;
    write_out("`cargo lab ssh HOST` logs in, `cargo lab down` ends it all\n")?;
    Ok(ExitCode::SUCCESS)
}

fn names(arguments: &Arguments) -> Vec<String> {
    match arguments.count {
        Some(count) => (1..=count).map(|number| format!("host{number}")).collect(),
        None => arguments.hosts.clone(),
    }
}
