//! Hosts are rebooted into new systems: once and kept when reached, back by themselves, or unguarded where that is wanted.

use anyhow::{Result, ensure};
use lab::Host;
use serde_json::Value;

use super::{
    fleet_runs::{Live, at_rest, json, motd, read_motd, signal, status},
    fleets::{self, FLEET, Fleet, profile, running},
    systems::{self, BOOT, EXTLINUX, GRUB, SOON},
};

/// Settings under which nobody waits for long.
const PATIENT: &str =
    r#"{ defaults = { confirmTimeout = "20s"; settle = "0s"; sshOptions = [ "ConnectTimeout=2" ]; }; }"#;

/// What a system carries so that reboots into it are guarded.
const MODULE: &str = include_str!("../../../../nix/modules/agent.nix");

/// The agent with its start unit, the one that the operator brings along.
pub(super) fn start_unit(fleet: &Fleet<'_>) -> Result<String> {
    fleet.operator.write(&format!("{FLEET}/agent.nix"), MODULE)?;
    fleet
        .operator
        .sh(&format!("cp /lab/bin/lockstep-agent {FLEET}/start && cd {FLEET} && git add start agent.nix"))?;
    Ok(r#"imports = [ ./agent.nix ];
          services.lockstep = {
            enable = true;
            package = pkgs.runCommand "lockstep-agent" { } "mkdir -p $out/bin; cp ${./start} $out/bin/lockstep-agent";
          };"#
        .to_owned())
}

fn boot_id(host: &Host<'_>) -> Result<String> {
    host.run(["cat", "/proc/sys/kernel/random/boot_id"])
}

/// The events of a stage's end on a host that has one.
fn stages(live: &[Value]) -> Vec<String> {
    let ended = live.iter().filter(|event| event["event"] == "stage-ended");
    ended.filter_map(|event| Some(event["stage"].as_str()?.to_owned())).collect()
}

/// A host of this loader is rebooted into a new system, guarded to the end.
fn boots_once_and_keeps(loader: &str) -> Result<()> {
    let lab = fleets::with_operator(["web1"])?.start()?;
    let mut fleet = Fleet::new(&lab, &["web1"])?;
    fleet.settings(PATIENT)?;
    let host = lab.host("web1");
    let base = format!("{loader} {}", start_unit(&fleet)?);
    move_to(&host, loader)?;
    let (old, boot) = (running(&host)?, boot_id(&host)?);
    fleet.define("web1", &format!("{base} {}", motd("new")))?;
    let done = json(&fleet, 0, &["deploy", "web1", "--mode", "boot", "--reboot", "--yes"])?;
    assert_eq!(done.result("web1")?["activated"]["ending"], "confirmed", "{:?}", done.events);
    let stages = stages(&done.events);
    ensure!(stages.ends_with(&["reboot".to_owned(), "confirm".to_owned()]), "{stages:?}");
    let new = at_rest(&host)?;
    ensure!(new != old && boot_id(&host)? != boot);
    assert_eq!(read_motd(&host)?, "new");
    assert_eq!(status(&fleet, "web1")?["in_step"], true);
    host.power_cycle()?;
    host.wait_ssh(BOOT)?;
    assert_eq!(at_rest(&host)?, new, "it is kept");
    Ok(())
}

/// The host runs and boots a system with this loader, whatever it had before.
fn move_to(host: &Host<'_>, loader: &str) -> Result<()> {
    if loader.is_empty() {
        return Ok(());
    }
    let [system] = systems::build(host, [loader])?;
    systems::set_profile(host, &system)?;
    systems::boot(host, &system)?;
    // What the loader before left behind is no longer anybody's.
    host.sh("rm -rf /boot/loader /boot/EFI; sync")?;
    systems::reboot(host)?;
    host.wait_ssh(BOOT)
}

#[test]
fn systemd_boot_boots_the_new_system_once_and_keeps_it_when_it_was_reached() -> Result<()> {
    boots_once_and_keeps("")
}

#[test]
fn grub_boots_the_new_system_once_and_keeps_it_when_it_was_reached() -> Result<()> {
    boots_once_and_keeps(GRUB)
}

#[test]
fn a_new_system_without_network_goes_back_to_the_old_one_by_itself() -> Result<()> {
    let lab = fleets::with_operator(["web1"])?.start()?;
    let mut fleet = Fleet::new(&lab, &["web1"])?;
    fleet.settings(PATIENT)?;
    let host = lab.host("web1");
    let (old, boot) = (running(&host)?, boot_id(&host)?);
    let unit = start_unit(&fleet)?;
    fleet.define("web1", &format!("{unit} networking.useDHCP = lib.mkForce false;"))?;
    let done = json(&fleet, 3, &["deploy", "web1", "--mode", "boot", "--reboot", "--yes"])?;
    done.expect("web1", ("rolled_back", "unconfirmed"), &[])?;
    host.wait_ssh(SOON)?;
    assert_eq!(at_rest(&host)?, old);
    assert_ne!(boot_id(&host)?, boot);
    assert_eq!(status(&fleet, "web1")?["in_step"], false);
    Ok(())
}

#[test]
fn an_operator_who_stops_while_the_host_reboots_gets_the_old_system_back() -> Result<()> {
    let lab = fleets::with_operator(["web1"])?.start()?;
    let mut fleet = Fleet::new(&lab, &["web1"])?;
    fleet.settings(PATIENT)?;
    let host = lab.host("web1");
    let old = running(&host)?;
    let unit = start_unit(&fleet)?;
    fleet.define("web1", &format!("{unit} {}", motd("unwanted")))?;
    let mut live = Live::of(&fleet, &["deploy", "web1", "--mode", "boot", "--reboot", "--yes"])?;
    live.until_stage("reboot")?;
    signal(&fleet.operator, "INT")?;
    let done = live.finish()?.insist(3)?;
    ensure!(done.result("web1")?["activated"]["ending"] == "rolled_back", "{:?}", done.events);
    host.wait_ssh(BOOT)?;
    assert_eq!(at_rest(&host)?, old);
    Ok(())
}

#[test]
fn a_reboot_that_nothing_guards_needs_a_word_of_its_own() -> Result<()> {
    let lab = fleets::with_operator(["web1"])?.start()?;
    let mut fleet = Fleet::new(&lab, &["web1"])?;
    fleet.settings(PATIENT)?;
    let host = lab.host("web1");
    move_to(&host, EXTLINUX)?;
    let (old, boot) = (running(&host)?, boot_id(&host)?);
    fleet.define("web1", &format!("{EXTLINUX} {}", motd("new")))?;
    let words = ["deploy", "web1", "--mode", "boot", "--reboot", "--yes"];
    let done = json(&fleet, 5, &words)?;
    let why = done.result("web1")?["skipped"]["why"].as_str().unwrap_or_default().to_owned();
    ensure!(why.contains("--unguarded") && why.contains("not guarded"), "{why}");
    assert_eq!((running(&host)?, profile(&host)?, boot_id(&host)?), (old.clone(), old.clone(), boot));
    let done = json(&fleet, 0, &[&words[..], &["--unguarded"]].concat())?;
    assert_eq!(done.result("web1")?["activated"]["ending"], "confirmed");
    ensure!(done.host("web1")?["notes"].to_string().contains("not guarded"), "{:?}", done.host("web1")?);
    ensure!(at_rest(&host)? != old);
    assert_eq!(read_motd(&host)?, "new");
    Ok(())
}

#[test]
fn a_system_that_refuses_a_switch_is_staged_or_rebooted_into_as_was_said() -> Result<()> {
    let lab = fleets::with_operator(["web1"])?.start()?;
    let mut fleet = Fleet::new(&lab, &["web1"])?;
    fleet.settings(PATIENT)?;
    let host = lab.host("web1");
    let unit = start_unit(&fleet)?;
    let broker =
        |version| format!("{unit} system.switch.inhibitors.dbus = \"broker {version}\"; {}", motd(version));
    fleet.define("web1", &broker("1"))?;
    fleet.expect(0, &["deploy", "web1"])?;
    let (old, boot) = (running(&host)?, boot_id(&host)?);
    fleet.define("web1", &broker("2"))?;
    json(&fleet, 1, &["deploy", "web1", "--yes"])?.expect("web1", ("failed", "refused"), &[])?;
    assert_eq!((running(&host)?, profile(&host)?), (old.clone(), old.clone()));

    fleet.settings(&PATIENT.replace("settle", r#"reboot.onInhibitor = "boot"; settle"#))?;
    for _ in 0..2 {
        let done = json(&fleet, 5, &["deploy", "web1", "--yes"])?;
        let why = done.result("web1")?["pending"]["why"].as_str().unwrap_or_default().to_owned();
        ensure!(why.contains("staged for the next boot") && why.contains("lockstep reboot web1"), "{why}");
        assert_eq!((running(&host)?, boot_id(&host)?), (old.clone(), boot.clone()));
    }
    ensure!(fleet.expect(0, &["status", "web1"])?.contains("the next boot brings another system"));
    json(&fleet, 0, &["reboot", "web1", "--yes"])?;
    assert_eq!(read_motd(&host)?, "2");

    fleet.define("web1", &broker("3"))?;
    let done = json(&fleet, 0, &["deploy", "web1", "--yes", "--reboot"])?;
    assert_eq!(done.result("web1")?["activated"]["ending"], "confirmed");
    ensure!(done.host("web1")?["notes"].to_string().contains("refuses a switch"), "{:?}", done.host("web1")?);
    assert_eq!(read_motd(&host)?, "3");
    at_rest(&host).map(drop)
}
