//! `lockstep deploy --mode boot --reboot` to machines with real kernels and real boot loaders: a good system is kept,
//! and one that does not come up, or not so that it can be reached, is followed by the one before.

use std::fs;

use anyhow::{Result, ensure};
use lab::{Host, Lab, Loader, wait};

use super::agents::{self, promise};
use super::fleet_runs::{json, status};
use super::fleets::{FLEET, Fleet, running};
use super::systems::booted;
use super::vm::{BOOT, NAME, lab_with, module};

/// A machine is slow, and it depends on what else goes on here.
const SETTINGS: &str = r#"{ defaults = {
    settle = "0s"; confirmTimeout = "10m"; sshOptions = [ "ConnectTimeout=30" ];
    activation = { idle = "20m"; total = "30m"; }; reboot.timeout = "25m";
}; }"#;
/// The agent and its start unit.
const CARRIES_AGENT: &str = r#"imports = [ ./agent.nix ]; services.lockstep = {
    enable = true; panicTimeout = 5;
    package = pkgs.runCommand "lockstep-agent" { } "mkdir -p $out/bin; cp ${./lockstep-agent} $out/bin/lockstep-agent";
};"#;

/// What is wrong with a system, how that is told, what the machine says meanwhile, and how often it resets.
struct Fault {
    definition: &'static str,
    ending: (&'static str, &'static str),
    console: &'static str,
    resets: u32,
}

const FAULTS: [Fault; 3] = [
    // Without an initrd's init and the root's driver Linux itself gives up.
    Fault {
        definition: r#"boot.kernelParams = [ "rdinit=/missing" ];"#,
        ending: ("rolled_back", "boot-loader"),
        console: "Unable to mount root fs",
        resets: 2,
    },
    Fault {
        definition: r#"lab.vm.root = "/dev/vdz";"#,
        ending: ("rolled_back", "boot-loader"),
        console: "the root /dev/vdz did not appear",
        resets: 2,
    },
    Fault {
        definition: "networking.useDHCP = lib.mkForce false;",
        ending: ("rolled_back", "unconfirmed"),
        console: "",
        resets: 2,
    },
];

/// A fleet of the machine, whose systems carry the agent.
fn fleet_of(lab: &Lab) -> Result<Fleet<'_>> {
    let fleet = Fleet::new(lab, &[NAME])?;
    fleet.settings(SETTINGS)?;
    fleet.operator.write(&format!("{FLEET}/agent.nix"), agents::MODULE)?;
    fleet.operator.sh(&format!("cp /lab/bin/lockstep-agent {FLEET}/ && cd {FLEET} && git add ."))?;
    agents::install(&lab.host(NAME))?;
    Ok(fleet)
}

/// How often this stands on the machine's console, over all boots.
fn said(lab: &Lab, text: &str) -> Result<usize> {
    let bytes = fs::read(lab.dir().host(NAME).console())?;
    Ok(String::from_utf8_lossy(&bytes).matches(text).count())
}

/// The machine can be reached, runs and would boot `system`, and the operator knows.
fn settled(fleet: &Fleet<'_>, vm: &Host<'_>, system: &str, in_step: bool) -> Result<()> {
    wait::until("the machine to answer", BOOT, || vm.wait_ssh(BOOT))?;
    let (runs, started) = (running(vm)?, booted(vm)?);
    ensure!(runs == system && started == system, "it runs {runs} and booted {started}, not {system}");
    promise(vm, system)?;
    let told = status(fleet, NAME)?;
    ensure!(told["in_step"] == in_step, "{told:#}");
    Ok(())
}

fn reboots_into_what_comes_up(loader: Loader) -> Result<()> {
    let lab = lab_with(loader)?;
    let vm = lab.host(NAME);
    let mut fleet = fleet_of(&lab)?;
    let (base, boots) = (format!("{} {CARRIES_AGENT}", module(loader)), vm.status()?.boots);
    let old = running(&vm)?;
    let deploy = ["deploy", NAME, "--mode", "boot", "--reboot", "--yes"];

    fleet.define(NAME, &base)?;
    let done = json(&fleet, 0, &deploy)?;
    ensure!(done.result(NAME)?["activated"]["ending"] == "confirmed", "{:?}", done.events);
    let good = running(&vm)?;
    ensure!(
        good != old && vm.status()?.boots == boots + 1,
        "{good} after {old} and {boots} boots: {:?}",
        vm.status()?
    );
    settled(&fleet, &vm, &good, true)?;

    for fault in &FAULTS {
        let (before, heard) = (vm.status()?.boots, said(&lab, fault.console)?);
        fleet.define(NAME, &format!("{base} {}", fault.definition))?;
        let done = json(&fleet, 3, &[&deploy[..], &["--confirm-timeout", "2m"]].concat())?;
        done.expect(NAME, fault.ending, &[])?;
        let status = vm.status()?;
        ensure!(
            status.boots == before + fault.resets,
            "{}: {before} boots, then {status:?}",
            fault.definition
        );
        let hears = said(&lab, fault.console)?;
        ensure!(
            hears > heard,
            "{}: its console has '{}' {hears} times still",
            fault.definition,
            fault.console
        );
        settled(&fleet, &vm, &good, false)?;
    }
    Ok(())
}

#[test]
fn systemd_boot_tries_once_and_comes_back_from_a_panic_no_root_and_no_network() -> Result<()> {
    reboots_into_what_comes_up(Loader::SystemdBoot)
}

#[test]
fn grub_tries_once_and_comes_back_from_a_panic_no_root_and_no_network() -> Result<()> {
    reboots_into_what_comes_up(Loader::Grub)
}
