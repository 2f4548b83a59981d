//! What only a reboot takes back: emergency mode, a frozen process 1, a network that stays broken.

use anyhow::{Result, ensure};
use lab::{wait, wire::Power};

use super::{
    BACK, CONFIRMED, Case, UNCONFIRMED, all,
    attempts::{Attempt, PLAIN, attempt},
    survived,
};
use crate::{
    fleet_reboots_into::start_unit,
    fleet_runs::{Live, go_on},
    fleets::{self, Fleet, running},
    systems::SOON,
};

/// What a rollback says that needed a reboot.
const REBOOTED: &str = "the host was rebooted into its boot default";
/// What comes from the operator is thrown away, until the next boot; the old system knows nothing of it.
const BLACKHOLE: &str = r#"networking.localCommands = "ip route add blackhole OPERATOR/32";"#;

/// What an activation of the old system does not take back.
const STAYS: &[Attempt] = &[
    Attempt {
        host: "mount",
        change: r#"fileSystems."/data" = { device = "none"; fsType = "no-such-type"; };"#,
        case: Case {
            id: "B",
            happens: "A mount of the new system fails: systemd goes into emergency mode, without ssh and D-Bus.",
            cause: "activation",
            told: &[REBOOTED],
            ..UNCONFIRMED
        },
        ..PLAIN
    },
    Attempt {
        host: "route",
        change: BLACKHOLE,
        case: Case {
            id: "D",
            happens: "The host goes back, but a route of the new system stays, and nobody reaches it.",
            told: &[REBOOTED],
            ..UNCONFIRMED
        },
        ..PLAIN
    },
    Attempt {
        host: "stays",
        before: r#"systemd.services.stays = { wantedBy = [ "multi-user.target" ]; script = "sleep infinity"; serviceConfig = { ExecStop = "/bin/sleep infinity"; TimeoutStopSec = "infinity"; }; };"#,
        change: r#"networking.localCommands = "ip route add blackhole OPERATOR/32"; systemd.services.stays = { wantedBy = [ "multi-user.target" ]; script = "sleep infinity"; serviceConfig = { ExecStop = "/bin/sleep infinity"; TimeoutStopSec = "infinity"; }; };"#,
        case: Case {
            id: "P",
            happens: "The same, and the reboot that helps hangs in a service that does not stop.",
            told: &[REBOOTED],
            ..UNCONFIRMED
        },
        ..PLAIN
    },
];

#[test]
fn what_an_activation_does_not_take_back() -> Result<()> {
    attempt(STAYS)
}

/// An activation that goes on once it is told to.
const HALTS: &str = r#"system.activationScripts.halts = "touch /run/halts; while ! rm /run/go-on 2> /dev/null; do sleep 0.05; done";"#;

#[test]
fn a_frozen_process_1() -> Result<()> {
    let lab = fleets::with_operator(["web1"])?.start()?;
    let mut fleet = Fleet::new(&lab, &["web1"])?;
    fleet.settings(
        r#"{ defaults = { settle = "0s"; activation.idle = "10s"; sshOptions = [ "ConnectTimeout=3" ]; }; }"#,
    )?;
    let host = lab.host("web1");
    let old = running(&host)?;
    fleet.define("web1", HALTS)?;
    let live = Live::of(&fleet, &["deploy", "web1"])?;
    wait::until("the activation", SOON, || host.run(["test", "-e", "/run/halts"]))?;
    host.freeze_init(true)?;
    go_on(&host)?;
    let done = live.finish()?;
    let case = Case {
        id: "C",
        happens: "Process 1 freezes during the switch: nothing can be started, stopped or asked.",
        cause: "activation",
        told: &[REBOOTED],
        ..UNCONFIRMED
    };
    survived(&fleet, &host, &case, &done, &old)
}

/// Hosts that are rebooted into new systems, and what these are like beside the agent's start unit.
const BOOTS: [(&str, &str, Case); 4] = [
    (
        "panics",
        r#"lab.init = "panic";"#,
        Case {
            id: "J",
            happens: "A reboot into a system that panics; somebody switches the host off and on.",
            cause: "boot-loader",
            ..UNCONFIRMED
        },
    ),
    (
        "hangs",
        r#"lab.init = "hang";"#,
        Case {
            id: "J-hang",
            happens: "A reboot into a system that hangs; somebody switches the host off and on.",
            cause: "boot-loader",
            ..UNCONFIRMED
        },
    ),
    (
        "mute",
        "services.openssh.openFirewall = false;",
        Case { id: "J-network", happens: "A reboot into a system that lets nobody in.", ..UNCONFIRMED },
    ),
    ("kept", "", Case { id: "J-kept", happens: "A reboot into a system that is well.", ..CONFIRMED }),
];

#[test]
fn reboots_into_new_systems() -> Result<()> {
    let names = BOOTS.map(|(name, ..)| name);
    let lab = fleets::with_operator(names)?.start()?;
    let mut fleet = Fleet::new(&lab, &names)?;
    fleet.settings(
        r#"{ defaults = { confirmTimeout = "40s"; settle = "0s"; sshOptions = [ "ConnectTimeout=3" ]; }; }"#,
    )?;
    let unit = start_unit(&fleet)?;
    for (name, definitions, _) in BOOTS {
        fleet.define(name, &format!("{unit} {definitions}"))?;
    }
    let old = names.map(|name| running(&lab.host(name)));
    let live = Live::of(&fleet, &["deploy", "--all", "--yes", "--mode", "boot", "--reboot"])?;
    for name in ["panics", "hangs"] {
        let host = lab.host(name);
        wait::until("the boot of the new system", BACK, || {
            let status = host.status()?;
            ensure!(status.boots == 2 && (name == "hangs" || status.power == Power::Panicked { code: 1 }));
            Ok(())
        })?;
        host.power_cycle()?;
    }
    let done = live.finish()?;
    all(BOOTS.iter().zip(old).map(|((name, _, case), old)| {
        let (host, old) = (lab.host(name), old?);
        let kept = case.ending == "confirmed";
        let now = if kept { running(&host)? } else { old.clone() };
        ensure!(kept == (now != old), "{name} runs {now}");
        survived(&fleet, &host, case, &done, &now)
    }))
}
