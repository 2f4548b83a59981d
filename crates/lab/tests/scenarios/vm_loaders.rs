//! Real firmware and real boot loaders: they boot what the agent says that they will, and what they are asked for
//! once they boot once, by their own tools.

use anyhow::Result;
use lab::Loader;

use super::agents::promise;
use super::systems::{boot, booted};
use super::vm::{BOOT, Rig, lab_with};

/// Definitions that make a system differ from others, the installed one too, and nothing more.
const OLD: &str = r#"environment.etc."generation".text = "old";"#;
const NEW: &str = r#"environment.etc."generation".text = "new";"#;

/// A system that is asked for once is booted once, by a reboot and after a power cut.
fn boots_once(loader: Loader) -> Result<()> {
    let lab = lab_with(loader)?;
    let rig = Rig::new(&lab, loader)?;
    let first = booted(&rig.vm)?;
    rig.expect_next(&first, false, "what it booted by itself is what the agent reads")?;
    let [old, new] = rig.give([OLD, NEW])?;
    boot(&rig.vm, &new)?;
    rig.expect_next(&new, false, "the default that was just written")?;
    boot(&rig.vm, &old)?;
    rig.expect_next(&old, false, "and taken back")?;
    rig.boot_once(&new)?;
    rig.expect_next(&old, true, "once is not the default")?;

    rig.reboot()?;
    rig.expect_booted(&new, "the loader does as it was asked")?;
    rig.expect_next(&old, false, "and forgets it before it starts anything")?;
    rig.vm.power_cycle()?;
    rig.vm.wait_ssh(BOOT)?;
    rig.expect_booted(&old, "the default is what the agent said")?;
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
