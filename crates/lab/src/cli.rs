//! The subcommands of `lab`, one file each.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

mod bench;
mod check;
mod down;
mod enter;
mod image;
mod internal;
mod power;
mod status;
mod up;

/// Real hosts to test on: systemd, OpenSSH, Nix and a small NixOS, in one command.
#[derive(Debug, Parser)]
#[command(name = "lab", version, arg_required_else_help = true)]
pub(crate) struct Arguments {
    /// The lab's name, where several are up at once.
    #[arg(long = "lab", global = true, default_value = "default", value_name = "NAME")]
    lab: String,
    #[command(subcommand)]
    command: Subcommands,
}

#[derive(Debug, Subcommand)]
enum Subcommands {
    /// Say what this machine lacks for a lab, if anything.
    Check,
    /// Build the images that are not built yet.
    Image(image::Arguments),
    /// Bring a lab up and leave it running.
    Up(up::Arguments),
    /// End a lab and everything in it.
    Down,
    /// Show the hosts: address, power, boots, boot entry.
    Status(status::Arguments),
    /// Log in to a host over ssh, or run a command there.
    Ssh(enter::Arguments),
    /// Run a command on a host's console: without network or sshd.
    Exec(enter::Arguments),
    /// Show a host's journal; further words go to journalctl.
    Journal(enter::Arguments),
    /// Cut a host's power: what was not synced is lost.
    Cut(power::Arguments),
    /// Switch a host on that is down.
    On(power::Arguments),
    /// Change a host's line: cable, delay, rate.
    Line(power::LineArguments),
    /// Measure how long labs take to come up.
    Bench,
    /// Bring a lab up and end in the way that is asked, to prove that nothing is left.
    #[command(hide = true)]
    Hold { ending: internal::Ending },
    #[command(hide = true)]
    Keeper(internal::KeeperArguments),
    #[command(hide = true)]
    EnterGroups(internal::EnterGroupsArguments),
    #[command(hide = true)]
    ImageLayer { root: PathBuf, part: PathBuf },
    #[command(hide = true)]
    ImageVmParts { root: PathBuf, part: PathBuf },
    #[command(hide = true)]
    ImageVmDisks { root: PathBuf, parts: PathBuf, part: PathBuf },
}

/// Runs one subcommand; the exit code is the command's own where it runs one.
pub(crate) fn run(arguments: Arguments) -> Result<ExitCode> {
    let lab = &arguments.lab;
    match arguments.command {
        Subcommands::Check => check::run(),
        Subcommands::Image(arguments) => image::run(&arguments),
        Subcommands::Up(arguments) => up::run(lab, &arguments),
        Subcommands::Down => down::run(lab),
        Subcommands::Status(arguments) => status::run(lab, &arguments),
        Subcommands::Ssh(arguments) => enter::ssh(lab, &arguments),
        Subcommands::Exec(arguments) => enter::exec(lab, &arguments),
        Subcommands::Journal(arguments) => enter::journal(lab, &arguments),
        Subcommands::Cut(arguments) => power::cut(lab, &arguments),
        Subcommands::On(arguments) => power::on(lab, &arguments),
        Subcommands::Line(arguments) => power::line(lab, &arguments),
        Subcommands::Bench => bench::run(),
        Subcommands::Hold { ending } => internal::hold(ending),
        Subcommands::Keeper(arguments) => internal::keeper(&arguments),
        Subcommands::EnterGroups(arguments) => internal::enter_groups(&arguments),
        Subcommands::ImageLayer { root, part } => internal::image_layer(&root, &part),
        Subcommands::ImageVmParts { root, part } => internal::image_vm_parts(&root, &part),
        Subcommands::ImageVmDisks { root, parts, part } => internal::image_vm_disks(&root, &parts, &part),
    }
}
