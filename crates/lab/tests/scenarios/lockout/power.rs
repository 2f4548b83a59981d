//! Power cuts at each stage of an activation, over both outcomes.

use anyhow::{Result, ensure};

use super::{CONFIRMED, Case, UNCONFIRMED, all, survived, wait_state};
use crate::{
    fleet_runs::{Live, json, motd, nobody_left, signal, waiting},
    fleets::{self, Fleet, running},
    systems::BOOT,
};

/// A check that never ends, made where it says.
const NEVER: &str = r#"checks.never = { command = [ "sleep" "54321" ]; timeout = "9m"; };"#;
const NEVER_HERE: &str =
    r#"checks.never = { command = [ "sleep" "54321" ]; from = "operator"; timeout = "9m"; };"#;
/// A system whose activation waits if it is gone back to.
const WAITS: &str = r#"system.activationScripts.waits = "while [ -e /run/way-back ]; do sleep 0.1; done";"#;
const FAILS: &str = r#"systemd.services.fails = { wantedBy = [ "multi-user.target" ]; serviceConfig = { Type = "oneshot"; ExecStartPre = "${pkgs.coreutils}/bin/touch /run/way-back"; ExecStart = "${pkgs.coreutils}/bin/false"; }; };"#;

/// A host, which is called as the state of its journal in which its power is cut.
struct Cut {
    host: &'static str,
    settings: &'static str,
    change: String,
    case: Case,
}

fn cuts() -> [Cut; 7] {
    let case = Case { cause: "interrupted", ..UNCONFIRMED };
    let cut = |host, settings, change: &str, case| Cut { host, settings, change: change.to_owned(), case };
    let switching =
        Case { id: "power-switching", happens: "The power is cut while units are switched.", ..case };
    let checking =
        Case { id: "power-checking", happens: "The power is cut while the checks are tried.", ..case };
    let awaiting = Case {
        id: "power-awaiting-confirm",
        happens: "The power is cut while a confirmation is waited for.",
        ..case
    };
    let committing = Case {
        id: "power-committing",
        happens: "The power is cut after the confirmation, before the new system is the boot default.",
        ..case
    };
    let reverting =
        Case { id: "power-reverting", happens: "The power is cut on the way back.", cause: "units", ..case };
    let back = Case {
        id: "power-rolled-back",
        happens: "The power is cut at once after a rollback.",
        cause: "units",
        ..case
    };
    let kept = Case {
        id: "power-confirmed",
        happens: "The power is cut at once after a confirmation.",
        ..CONFIRMED
    };
    [
        cut("switching", "", &waiting("cut"), switching),
        cut("checking", NEVER, &motd("cut"), checking),
        cut("awaiting-confirm", NEVER_HERE, &motd("cut"), awaiting),
        cut("committing", "", "lab.loader.slowSeconds = 100;", committing),
        cut("reverting", "", FAILS, reverting),
        cut("rolled-back", "", &FAILS.replace("touch", "true"), back),
        cut("confirmed", "", &motd("kept"), kept),
    ]
}

#[test]
fn cuts_at_each_stage() -> Result<()> {
    let cuts = cuts();
    let names: Vec<&str> = cuts.iter().map(|cut| cut.host).collect();
    let lab = fleets::with_operator([])?.hosts(names.iter().copied()).start()?;
    let mut fleet = Fleet::new(&lab, &names)?;
    fleet.settings(r#"{ defaults.settle = "0s"; }"#)?;
    fleet.define("reverting", WAITS)?;
    fleet.expect(0, &["deploy", "reverting"])?;
    let old: Vec<String> = names.iter().map(|name| running(&lab.host(name))).collect::<Result<_>>()?;
    let hosts = cuts.iter().map(|cut| format!("\"{}\" = {{ {} }};", cut.host, cut.settings));
    fleet.settings(&format!(
        r#"{{ defaults = {{ settle = "0s"; confirmTimeout = "10m"; }}; hosts = {{ {} }}; }}"#,
        hosts.collect::<String>()
    ))?;
    for cut in &cuts {
        fleet.define(cut.host, &cut.change)?;
        lab.host(cut.host).run(["sync"])?;
    }
    let live = Live::of(&fleet, &["deploy", "--all", "--yes"])?;
    for cut in &cuts {
        wait_state(&lab.host(cut.host), cut.host)?;
    }
    signal(&fleet.operator, "KILL")?;
    live.finish()?.insist(128 + 9)?;
    nobody_left(&fleet.operator)?;
    for name in &names {
        lab.host(name).cut_power()?;
    }
    for name in &names {
        lab.host(name).power_on()?;
    }
    all(cuts.iter().zip(old).map(|(cut, old)| {
        let host = lab.host(cut.host);
        host.wait_ssh(BOOT)?;
        let confirmed = cut.case.ending == "confirmed";
        let done = json(&fleet, if confirmed { 0 } else { 3 }, &["attach", cut.host])?;
        let now = if confirmed { running(&host)? } else { old.clone() };
        ensure!(confirmed == (now != old), "{} runs {now}", cut.host);
        survived(&fleet, &host, &cut.case, &done, &now)
    }))
}
