//! Which system a host comes back with: one-shot entries, and loaders that do not do as they are asked.

use std::time::Duration;

use anyhow::{Result, ensure};
use lab::wire::Power;
use lab::{Host, wait};

use super::lab;
use super::systems::{
    BOOT, EXTLINUX, GRUB, LANZABOOTE, SOON, boot, booted, build, current, power_cycle, reboot, set_profile,
    switch, test,
};

/// A definition that makes a system differ from others, and nothing more.
fn mark(name: &str) -> String {
    format!(r#"environment.etc."generation".text = "{name}";"#)
}

fn default_entry(host: &Host<'_>) -> Result<String> {
    host.run(["sed", "-n", "s/^default //p", "/boot/loader/loader.conf"])
}

fn wait_power(host: &Host<'_>, expected: &Power) -> Result<()> {
    wait::until("the host to be as expected", BOOT, || {
        let power = host.status()?.power;
        ensure!(power == *expected, "{power:?}");
        Ok(())
    })
}

#[test]
fn a_one_shot_entry_of_systemd_boot_boots_once() -> Result<()> {
    let lab = lab(["web1"])?;
    let host = lab.host("web1");
    let old = current(&host)?;
    let [new] = build(&host, [&mark("new")])?;
    set_profile(&host, &new)?;
    boot(&host, &old)?;
    assert_eq!(default_entry(&host)?, "nixos-generation-1.conf", "both have entries, the old is the default");
    host.run(["bootctl", "set-oneshot", "nixos-generation-2.conf"])?;
    assert!(host.run(["bootctl", "status"])?.contains("OneShot Entry: nixos-generation-2.conf"));
    reboot(&host)?;
    assert_eq!(booted(&host)?, new);
    reboot(&host)?;
    assert_eq!(booted(&host)?, old, "the entry was for one boot");
    host.run(["bootctl", "set-oneshot", "nixos-generation-2.conf"])?;
    power_cycle(&host)?;
    assert_eq!(booted(&host)?, new, "an entry for the next boot survives a power cut");
    power_cycle(&host)?;
    assert_eq!(booted(&host)?, old);
    Ok(())
}

#[test]
fn a_one_shot_entry_of_grub_boots_once() -> Result<()> {
    let lab = lab(["web1"])?;
    let host = lab.host("web1");
    let [old, new] = build(&host, [GRUB, &format!("{GRUB} {}", mark("new"))])?;
    set_profile(&host, &old)?;
    set_profile(&host, &new)?;
    boot(&host, &old)?;
    test(&host, &old)?;
    host.run(["grub-reboot", "1>0"])?;
    assert_eq!(host.run(["grub-editenv", "list"])?, "next_entry=1>0");
    reboot(&host)?;
    assert_eq!(booted(&host)?, new);
    assert_eq!(host.run(["grub-editenv", "list"])?, "", "taken back before anything was started");
    power_cycle(&host)?;
    assert_eq!(booted(&host)?, old);
    Ok(())
}

#[test]
fn a_one_shot_system_that_panics_or_hangs_ends_with_a_power_cut() -> Result<()> {
    let lab = lab(["web1"])?;
    let host = lab.host("web1");
    let old = current(&host)?;
    let [hangs, panics] = build(&host, [r#"lab.init = "hang";"#, r#"lab.init = "panic";"#])?;
    set_profile(&host, &hangs)?;
    set_profile(&host, &panics)?;
    boot(&host, &old)?;
    host.run(["bootctl", "set-oneshot", "nixos-generation-2.conf"])?;
    host.reboot(BOOT)?;
    assert!(matches!(host.status()?.power, Power::On { .. }));
    assert!(!host.answers_ssh());
    power_cycle(&host)?;
    assert_eq!(booted(&host)?, old);

    host.run(["bootctl", "set-oneshot", "nixos-generation-3.conf"])?;
    host.run(["systemctl", "--no-block", "reboot"])?;
    wait_power(&host, &Power::Panicked { code: 1 })?;
    power_cycle(&host)?;
    assert_eq!(booted(&host)?, old);

    boot(&host, &panics)?;
    host.cut_power()?;
    host.power_on()?;
    wait_power(&host, &Power::Panicked { code: 1 })?;
    host.power_cycle()?;
    wait_power(&host, &Power::Panicked { code: 1 })
}

#[test]
fn the_highest_number_wins_whatever_was_asked_for() -> Result<()> {
    let lab = lab(["web1"])?;
    let host = lab.host("web1");
    let [old, new] = build(&host, [LANZABOOTE, &format!("{LANZABOOTE} {}", mark("new"))])?;
    set_profile(&host, &old)?;
    set_profile(&host, &new)?;
    boot(&host, &old)?;
    assert_eq!(default_entry(&host)?, "nixos-*");
    reboot(&host)?;
    assert_eq!(booted(&host)?, new);
    Ok(())
}

#[test]
fn extlinux_boots_its_default_label_and_has_no_entry_for_once() -> Result<()> {
    let lab = lab(["web1"])?;
    let host = lab.host("web1");
    let [new] = build(&host, [EXTLINUX])?;
    boot(&host, &new)?;
    reboot(&host)?;
    assert_eq!(booted(&host)?, new, "it needs no generation");
    for tool in ["bootctl", "grub-reboot", "grub-editenv"] {
        let found = host.output(["test", "-e", &format!("/run/current-system/sw/bin/{tool}")])?;
        assert!(!found.status.success(), "{tool}");
    }
    Ok(())
}

#[test]
fn a_generation_beyond_the_limit_is_no_default_and_no_error() -> Result<()> {
    let lab = lab(["web1"])?;
    let host = lab.host("web1");
    let limit = "boot.loader.systemd-boot.configurationLimit = 2;";
    let marked = |name| format!("{limit} {}", mark(name));
    let [one, two, three] = build(&host, [&marked("one"), &marked("two"), &marked("three")])?;
    for system in [&one, &two, &three] {
        set_profile(&host, system)?;
    }
    boot(&host, &three)?;
    let entries = host.run(["ls", "/boot/loader/entries"])?;
    assert_eq!(entries, "nixos-generation-3.conf\nnixos-generation-4.conf", "the last two by number");
    host.run(["nix-env", "--profile", "/nix/var/nix/profiles/system", "--switch-generation", "2"])?;
    boot(&host, &one)?;
    assert_eq!(host.run(["ls", "/boot/loader/entries"])?, entries);
    // With NIXOS_INSTALL_BOOTLOADER=1 the old `loader.conf` goes first, so now nothing is the default.
    assert_eq!(host.output(["test", "-e", "/boot/loader/loader.conf"])?.code(), 1);
    boot_plainly(&host, &three)?;
    boot_plainly(&host, &one)?;
    assert_eq!(default_entry(&host)?, "nixos-generation-4.conf", "silently kept");
    reboot(&host)?;
    assert_eq!(booted(&host)?, three, "the profile names `one`");
    Ok(())
}

/// As a deploy does: the loader's program is there already.
fn boot_plainly(host: &Host<'_>, system: &str) -> Result<()> {
    host.run([&format!("{system}/bin/switch-to-configuration"), "boot"])?;
    host.run(["sync"]).map(drop)
}

#[test]
fn a_boot_step_that_fails_leaves_the_old_default() -> Result<()> {
    let lab = lab(["web1"])?;
    let host = lab.host("web1");
    let old = current(&host)?;
    let [new] = build(&host, [r#"lab.initrd = { size = 4000000; seed = "new"; };"#])?;
    set_profile(&host, &new)?;
    host.fill_disk("/boot", 1 << 20)?;
    let full = switch(&host, &new, "boot")?;
    assert_eq!(full.code(), 1);
    assert!(full.stderr_text().contains("No space left on device"), "{}", full.stderr_text());
    host.run(["rm", "/boot/lab-fill"])?;

    host.write("/tmp/bad/boot.json", "{}")?;
    let bad = host.run(["nix-store", "--add", "/tmp/bad"])?;
    set_profile(&host, &bad)?;
    set_profile(&host, &new)?;
    let broken = switch(&host, &new, "boot")?;
    assert_eq!(broken.code(), 1, "one bad generation breaks it for all: {}", broken.stderr_text());
    assert_eq!(default_entry(&host)?, "nixos-generation-1.conf");
    reboot(&host)?;
    assert_eq!(booted(&host)?, old);

    host.run(["nix-env", "--profile", "/nix/var/nix/profiles/system", "--delete-generations", "3"])?;
    boot_plainly(&host, &new)?;
    reboot(&host)?;
    assert_eq!(booted(&host)?, new);
    Ok(())
}

/// The loader removes before it writes; with a limit of 1 nothing bootable is left in between.
#[test]
fn a_power_cut_in_a_slow_boot_step_leaves_nothing_to_boot() -> Result<()> {
    let lab = lab(["web1"])?;
    let host = lab.host("web1");
    let slow = "boot.loader.systemd-boot.configurationLimit = 1; lab.loader.slowSeconds = 600;";
    let [new] = build(&host, [slow])?;
    set_profile(&host, &new)?;
    let step = format!("{new}/bin/switch-to-configuration");
    let step = host.command([step.as_str(), "boot"])?.timeout(Duration::from_secs(600)).spawn()?;
    wait::until("the old entry to be removed", SOON, || {
        let entries = host.run(["ls", "/boot/loader/entries"])?;
        ensure!(entries.is_empty(), "{entries}");
        Ok(())
    })?;
    host.run(["sync", "-f", "/boot"])?;
    host.power_cycle()?;
    drop(step);
    let power = host.status()?.power;
    assert!(matches!(power, Power::NothingToBoot { .. }), "{power:?}");
    Ok(())
}

/// The way back of a power cut is neither what runs nor what was activated, but what is the default.
#[test]
fn a_pending_default_is_what_a_power_cut_comes_back_with() -> Result<()> {
    let lab = lab(["web1"])?;
    let host = lab.host("web1");
    let [pending, tested] = build(&host, [&mark("pending"), &mark("tested")])?;
    set_profile(&host, &pending)?;
    boot_plainly(&host, &pending)?;
    test(&host, &tested)?;
    let profile = host.run(["readlink", "-f", "/nix/var/nix/profiles/system"])?;
    let three = [current(&host)?, profile, booted(&host)?];
    assert!(three[0] == tested && three[1] == pending && three[2] != pending, "{three:?}");
    power_cycle(&host)?;
    assert_eq!((booted(&host)?, current(&host)?), (pending.clone(), pending));
    Ok(())
}
