//! Operators come and go: they are killed, meet each other, hold, take back and look, and always learn the truth.

use anyhow::{Result, ensure};
use lab::{Host, wait};

use super::{
    fleet_runs::{
        Live, QUICK, as_other, at_rest, go_on, json, motd, nobody_left, read_motd, signal, slow, status,
        waiting,
    },
    fleets::{self, Fleet, profile, running},
    systems::{self, SOON},
};

/// A build that never ends, and is known by its time.
const ENDLESS: &str = r#"environment.etc."x".source = derivation { name = "endless"; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" "PATH=/bin:/usr/bin; sleep 54321" ]; };"#;

#[test]
fn an_operator_killed_before_the_order_leaves_the_host_as_it_was() -> Result<()> {
    let lab = fleets::with_operator(["web1"])?.start()?;
    let mut fleet = Fleet::new(&lab, &["web1"])?;
    fleet.settings(QUICK)?;
    let host = lab.host("web1");
    let old = running(&host)?;
    let big = format!(
        r#"{} environment.systemPackages = [ (pkgs.labPackage {{ pname = "big"; version = "1"; size = 30000000; }}) ];"#,
        motd("big")
    );
    host.limit_rate(Some(16_000))?;
    for (stage, system) in
        [("evaluate", motd("a")), ("connect", motd("b")), ("build", ENDLESS.to_owned()), ("ship", big)]
    {
        fleet.define("web1", &system)?;
        let mut live = Live::of(&fleet, &["deploy", "web1"])?;
        live.until_stage(stage)?;
        if stage == "build" {
            wait::until_true("the build to run", SOON, || builds(&fleet.operator))?;
        }
        signal(&fleet.operator, "KILL")?;
        live.finish()?.insist(128 + 9)?;
        nobody_left(&fleet.operator)?;
        assert_eq!(at_rest(&host)?, old, "{stage}");
        assert_eq!(status(&fleet, "web1")?["reached"], true, "{stage}");
    }
    host.limit_rate(None)?;
    fleet.expect(0, &["deploy", "web1"])?;
    assert_eq!((read_motd(&host)?.as_str(), at_rest(&host)? != old), ("big", true));
    Ok(())
}

fn builds(operator: &Host<'_>) -> bool {
    operator.output(["pgrep", "-x", "sleep"]).is_ok_and(|found| found.code() == 0)
}

#[test]
fn an_operator_killed_after_the_order_learns_how_it_ended() -> Result<()> {
    let lab = fleets::with_operator(["web1"])?.start()?;
    let mut fleet = Fleet::new(&lab, &["web1"])?;
    fleet.settings(QUICK)?;
    let host = lab.host("web1");
    // Not one that waits: this is the system that is gone back to later.
    fleet.define("web1", &slow("first", 4))?;
    let mut live = Live::of(&fleet, &["deploy", "web1"])?;
    live.until_activates()?;
    signal(&fleet.operator, "KILL")?;
    live.finish()?.insist(128 + 9)?;
    nobody_left(&fleet.operator)?;
    let done = json(&fleet, 0, &["attach", "web1"])?;
    assert_eq!(done.result("web1")?["activated"]["ending"], "confirmed");
    let first = at_rest(&host)?;
    assert_eq!((read_motd(&host)?.as_str(), status(&fleet, "web1")?["in_step"] == true), ("first", true));

    let check = r#"checks.never = { command = [ "sleep" "54321" ]; from = "operator"; timeout = "7s"; };"#;
    fleet.settings(&format!(r#"{{ defaults = {{ confirmTimeout = "8s"; settle = "0s"; {check} }}; }}"#))?;
    fleet.define("web1", &motd("second"))?;
    let mut live = Live::of(&fleet, &["deploy", "web1"])?;
    live.until_stage("confirm")?;
    assert_eq!(read_motd(&host)?, "second");
    signal(&fleet.operator, "KILL")?;
    live.finish()?.insist(128 + 9)?;
    nobody_left(&fleet.operator)?;
    assert_eq!(at_rest(&host)?, first);
    let known = status(&fleet, "web1")?;
    assert_eq!(known["seen"]["what"]["seen"]["last"]["cause"]["kind"], "unconfirmed", "{known:#}");
    let done = json(&fleet, 3, &["attach", "web1"])?;
    done.expect("web1", ("rolled_back", "unconfirmed"), &[])?;
    fleet.settings(QUICK)?;
    fleet.expect(0, &["deploy", "web1"])?;
    assert_eq!(read_motd(&host)?, "second");
    Ok(())
}

#[test]
fn of_two_operators_at_once_one_wins_and_the_other_is_told() -> Result<()> {
    let hosts = ["web1", "web2"];
    let lab = fleets::with_operator(hosts)?.start()?;
    let mut fleet = Fleet::new(&lab, &hosts)?;
    fleet.settings(QUICK)?;
    fleet.define("web1", &waiting("one"))?;
    let mut first = Live::of(&fleet, &["deploy", "web1"])?;
    first.until_activates()?;
    let second = Live::start(as_other(&fleet, &["deploy", "web1"])?)?.finish()?.insist(1)?;
    second.expect("web1", ("failed", "busy"), &["lockstep attach"])?;
    go_on(&lab.host("web1"))?;
    first.finish()?.insist(0)?;
    Live::start(as_other(&fleet, &["deploy", "web1"])?)?.finish()?.insist(0)?;

    // The second has looked at web2 before the first deploys there.
    fleet.define("web1", &waiting("two"))?;
    fleet.define("web2", &motd("two"))?;
    let words = ["deploy", "web1", "web2", "--batch", "1"];
    let mut second = Live::start(as_other(&fleet, &words)?)?;
    second.until("web2 waits", |event| {
        event["host"] == "web2" && event["event"] == "waits" && event["text"] == "the hosts before it"
    })?;
    fleet.expect(0, &["deploy", "web2"])?;
    go_on(&lab.host("web1"))?;
    let second = second.finish()?.insist(1)?;
    second.expect("web2", ("failed", "stale"), &["deploy again"])?;
    assert_eq!(second.result("web1")?["activated"]["ending"], "confirmed");
    Live::start(as_other(&fleet, &words)?)?.finish()?.insist(0)?;
    Ok(())
}

#[test]
fn two_operators_share_one_state_directory() -> Result<()> {
    let hosts = ["web1", "web2"];
    let lab = fleets::with_operator(hosts)?.start()?;
    let mut fleet = Fleet::new(&lab, &hosts)?;
    fleet.settings(QUICK)?;
    for host in hosts {
        fleet.define(host, &motd(host))?;
    }
    let both = [Live::of(&fleet, &["deploy", "web1"])?, Live::of(&fleet, &["deploy", "web2"])?];
    for live in both {
        live.finish()?.insist(0)?;
    }
    for host in hosts {
        let known = status(&fleet, host)?;
        ensure!(known["in_step"] == true && known["deployed"].is_object(), "{known:#}");
        assert_eq!(read_motd(&lab.host(host))?, host);
        at_rest(&lab.host(host))?;
    }
    Ok(())
}

#[test]
fn a_dead_owner_is_healed_and_a_change_by_hand_is_told() -> Result<()> {
    let lab = fleets::with_operator(["web1"])?.start()?;
    let mut fleet = Fleet::new(&lab, &["web1"])?;
    fleet.settings(QUICK)?;
    let host = lab.host("web1");
    let old = running(&host)?;
    fleet.define("web1", &motd("held"))?;
    fleet.expect(5, &["deploy", "web1", "--hold", "--confirm-timeout", "10m"])?;
    host.sh("pkill -KILL -f 'lockstep-agent (own|guard)'")?;
    fleet.define("web1", &motd("next"))?;
    fleet.expect(0, &["deploy", "web1"])?;
    let next = at_rest(&host)?;
    assert_eq!(read_motd(&host)?, "next");

    systems::set_profile(&host, &old)?;
    host.run([&format!("{old}/bin/switch-to-configuration"), "switch"])?;
    assert_eq!(running(&host)?, old);
    let known = status(&fleet, "web1")?;
    assert_eq!(known["in_step"], false, "{known:#}");
    let said = fleet.expect(0, &["deploy", "web1"])?;
    ensure!(said.contains("changed by hand"), "{said}");
    assert_eq!(at_rest(&host)?, next);
    Ok(())
}

#[test]
fn what_is_held_is_confirmed_taken_back_or_goes_back_by_itself() -> Result<()> {
    let lab = fleets::with_operator(["web1"])?.start()?;
    let mut fleet = Fleet::new(&lab, &["web1"])?;
    fleet.settings(QUICK)?;
    let host = lab.host("web1");
    let old = running(&host)?;
    fleet.define("web1", &motd("confirmed"))?;
    let said = fleet.expect(5, &["deploy", "web1", "--hold", "--confirm-timeout", "10m"])?;
    ensure!(said.contains("lockstep confirm web1"), "{said}");
    assert_eq!((read_motd(&host)?.as_str(), profile(&host)?), ("confirmed", old));
    let said = fleet.expect(0, &["status", "web1"])?;
    ensure!(said.contains("waits for a confirmation") && said.contains("lockstep abort web1"), "{said}");
    fleet.expect(0, &["confirm", "web1"])?;
    let confirmed = at_rest(&host)?;
    assert_eq!(read_motd(&host)?, "confirmed");
    let said = fleet.expect(0, &["confirm", "web1"])?;
    ensure!(said.contains("no activation goes on there"), "{said}");

    fleet.define("web1", &motd("aborted"))?;
    fleet.expect(5, &["deploy", "web1", "--hold", "--confirm-timeout", "10m"])?;
    json(&fleet, 3, &["abort", "web1"])?.expect("web1", ("rolled_back", "aborted"), &[])?;
    assert_eq!(at_rest(&host)?, confirmed);

    fleet.define("web1", &motd("forgotten"))?;
    fleet.expect(5, &["deploy", "web1", "--hold"])?;
    assert_eq!(at_rest(&host)?, confirmed);
    json(&fleet, 3, &["confirm", "web1"])?.expect("web1", ("rolled_back", "unconfirmed"), &[])?;
    Ok(())
}

#[test]
fn the_first_interrupt_takes_the_order_back_and_the_second_leaves() -> Result<()> {
    let lab = fleets::with_operator(["web1"])?.start()?;
    let mut fleet = Fleet::new(&lab, &["web1"])?;
    fleet.settings(QUICK)?;
    let host = lab.host("web1");
    let old = running(&host)?;
    fleet.define("web1", &waiting("never"))?;
    let mut live = Live::of(&fleet, &["deploy", "web1"])?;
    live.until_activates()?;
    signal(&fleet.operator, "INT")?;
    let done = live.finish()?.insist(3)?;
    done.expect("web1", ("rolled_back", "aborted"), &[])?;
    ensure!(done.stderr.contains("press Ctrl-C again to leave"), "{}", done.stderr);
    assert_eq!(at_rest(&host)?, old);

    let mut live = Live::of(&fleet, &["deploy", "web1"])?;
    live.until_activates()?;
    signal(&fleet.operator, "INT")?;
    live.until("the first interrupt", |event| {
        event["event"] == "note" && event["text"].as_str().is_some_and(|text| text.contains("stopped by"))
    })?;
    signal(&fleet.operator, "INT")?;
    let done = live.finish()?.insist(5)?;
    ensure!(done.stderr.contains("lockstep status"), "{}", done.stderr);
    nobody_left(&fleet.operator)?;
    assert_eq!(at_rest(&host)?, old);
    json(&fleet, 3, &["attach", "web1"])?.expect("web1", ("rolled_back", "aborted"), &[])
}
