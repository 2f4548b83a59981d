//! Real firmware and real boot loaders: they boot what the agent says that they will, and what they are asked for
//! once they boot once, by their own tools.

use anyhow::{Result, ensure};
use lab::Loader;

use super::agents::promise;
use super::systems::{boot, booted};
use super::vm::{BOOT, Rig, lab_with};

/// A definition that makes a system differ from others, and nothing more.
const NEW: &str = r#"environment.etc."generation".text = "new";"#;

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

    rig.reboot()?;
    ensure!(booted(&rig.vm)? == new, "the loader did as it was asked");
    ensure!(!rig.is_asked_once()? && rig.told_default()? == old, "and forgot it before it started anything");
    rig.vm.power_cycle()?;
    rig.vm.wait_ssh(BOOT)?;
    ensure!(booted(&rig.vm)? == old, "the default is what the agent said");
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
