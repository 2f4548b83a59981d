//! Real firmware and real boot loaders: they boot what the agent says that they will, what they are asked for once
//! they boot once, and whatever becomes of that the next boot is the default's again.

use anyhow::{Result, ensure};
use lab::Loader;

use super::agents::promise;
use super::systems::{boot, booted};
use super::vm::{BOOT, Rig, lab_with};

/// A definition that makes a system differ from others, and nothing more.
const NEW: &str = r#"environment.etc."generation".text = "new";"#;
/// Without an initrd's init and a root Linux itself gives up.
const PANICS: &str = r#"boot.kernelParams = [ "rdinit=/missing" ];"#;
const NO_ROOT: &str = r#"lab.vm.root = "/dev/vdz";"#;
const NO_NETWORK: &str = "networking.useDHCP = lib.mkForce false;";

/// A system that is asked for once is booted once, by a reboot and after a power cut.
fn boots_once(loader: Loader) -> Result<()> {
    let lab = lab_with(loader)?;
    let rig = Rig::new(&lab, loader)?;
    let first = booted(&rig.vm)?;
    ensure!(rig.told_default()? == first, "what it booted by itself is what the agent reads");
    let [old, new] = rig.give(["", NEW])?;
    boot(&rig.vm, &new)?;
    ensure!(rig.told_default()? == new, "the default that was just written");
    boot(&rig.vm, &old)?;
    ensure!(rig.told_default()? == old, "and taken back");
    rig.boot_once(3, 3)?;
    ensure!(rig.is_asked_once()? && rig.told_default()? == old, "once is not the default");

    rig.reboot(1)?;
    rig.vm.wait_ssh(BOOT)?;
    ensure!(booted(&rig.vm)? == new, "the loader did as it was asked");
    ensure!(!rig.is_asked_once()? && rig.told_default()? == old, "and forgot it before it started anything");
    rig.vm.power_cycle()?;
    rig.vm.wait_ssh(BOOT)?;
    ensure!(booted(&rig.vm)? == old, "the default is what the agent said");
    promise(&rig.vm, &old)
}

/// A system that was asked for once and panics, finds no root or cannot be reached is followed by the default.
fn falls_back(loader: Loader) -> Result<()> {
    let lab = lab_with(loader)?;
    let rig = Rig::new(&lab, loader)?;
    let [old, _panics, _no_root, _no_network] = rig.give(["", PANICS, NO_ROOT, NO_NETWORK])?;
    boot(&rig.vm, &old)?;
    for (generation, words) in [(3, "Unable to mount root fs"), (4, "the root /dev/vdz did not appear")] {
        rig.boot_once(generation, 5)?;
        rig.reboot(2)?;
        rig.vm.wait_ssh(BOOT)?;
        ensure!(rig.console()?.contains(words), "it was not '{words}' that happened");
        ensure!(booted(&rig.vm)? == old && rig.told_default()? == old, "{words}: the default");
    }

    let starts = rig.starts()?;
    rig.boot_once(5, 5)?;
    rig.reboot(1)?;
    rig.wait_complete(starts)?;
    ensure!(!rig.vm.answers_ssh(), "it has no address");
    rig.vm.power_cycle()?;
    rig.vm.wait_ssh(BOOT)?;
    ensure!(booted(&rig.vm)? == old, "a hard reset comes back with the default");
    promise(&rig.vm, &old)
}

#[test]
fn systemd_boot_boots_once_what_it_is_asked_for_and_then_what_the_agent_says() -> Result<()> {
    boots_once(Loader::SystemdBoot)
}

#[test]
fn grub_boots_once_what_it_is_asked_for_and_then_what_the_agent_says() -> Result<()> {
    boots_once(Loader::Grub)
}

#[test]
fn systemd_boot_falls_back_from_a_panic_a_missing_root_and_a_missing_network() -> Result<()> {
    falls_back(Loader::SystemdBoot)
}

#[test]
fn grub_falls_back_from_a_panic_a_missing_root_and_a_missing_network() -> Result<()> {
    falls_back(Loader::Grub)
}
