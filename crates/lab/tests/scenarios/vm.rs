//! Virtual machines for scenarios: with an operator host that builds their systems, and the agent on them.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use lab::{Host, Lab, Loader};
use report::LoaderDefault;
use store::store_path::StoreDir;

use super::agents::{self, Session};
use super::fleets;
use super::systems::{booted, build, set_profile};

/// How long a machine may take from power to ssh: it boots all of it, and without the processor's help.
pub(super) const BOOT: Duration = Duration::from_secs(900);
/// The machine's name.
pub(super) const NAME: &str = "vm1";
/// The entries of systemd-boot.
const ENTRIES: &str = "/boot/loader/entries";
/// Shows what systemd-boot was told: its default, the system of each entry, and the variables about entries.
const SHOW_SYSTEMD_BOOT: &str = r#"cat /boot/loader/loader.conf; grep -o 'init=[^ ]*' /boot/loader/entries/*
cd /sys/firmware/efi/efivars; for file in LoaderEntry*; do echo "$file: $(cat "$file" | tail -c +5 | tr -d '\0')"; done"#;
/// The same of GRUB: its environment, its default, and the system of each entry.
const SHOW_GRUB: &str = "grub-editenv list; grep -nE 'set default|menuentry|submenu' /boot/grub/grub.cfg; grep -o 'init=[^ ]*' /boot/grub/grub.cfg";
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

    /// Builds systems for the machine and brings them there, each a generation of its profile. All must differ, from
    /// what is there too: the profile takes no second generation of the same system.
    pub(super) fn give<const N: usize>(&self, definitions: [&str; N]) -> Result<[String; N]> {
        let module = module(self.loader);
        let full = definitions.map(|text| format!("{module} {text}"));
        let systems = build(&self.operator, full.each_ref().map(String::as_str))?;
        let copy = format!("nix copy --no-check-sigs --to ssh-ng://{NAME} {}", systems.join(" "));
        self.operator.command(["sh", "-euc", &copy])?.timeout(BOOT).run()?;
        for system in &systems {
            let before = self.generations()?;
            ensure!(before.iter().all(|(_, known)| known != system), "{system} is one of {before:?} already");
            set_profile(&self.vm, system)?;
        }
        Ok(systems)
    }

    /// The generations of the machine's profile, by number, and their systems; the newest first.
    fn generations(&self) -> Result<Vec<(usize, String)>> {
        let script = r#"cd /nix/var/nix/profiles; for link in system-*-link; do echo "$link $(readlink "$link")"; done"#;
        let said = self.vm.sh(script)?;
        let generation = |line: &str| {
            let (number, system) = line.strip_prefix("system-")?.split_once("-link ")?;
            Some((number.parse().ok()?, system.to_owned()))
        };
        let all = said.lines().map(generation).collect::<Option<Vec<_>>>();
        let mut all = all.with_context(|| format!("these are no generations:\n{said}"))?;
        all.sort_unstable_by(|left, right| right.cmp(left));
        Ok(all)
    }

    /// Asks the real loader for a system, with its own tool, at the next boot only.
    pub(super) fn boot_once(&self, system: &str) -> Result<()> {
        let generations = self.generations()?;
        let place = generations.iter().position(|(_, other)| other == system);
        let place = place.with_context(|| format!("{system} is none of {generations:?}"))?;
        match self.loader {
            Loader::SystemdBoot => {
                let entry = format!("nixos-generation-{}.conf", generations[place].0);
                // The tool takes any name, and systemd-boot boots its default if there is no such entry.
                let (init, file) = (format!("init={system}/init"), format!("{ENTRIES}/{entry}"));
                let listed = self.vm.run(["grep", "-F", &init, &file]);
                listed.with_context(|| format!("{entry} does not boot {system}"))?;
                self.vm.run(["bootctl", "set-oneshot", &entry])?;
            }
            // The submenu of all generations has the newest first.
            Loader::Grub => {
                self.vm.run(["grub-reboot", &format!("1>{place}")])?;
            }
        }
        self.vm.run(["sync"]).map(drop)
    }

    /// That the machine was booted into this system.
    pub(super) fn expect_booted(&self, system: &str, why: &str) -> Result<()> {
        let found = booted(&self.vm)?;
        ensure!(found == system, "{why}: it booted {found}, not {system}; {}", self.described()?);
        Ok(())
    }

    /// That this is what the agent says that the machine boots by itself, and whether its loader was asked for another
    /// system at the next boot.
    pub(super) fn expect_next(&self, default: &str, once: bool, why: &str) -> Result<()> {
        let (told, asked) = (self.told_default()?, self.is_asked_once()?);
        ensure!(
            told == default && asked == once,
            "{why}: the default is {told}, not {default}; once is asked: {asked}; {}",
            self.described()?
        );
        Ok(())
    }

    /// What the machine could boot, and what its loader was told.
    fn described(&self) -> Result<String> {
        let script = match self.loader {
            Loader::SystemdBoot => SHOW_SYSTEMD_BOOT,
            Loader::Grub => SHOW_GRUB,
        };
        let (generations, shown) = (self.generations()?, self.vm.output(["sh", "-uc", script])?);
        Ok(format!(
            "generations {generations:?}, the loader's:\n{}{}",
            shown.stdout_text(),
            shown.stderr_text()
        ))
    }

    /// Whether the loader was asked for another system than its default at the next boot.
    fn is_asked_once(&self) -> Result<bool> {
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
    fn told_default(&self) -> Result<String> {
        match Session::start(&self.vm)?.hello.default {
            LoaderDefault::System(system) => Ok(system.in_store(&StoreDir::default())),
            other => bail!("the agent reads {other:?}"),
        }
    }
}
