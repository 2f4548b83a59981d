//! What must be true of a system before anything is changed for it.

use std::{fs, path::Path, time::Duration};

use order::{Mode, Order};
use run::Command;
use store::store_path::StoreDir;
use thiserror::Error;

use crate::{chain, links, paths, space};

/// How long the system's own checks may take.
const LIMIT: Duration = Duration::from_secs(120);
/// What a boot loader's installer needs beside the kernel and the initrd.
const BOOT_MARGIN: u64 = 1 << 20;

/// Why an order is not begun.
#[derive(Debug, Error)]
pub enum Unfit {
    /// The system is not here.
    #[error("{0} is not in this host's store; deploy again, the copy may have been collected")]
    Missing(String),
    /// What is there is no system that can be switched to.
    #[error("{0} has no bin/switch-to-configuration (system.switch.enable = false, or not a NixOS system)")]
    NoSwitch(String),
    /// Nothing can be made to last.
    #[error("this host has no nix-env ({0} is missing; nix.enable = false?); only --mode test is possible")]
    NoNix(String),
    /// It is made for another kind of machine.
    #[error("the system is for {system}, this host is {host}")]
    Architecture {
        /// What the system says.
        system: String,
        /// What the host is.
        host: String,
    },
    /// The system's own pre-switch checks refuse.
    #[error(
        "the new system's own checks refuse a switch (exit code {code}); --mode boot and a reboot are left"
    )]
    Refused {
        /// What they exited with.
        code: i32,
        /// What they said.
        output: String,
    },
    /// They could not be asked.
    #[error("the new system's own checks cannot be run")]
    Check(#[source] run::Error),
    /// The boot file system is too full for the next entry.
    #[error(
        "{} has {free} bytes left, kernel and initrd of the new system need {need}; remove old generations",
        paths::BOOT
    )]
    BootSpace {
        /// Free.
        free: u64,
        /// Needed.
        need: u64,
    },
}

/// Whether the order's system can be switched to on this host.
///
/// # Errors
/// If not, and why.
pub fn check(order: &Order) -> Result<(), Unfit> {
    let folder = StoreDir::default().display(&order.system).to_string();
    if !Path::new(&folder).exists() {
        return Err(Unfit::Missing(folder));
    }
    let switch = format!("{folder}/bin/switch-to-configuration");
    if !Path::new(&switch).exists() {
        return Err(Unfit::NoSwitch(folder));
    }
    architecture(&folder)?;
    if matches!(order.mode, Mode::Switch | Mode::Boot) {
        nix_env()?;
        boot_space(&folder)?;
    }
    if order.mode != Mode::Boot && Path::new(&format!("{folder}/switch-inhibitors")).exists() {
        pre_switch(&switch)?;
    }
    Ok(())
}

/// The system that runs brings the program that makes a new generation.
fn nix_env() -> Result<(), Unfit> {
    let program = links::running().map(|running| links::program_of(&running, "sw/bin/nix-env"));
    program
        .filter(|program| !Path::new(program).exists())
        .map_or(Ok(()), |program| Err(Unfit::NoNix(program)))
}

fn architecture(folder: &str) -> Result<(), Unfit> {
    let host = host_platform();
    match fs::read_to_string(format!("{folder}/system")) {
        Ok(system) if system.trim() != host => {
            Err(Unfit::Architecture { system: system.trim().to_owned(), host })
        }
        // A system that does not say is believed.
        Ok(_) | Err(_) => Ok(()),
    }
}

/// The kind of this machine, as Nix names it.
#[must_use]
pub fn host_platform() -> String {
    format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS)
}

/// Asks the system itself: only it knows all of its checks.
fn pre_switch(switch: &str) -> Result<(), Unfit> {
    let finished = Command::new(switch).arg("check").timeout(LIMIT).output().map_err(Unfit::Check)?;
    match finished.code() {
        0 => Ok(()),
        code => Err(Unfit::Refused { code, output: finished.stderr_text() }),
    }
}

/// Kernel and initrd are copied to the boot file system unless they are there under the same name; so much must fit.
fn boot_space(folder: &str) -> Result<(), Unfit> {
    let Some(free) = space::free_boot() else { return Ok(()) };
    let same = |name: &str| {
        let of = |system: &str| fs::canonicalize(format!("{system}/{name}")).ok();
        let running = links::running().map(|running| links::folder(&running));
        running.is_some_and(|running| of(&running).is_some() && of(&running) == of(folder))
    };
    let size = |name: &str| fs::metadata(format!("{folder}/{name}")).map_or(0, |file| file.len());
    let need: u64 = ["kernel", "initrd"].into_iter().filter(|name| !same(name)).map(size).sum();
    match need {
        0 => Ok(()),
        need if free < need + BOOT_MARGIN => Err(Unfit::BootSpace { free, need: need + BOOT_MARGIN }),
        _ => Ok(()),
    }
}

impl Unfit {
    /// The message with its sources, and what the system's own checks said.
    #[must_use]
    pub fn explain(&self) -> String {
        match self {
            Self::Refused { output, .. } => format!("{self}\n{output}"),
            _ => chain(self),
        }
    }
}
