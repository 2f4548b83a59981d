//! What must be true of a system before anything is changed for it.

use std::{fs, path::Path, time::Duration};

use order::{Mode, Order, SystemPath};
use run::Command;
use store::store_path::StoreDir;
use thiserror::Error;

use crate::{
    cgroup, chain, links,
    once::{self, Unguarded},
    paths, space,
};

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
    /// What an activation has started could be neither seen nor ended.
    #[error(
        "this host has cgroup v1 only, and Lockstep needs the unified hierarchy (cgroup v2) to end what an \
         activation started; remove systemd.unified_cgroup_hierarchy=0 and reboot"
    )]
    NoUnifiedCgroups,
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
    /// It is to be tried by a reboot, and the reboot would be unguarded.
    #[error("a reboot into the new system would be unguarded, and --mode boot is left")]
    Unguarded(#[from] Unguarded),
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
    if !cgroup::is_unified() {
        return Err(Unfit::NoUnifiedCgroups);
    }
    if matches!(order.mode, Mode::Switch | Mode::Boot | Mode::Reboot) {
        nix_env()?;
        boot_space(&folder)?;
    }
    match order.mode {
        Mode::Switch | Mode::Test | Mode::DryActivate => pre_switch(&folder),
        Mode::Reboot => Ok(once::support(&SystemPath::from(order.system.clone()))?),
        Mode::Boot => Ok(()),
    }
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
        Ok(system) if !runs_on(system.trim(), &host) => {
            Err(Unfit::Architecture { system: system.trim().to_owned(), host })
        }
        // A system that does not say is believed.
        Ok(_) | Err(_) => Ok(()),
    }
}

/// The kind of this machine, as Nix names it.
#[must_use]
pub fn host_platform() -> String {
    platform(std::env::consts::ARCH)
}

/// Nix's name for a kind of machine that Rust names so.
fn platform(arch: &str) -> String {
    let arch = match arch {
        "x86" => "i686",
        "arm" => "armv7l",
        same => same,
    };
    format!("{arch}-{}", std::env::consts::OS)
}

/// Whether a system for one kind of machine runs on another.
fn runs_on(system: &str, host: &str) -> bool {
    system == host || (system, host) == ("i686-linux", "x86_64-linux")
}

/// Whether the system's own checks let this host switch to it: only it knows all of them. One that has none is not
/// asked.
pub(crate) fn pre_switch(folder: &str) -> Result<(), Unfit> {
    if !Path::new(&format!("{folder}/switch-inhibitors")).exists() {
        return Ok(());
    }
    let switch = format!("{folder}/bin/switch-to-configuration");
    let finished = Command::new(switch).arg("check").timeout(LIMIT).output().map_err(Unfit::Check)?;
    match finished.code() {
        0 => Ok(()),
        code => Err(Unfit::Refused { code, output: finished.stderr_text() }),
    }
}

/// Kernel and initrd are copied to the boot file system unless they are there under the same name; so much must fit.
fn boot_space(folder: &str) -> Result<(), Unfit> {
    let Some(free) = space::free_boot() else { return Ok(()) };
    let kept = |name: &str| {
        let file = fs::canonicalize(format!("{folder}/{name}")).ok();
        file.is_some()
            && kept_systems().any(|system| fs::canonicalize(format!("{system}/{name}")).ok() == file)
    };
    let size = |name: &str| fs::metadata(format!("{folder}/{name}")).map_or(0, |file| file.len());
    let need: u64 = ["kernel", "initrd"].into_iter().filter(|name| !kept(name)).map(size).sum();
    match need {
        0 => Ok(()),
        need if free < need + BOOT_MARGIN => Err(Unfit::BootSpace { free, need: need + BOOT_MARGIN }),
        _ => Ok(()),
    }
}

/// The systems whose kernels and initrds may lie on the boot file system: the running one's and every generation's.
fn kept_systems() -> impl Iterator<Item = String> {
    let links = fs::read_dir(paths::PROFILES).into_iter().flatten().flatten();
    let generations = links.filter_map(|entry| {
        let name = entry.file_name().into_string().ok()?;
        name.starts_with("system-").then(|| format!("{}/{name}", paths::PROFILES))
    });
    generations.chain([paths::RUNNING.to_owned()])
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn machines_have_nixs_names() {
        for (arch, name) in [
            ("x86_64", "x86_64-linux"),
            ("aarch64", "aarch64-linux"),
            ("x86", "i686-linux"),
            ("arm", "armv7l-linux"),
        ] {
            assert_eq!(platform(arch), name);
        }
        for (system, host, runs) in [
            ("x86_64-linux", "x86_64-linux", true),
            ("i686-linux", "x86_64-linux", true),
            ("x86_64-linux", "i686-linux", false),
            ("armv7l-linux", "aarch64-linux", false),
        ] {
            assert_eq!(runs_on(system, host), runs, "{system} on {host}");
        }
    }
}
