//! Power: cuts that lose what was not synced, reboots, inits that panic or hang, a PID 1 that is frozen.

use std::time::Duration;

use anyhow::{Result, ensure};
use lab::wire::Power;
use lab::{Host, wait};

use super::lab;

const BOOT: Duration = Duration::from_secs(60);

#[test]
fn a_power_cut_loses_what_was_not_synced_and_nothing_else() -> Result<()> {
    let lab = lab(["web1", "web2"])?;
    let (host, other) = (lab.host("web1"), lab.host("web2"));
    host.sh("echo kept > /root/synced; sync /root/synced; sync -f /root; echo lost > /root/unsynced")?;
    host.sh("echo kept > /boot/synced; sync -f /boot; echo lost > /boot/unsynced")?;
    let before = host.run(["cat", "/proc/sys/kernel/random/boot_id", "/etc/machine-id"])?;
    host.cut_power()?;
    assert_eq!(host.status()?.power, Power::Cut);
    assert!(!host.answers_ssh());
    host.power_on()?;
    host.wait_ssh(BOOT)?;
    for dir in ["/root", "/boot"] {
        assert_eq!(host.run(["cat", &format!("{dir}/synced")])?, "kept");
        let unsynced = host.output(["test", "-e", &format!("{dir}/unsynced")])?;
        assert!(!unsynced.status.success(), "{dir}/unsynced survived the power cut");
    }
    let after = host.run(["cat", "/proc/sys/kernel/random/boot_id", "/etc/machine-id"])?;
    assert_eq!(before.lines().last(), after.lines().last(), "the machine id is the host's");
    assert_eq!(other.status()?.boots, 1, "the other host was left alone");
    Ok(())
}

#[test]
fn a_host_reboots_itself_and_comes_back() -> Result<()> {
    let lab = lab(["web1"])?;
    let host = lab.host("web1");
    host.write("/root/kept", "kept without a sync")?;
    host.reboot(BOOT)?;
    host.wait_ssh(BOOT)?;
    assert_eq!(host.status()?.boots, 2);
    assert_eq!(host.run(["cat", "/root/kept"])?, "kept without a sync");
    Ok(())
}

#[test]
fn a_host_that_switches_itself_off_stays_off() -> Result<()> {
    let lab = lab(["web1"])?;
    let host = lab.host("web1");
    host.run(["systemctl", "--no-block", "poweroff"])?;
    wait::until_true("the host to be off", BOOT, || host.status().is_ok_and(|s| s.power == Power::Off))?;
    host.power_on()?;
    host.wait_ssh(BOOT)
}

/// Gives the host a boot entry whose init is this script.
fn boot_into(host: &Host<'_>, script: &str) -> Result<()> {
    host.write("/tmp/broken/init", script)?;
    host.run(["chmod", "+x", "/tmp/broken/init"])?;
    let broken = host.run(["nix-store", "--add", "/tmp/broken"])?;
    host.sh(&format!("sed -i 's|init=[^ ]*|init={broken}/init|' /boot/loader/entries/*.conf; sync")).map(drop)
}

#[test]
fn a_host_whose_init_panics_stays_down_until_its_power_is_cut() -> Result<()> {
    let lab = lab(["web1"])?;
    let host = lab.host("web1");
    boot_into(&host, "#!/bin/sh\nexit 3\n")?;
    host.run(["systemctl", "--no-block", "reboot"])?;
    wait::until("the init to panic", BOOT, || {
        let power = host.status()?.power;
        ensure!(power == Power::Panicked { code: 3 }, "{power:?}");
        Ok(())
    })?;
    assert!(!host.answers_ssh());
    host.power_cycle()?;
    wait::until("the init to panic again", BOOT, || {
        let status = host.status()?;
        ensure!(status.power == Power::Panicked { code: 3 } && status.boots == 3, "{status:?}");
        Ok(())
    })
}

#[test]
fn a_host_whose_init_hangs_is_on_and_silent() -> Result<()> {
    let lab = lab(["web1"])?;
    let host = lab.host("web1");
    boot_into(&host, "#!/bin/sh\nwhile :; do sleep 1000; done\n")?;
    host.reboot(BOOT)?;
    assert!(matches!(host.status()?.power, Power::On { .. }));
    assert!(!host.answers_ssh());
    host.cut_power()
}

#[test]
fn a_boot_file_system_without_an_entry_boots_nothing() -> Result<()> {
    let lab = lab(["web1"])?;
    let host = lab.host("web1");
    host.sh("rm /boot/loader/entries/*; sync -f /boot")?;
    host.power_cycle()?;
    let power = host.status()?.power;
    assert!(matches!(power, Power::NothingToBoot { .. }), "{power:?}");
    Ok(())
}

#[test]
fn a_frozen_init_starts_nothing_while_processes_go_on() -> Result<()> {
    let lab = lab(["web1"])?;
    let host = lab.host("web1");
    host.freeze_init(true)?;
    assert_eq!(host.run(["ps", "-o", "stat=", "-p", "1"])?.chars().next(), Some('T'));
    let start = host.command(["systemctl", "start", "nix-gc.service"])?.timeout(Duration::from_secs(3)).run();
    assert!(start.is_err(), "a frozen systemd started a unit");
    assert_eq!(host.run(["echo", "alive"])?, "alive");
    host.freeze_init(false)?;
    host.run(["systemctl", "start", "nix-gc.service"])?;
    assert_eq!(host.run(["systemctl", "is-system-running"])?, "running");
    Ok(())
}

#[test]
fn any_process_can_be_frozen() -> Result<()> {
    let lab = lab(["web1"])?;
    let host = lab.host("web1");
    let pid = host.run(["systemctl", "show", "--value", "-p", "MainPID", "sshd.service"])?;
    host.signal("STOP", &pid)?;
    assert!(!host.answers_ssh());
    host.signal("CONT", &pid)?;
    assert!(host.answers_ssh());
    Ok(())
}
