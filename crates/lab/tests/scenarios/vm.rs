//! Virtual machines for scenarios: with an operator host that builds their systems, and the agent on them.

use std::fs;
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use lab::{Host, Lab, Loader, wait};
use report::LoaderDefault;
use store::store_path::StoreDir;

use super::agents::{self, Session};
use super::fleets;
use super::systems::{build, set_profile};

/// How long a machine may take from power to ssh: it boots all of it, and without the processor's help.
pub(super) const BOOT: Duration = Duration::from_secs(600);
/// The machine's name.
pub(super) const NAME: &str = "vm1";
/// Makes a configuration that of a machine that resets itself after a failure, as NixOS hosts should.
const RESETS: &str =
    r#"lab.vm.enable = true; imports = [ { boot.kernelParams = [ "panic=5" "boot.panic_on_fail" ]; } ];"#;
/// What systemd says on the console when a machine's start is complete.
const COMPLETE: &str = "Reached target";

/// What makes a configuration one for machines with this loader.
pub(super) fn module(loader: Loader) -> String {
    let own = match loader {
        Loader::SystemdBoot => "",
        Loader::Grub => {
            r#"boot.loader.systemd-boot.enable = false; boot.loader.grub = { enable = true; device = "/dev/vdb"; };"#
        }
    };
    format!("{RESETS} {own}")
}

/// A lab with a machine and an operator host.
pub(super) fn lab_with(loader: Loader) -> Result<Lab> {
    fleets::with_operator([])?.vm(NAME, loader).start()
}

/// A machine, and the operator host that builds its systems.
#[derive(Clone, Copy)]
pub(super) struct Rig<'lab> {
    lab: &'lab Lab,
    operator: Host<'lab>,
    pub(super) vm: Host<'lab>,
    pub(super) loader: Loader,
}

impl<'lab> Rig<'lab> {
    /// The machine of that lab, with the agent on it.
    pub(super) fn new(lab: &'lab Lab, loader: Loader) -> Result<Self> {
        let rig = Self { lab, operator: lab.host("operator"), vm: lab.host(NAME), loader };
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
        let (command, text) = match self.loader {
            Loader::SystemdBoot => (["ls", "/sys/firmware/efi/efivars"], "LoaderEntryOneShot-"),
            Loader::Grub => (["grub-editenv", "list"], "next_entry="),
        };
        Ok(self.vm.run(command)?.contains(text))
    }

    /// Lets the machine reboot itself, and waits for the boot after so many resets.
    pub(super) fn reboot(&self, resets: u32) -> Result<()> {
        let before = self.vm.status()?.boots;
        self.vm.run(["systemctl", "--no-block", "reboot"])?;
        wait::until(&format!("{resets} resets"), BOOT, || {
            let boots = self.vm.status()?.boots;
            ensure!(boots >= before + resets, "{} so far; it says:\n{}", boots - before, self.last_words()?);
            Ok(())
        })
    }

    /// Waits until the machine has come up, whether it can be reached or not.
    pub(super) fn wait_complete(&self, before: usize) -> Result<()> {
        wait::until("the machine's start to be complete", BOOT, || {
            ensure!(self.starts()? > before, "it says:\n{}", self.last_words()?);
            Ok(())
        })
    }

    /// How often the machine's start was complete.
    pub(super) fn starts(&self) -> Result<usize> {
        let said = self.console()?;
        Ok(said.lines().filter(|line| line.contains(COMPLETE) && line.contains("multi-user.target")).count())
    }

    /// What the machine wrote to its console, over all boots.
    pub(super) fn console(&self) -> Result<String> {
        let bytes = fs::read(self.lab.dir().host(NAME).console())?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    fn last_words(&self) -> Result<String> {
        let said = self.console()?;
        let lines: Vec<&str> = said.lines().collect();
        Ok(lines[lines.len().saturating_sub(10)..].join("\n"))
    }

    /// What the agent says that the machine boots by itself: the reading of the product.
    pub(super) fn told_default(&self) -> Result<String> {
        match Session::start(&self.vm)?.hello.default {
            LoaderDefault::System(system) => Ok(system.in_store(&StoreDir::default())),
            other => bail!("the agent reads {other:?}"),
        }
    }
}
