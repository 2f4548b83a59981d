//! Virtual machines for scenarios: with an operator host that builds their systems, and the agent on them.

use std::time::Duration;

use anyhow::{Result, bail};
use lab::{Host, Lab, Loader};
use report::LoaderDefault;
use store::store_path::StoreDir;

use super::agents::{self, Session};
use super::fleets;
use super::systems::{build, set_profile};

/// How long a machine may take from power to ssh: it boots all of it, and without the processor's help.
pub(super) const BOOT: Duration = Duration::from_secs(900);
/// The machine's name.
pub(super) const NAME: &str = "vm1";
/// What makes a configuration one for machines with this loader.
pub(super) fn module(loader: Loader) -> String {
    let own = match loader {
        Loader::SystemdBoot => "",
        Loader::Grub => {
            r#"boot.loader.systemd-boot.enable = false; boot.loader.grub = { enable = true; device = "/dev/vdb"; };"#
        }
    };
    format!("lab.vm.enable = true; {own}")
}

/// A lab with a machine and an operator host.
pub(super) fn lab_with(loader: Loader) -> Result<Lab> {
    fleets::with_operator([])?.vm(NAME, loader).start()
}

/// A machine, and the operator host that builds its systems.
#[derive(Clone, Copy)]
pub(super) struct Rig<'lab> {
    operator: Host<'lab>,
    pub(super) vm: Host<'lab>,
    pub(super) loader: Loader,
}

impl<'lab> Rig<'lab> {
    /// The machine of that lab, with the agent on it.
    pub(super) fn new(lab: &'lab Lab, loader: Loader) -> Result<Self> {
        let rig = Self { operator: lab.host("operator"), vm: lab.host(NAME), loader };
        agents::install(&rig.vm)?;
        Ok(rig)
    }

    /// Builds systems for the machine and brings them there, each a generation of its profile.
    pub(super) fn give<const N: usize>(&self, definitions: [&str; N]) -> Result<[String; N]> {
        let module = module(self.loader);
        let full = definitions.map(|text| format!("{module} {text}"));
        let systems = build(&self.operator, full.each_ref().map(String::as_str))?;
        let copy = format!("nix copy --no-check-sigs --to ssh-ng://{NAME} {}", systems.join(" "));
        self.operator.command(["sh", "-euc", &copy])?.timeout(BOOT).run()?;
        for system in &systems {
            set_profile(&self.vm, system)?;
        }
        Ok(systems)
    }

    /// Asks the real loader for a generation, with its own tool, at the next boot only. `newest` is the number of the
    /// newest generation.
    pub(super) fn boot_once(&self, generation: usize, newest: usize) -> Result<()> {
        match self.loader {
            Loader::SystemdBoot => {
                self.vm.run(["bootctl", "set-oneshot", &format!("nixos-generation-{generation}.conf")])?;
            }
            // The submenu of all generations has the newest first.
            Loader::Grub => {
                self.vm.run(["grub-reboot", &format!("1>{}", newest - generation)])?;
            }
        }
        self.vm.run(["sync"]).map(drop)
    }

    /// Whether the loader was asked for another system than its default at the next boot.
    pub(super) fn is_asked_once(&self) -> Result<bool> {
        let (command, start) = match self.loader {
            Loader::SystemdBoot => (["ls", "/sys/firmware/efi/efivars"], "LoaderEntryOneShot-"),
            Loader::Grub => (["grub-editenv", "list"], "next_entry="),
        };
        // GRUB leaves the name with nothing behind it.
        let said = self.vm.run(command)?;
        Ok(said.lines().filter_map(|line| line.strip_prefix(start)).any(|rest| !rest.is_empty()))
    }

    /// Lets the machine reboot itself, and waits until it is there again.
    pub(super) fn reboot(&self) -> Result<()> {
        self.vm.reboot(BOOT)?;
        self.vm.wait_ssh(BOOT)
    }

    /// What the agent says that the machine boots by itself: the reading of the product.
    pub(super) fn told_default(&self) -> Result<String> {
        match Session::start(&self.vm)?.hello.default {
            LoaderDefault::System(system) => Ok(system.in_store(&StoreDir::default())),
            other => bail!("the agent reads {other:?}"),
        }
    }
}
