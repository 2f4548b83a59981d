//! Hosts are rebooted by their operator, alone and into new systems; what does not come back, or not as it should, is
//! told.

use anyhow::{Context, Result, ensure};
use lab::{Host, wait};
use serde_json::Value;

use super::{
    fleet_runs::{Done, Live, QUICK, at_rest, json, motd, read_motd, signal, status},
    fleets::{self, Fleet, running},
    systems::{BOOT, SOON},
};

/// What is kept over a switch and lost in a boot.
const FLAG: &str = "/run/only-in-this-boot";

fn boot_id(host: &Host<'_>) -> Result<String> {
    host.run(["cat", "/proc/sys/kernel/random/boot_id"])
}

/// A service that holds a shutdown up for ever.
fn hold_up(host: &Host<'_>) -> Result<()> {
    let properties =
        ["ExecStop=/bin/sleep 9999", "TimeoutStopSec=9999", "RemainAfterExit=yes", "SendSIGKILL=no"];
    let properties = properties.map(|property| format!("--property={property}"));
    let mut words = vec!["systemd-run", "--unit=holds-up"];
    words.extend(properties.iter().map(String::as_str));
    words.push("/bin/true");
    host.command(words)?.run()?;
    Ok(())
}

/// When the stage of a reboot began and ended on this host, as places in the stream of events.
fn reboot_of(done: &Done, host: &str) -> Result<(usize, usize)> {
    let place = |event: &str| {
        let is =
            |found: &Value| found["event"] == event && found["stage"] == "reboot" && found["host"] == host;
        done.events.iter().position(is).with_context(|| format!("{host} has no {event}"))
    };
    Ok((place("stage-began")?, place("stage-ended")?))
}

#[test]
fn three_hosts_are_rebooted_one_at_a_time_and_the_gateway_last() -> Result<()> {
    let hosts = ["a-gateway", "web1", "web2"];
    let lab = fleets::with_operator(hosts)?.start()?;
    let fleet = Fleet::new(&lab, &hosts)?;
    fleet.settings(r#"{ hosts.a-gateway.gatewayFor = [ "web*" ]; }"#)?;
    let before = hosts.map(|name| boot_id(&lab.host(name)));
    let done = json(&fleet, 0, &["reboot", "--all"])?;
    for (name, before) in hosts.into_iter().zip(before) {
        assert_eq!(*done.result(name)?, "done");
        assert_ne!(boot_id(&lab.host(name))?, before?, "{name} has another boot");
        at_rest(&lab.host(name))?;
    }
    let [gateway, web1, web2] = hosts.map(|name| reboot_of(&done, name));
    let mut others = [web1?, web2?];
    others.sort_unstable();
    ensure!(others[0].1 < others[1].0, "one at a time: {others:?}");
    ensure!(others[1].1 < gateway?.0, "the gateway last: {others:?}");
    assert_eq!(status(&fleet, "web1")?["deployed"], Value::Null, "a reboot is no deploy");
    Ok(())
}

#[test]
fn after_a_host_that_does_not_come_back_no_other_is_rebooted() -> Result<()> {
    let hosts = ["web1", "web2"];
    let lab = fleets::with_operator(hosts)?.start()?;
    let fleet = Fleet::new(&lab, &hosts)?;
    fleet.settings(r#"{ defaults = { reboot.timeout = "20s"; sshOptions = [ "ConnectTimeout=2" ]; }; }"#)?;
    let [web1, web2] = hosts.map(|name| lab.host(name));
    let other = boot_id(&web2)?;
    let system = running(&web1)?;
    hold_up(&web1)?;
    let mut live = Live::of(&fleet, &["reboot", "web*", "--yes"])?;
    live.until("that it goes down", |event| event["text"] == "goes down")?;
    wait::until_true("web1 to go down", SOON, || !web1.answers_ssh())?;
    web1.cut_power()?;
    let done = live.finish()?.insist(4)?;
    let name = system.trim_start_matches("/nix/store/");
    done.expect(
        "web1",
        ("failed", "not-back"),
        &["has not come back within 20s", name, "its boot loader names"],
    )?;
    assert_eq!(
        done.result("web2")?["skipped"]["why"].as_str().map(|why| why.contains("--keep-going")),
        Some(true)
    );
    assert_eq!(boot_id(&web2)?, other);
    ensure!(status(&fleet, "web1")?["unreachable_since"].is_u64(), "web1 is known to be away");

    let done = json(&fleet, 5, &["reboot", "web*", "--yes"])?;
    done.expect("web1", ("failed", "offline"), &[])?;
    assert_ne!(boot_id(&web2)?, other, "what is off from the beginning stops nobody");
    web1.power_on()?;
    web1.wait_ssh(BOOT)?;
    assert_eq!(at_rest(&web1)?, system);
    assert_eq!(status(&fleet, "web1")?["unreachable_since"], Value::Null);
    Ok(())
}

#[test]
fn what_fails_after_the_boot_is_told_and_keep_going_goes_on() -> Result<()> {
    let hosts = ["checked", "good", "units"];
    let lab = fleets::with_operator(hosts)?.start()?;
    let mut fleet = Fleet::new(&lab, &hosts)?;
    fleet.settings(&format!(
        r#"{{ defaults = {{ settle = "0s"; }};
             hosts.checked.checks.flag = {{ command = [ "test" "-e" "{FLAG}" ]; timeout = "3s"; }}; }}"#
    ))?;
    let needs = format!(
        r#"systemd.services.needs = {{ wantedBy = [ "multi-user.target" ]; script = "test -e {FLAG}"; serviceConfig.Type = "oneshot"; }};"#
    );
    fleet.define("units", &needs)?;
    fleet.define("checked", &motd("checked"))?;
    for name in ["units", "checked"] {
        lab.host(name).write(FLAG, "")?;
    }
    fleet.expect(0, &["deploy", "units", "checked"])?;
    let done = json(&fleet, 1, &["reboot", "--all", "--keep-going"])?;
    done.expect("units", ("failed", "units"), &["needs.service"])?;
    done.expect("checked", ("failed", "check"), &["flag"])?;
    assert_eq!(*done.result("good")?, "done");
    for name in hosts {
        lab.host(name).wait_ssh(SOON)?;
    }
    let again = json(&fleet, 0, &["reboot", "units", "--yes"])?;
    assert_eq!(*again.result("units")?, "done", "what had failed before is not new");
    Ok(())
}

#[test]
fn a_host_with_an_activation_that_has_not_ended_is_not_rebooted() -> Result<()> {
    let lab = fleets::with_operator(["web1"])?.start()?;
    let mut fleet = Fleet::new(&lab, &["web1"])?;
    fleet.settings(r#"{ defaults = { settle = "0s"; }; }"#)?;
    let host = lab.host("web1");
    let boot = boot_id(&host)?;
    fleet.define("web1", &motd("held"))?;
    fleet.expect(5, &["deploy", "web1", "--hold"])?;
    let done = json(&fleet, 1, &["reboot", "web1", "--yes"])?;
    done.expect("web1", ("failed", "busy"), &["lockstep abort"])?;
    fleet.expect(0, &["confirm", "web1"])?;
    assert_eq!(boot_id(&host)?, boot);
    json(&fleet, 0, &["reboot", "web1", "--yes"])?;
    assert_ne!(boot_id(&host)?, boot);
    assert_eq!(read_motd(&host)?, "held");
    at_rest(&host).map(drop)
}

#[test]
fn an_operator_who_stops_waiting_leaves_the_reboot_to_the_host() -> Result<()> {
    let hosts = ["web1", "web2"];
    let lab = fleets::with_operator(hosts)?.start()?;
    let fleet = Fleet::new(&lab, &hosts)?;
    fleet.settings(QUICK)?;
    let [web1, web2] = hosts.map(|name| lab.host(name));
    let (first, other, boots) = (boot_id(&web1)?, boot_id(&web2)?, web1.status()?.boots);
    let mut live = Live::of(&fleet, &["reboot", "web1", "web2", "--yes"])?;
    live.until("that it goes down", |event| event["text"] == "goes down")?;
    signal(&fleet.operator, "INT")?;
    let done = live.finish()?.insist(5)?;
    ensure!(
        done.result("web1")?["pending"]["why"].as_str().is_some_and(|why| why.contains("lockstep status"))
    );
    ensure!(done.result("web2")?["skipped"].is_object());
    wait::until_true("web1 to reboot", BOOT, || web1.status().is_ok_and(|status| status.boots > boots))?;
    web1.wait_ssh(BOOT)?;
    assert_ne!(boot_id(&web1)?, first);
    assert_eq!(boot_id(&web2)?, other);
    at_rest(&web1).map(drop)
}
