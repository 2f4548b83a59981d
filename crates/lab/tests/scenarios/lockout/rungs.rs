//! What only a reboot takes back: emergency mode, a frozen process 1, a network that stays broken.

use anyhow::Result;

use super::{
    Case, UNCONFIRMED,
    attempts::{Attempt, PLAIN, attempt},
    survived,
};
use crate::{
    fleet_runs::{Live, go_on, waiting},
    fleets::{self, Fleet, running},
};

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
            ..UNCONFIRMED
        },
        ..PLAIN
    },
];

#[test]
fn what_an_activation_does_not_take_back() -> Result<()> {
    attempt(STAYS)
}

#[test]
fn a_frozen_process_1() -> Result<()> {
    let lab = fleets::with_operator(["web1"])?.start()?;
    let mut fleet = Fleet::new(&lab, &["web1"])?;
    fleet.settings(
        r#"{ defaults = { settle = "0s"; activation.idle = "10s"; sshOptions = [ "ConnectTimeout=3" ]; }; }"#,
    )?;
    let host = lab.host("web1");
    let old = running(&host)?;
    fleet.define("web1", &waiting("frozen"))?;
    let mut live = Live::of(&fleet, &["deploy", "web1"])?;
    live.until_activates()?;
    host.freeze_init(true)?;
    go_on(&host)?;
    let done = live.finish()?;
    let case = Case {
        id: "C",
        happens: "Process 1 freezes during the switch: nothing can be started, stopped or asked.",
        cause: "activation",
        ..UNCONFIRMED
    };
    survived(&fleet, &host, &case, &done, &old)
}
