//! What operators ask of their hosts: status, history, older generations, and any program.

use anyhow::{Result, ensure};
use lab::Host;

use super::{
    fleet_runs::{QUICK, at_rest, json, motd, read_motd, status},
    fleets::{self, Fleet, profile, running},
    systems,
};

/// A line of a table.
fn row<'a>(said: &'a str, host: &str) -> &'a str {
    said.lines().find(|line| line.split_whitespace().next() == Some(host)).unwrap_or_default()
}

#[test]
fn status_tells_what_is_wrong_with_each_host() -> Result<()> {
    let hosts = ["fails", "fresh", "kernel", "off", "waits"];
    let lab = fleets::with_operator(hosts)?.start()?;
    let mut fleet = Fleet::new(&lab, &hosts)?;
    fleet.settings(QUICK)?;
    for host in hosts {
        fleet.define(host, &motd("first"))?;
    }
    fleet.define("kernel", r#"lab.kernel.version = "9.9.9"; boot.kernelParams = [ "quieter" ];"#)?;
    fleet.expect(0, &["deploy", "fails", "kernel", "off", "waits"])?;
    fleet.define("waits", &motd("second"))?;
    fleet.expect(5, &["deploy", "waits", "--hold", "--confirm-timeout", "10m"])?;
    lab.host("fails").output(["systemd-run", "--quiet", "--wait", "--unit=broken", "false"])?;
    lab.host("off").cut_power()?;

    fleet.expect(5, &["status"])?;
    let since = status(&fleet, "off")?["unreachable_since"].clone();
    let said = fleet.expect(5, &["status"])?;
    let rows = [
        ("fails", "in step"),
        ("fresh", "never deployed"),
        ("kernel", "in step"),
        ("off", "offline "),
        ("waits", "waits"),
    ];
    for (host, state) in rows {
        ensure!(row(&said, host).contains(state), "{host} is not {state}:\n{said}");
    }
    for part in [
        "fails: failed units: broken.service",
        "kernel: complete after a reboot only: ",
        "waits for a confirmation",
    ] {
        ensure!(said.contains(part), "'{part}' is not told:\n{said}");
    }
    let known = status(&fleet, "kernel")?;
    let reasons = known["seen"]["what"]["seen"]["reboot"].to_string();
    for reason in ["kernel", "quieter"] {
        ensure!(reasons.contains(reason), "{reasons}");
    }
    let off = status(&fleet, "off")?;
    ensure!(off["reached"] == false && off["cause"]["kind"] == "offline", "{off:#}");
    ensure!(since.is_u64() && off["unreachable_since"] == since, "{off:#}");
    ensure!(off["seen"].is_object() || off["deployed"].is_object(), "{off:#}");
    let waits = status(&fleet, "waits")?;
    let pending = &waits["seen"]["what"]["seen"]["pending"];
    ensure!(pending["awaits_confirm"] == true && pending["left_millis"].is_u64(), "{waits:#}");
    let fresh = status(&fleet, "fresh")?;
    ensure!(fresh["expected"].is_null() && fresh["in_step"].is_null(), "{fresh:#}");

    systems::reboot(&lab.host("kernel"))?;
    let known = status(&fleet, "kernel")?;
    assert_eq!(known["seen"]["what"]["seen"]["reboot"].as_array().map_or(0, Vec::len), 0, "{known:#}");
    Ok(())
}

/// The deploys of a test, each of another text.
fn deploy_each(fleet: &mut Fleet<'_>, texts: &[&str]) -> Result<()> {
    texts.iter().try_for_each(|text| {
        fleet.define("web1", &motd(text))?;
        fleet.expect(0, &["deploy", "web1"]).map(drop)
    })
}

#[test]
fn a_host_goes_back_to_older_generations_and_tells_its_history() -> Result<()> {
    let lab = fleets::with_operator(["web1"])?.start()?;
    let mut fleet = Fleet::new(&lab, &["web1"])?;
    fleet.settings(QUICK)?;
    let host = lab.host("web1");
    let original = running(&host)?;
    deploy_each(&mut fleet, &["one", "two"])?;
    let two = running(&host)?;
    fleet.expect(0, &["rollback", "web1"])?;
    assert_eq!((read_motd(&host)?.as_str(), profile(&host)? == at_rest(&host)?), ("one", true));
    fleet.expect(0, &["rollback", "web1", "--to", "1"])?;
    assert_eq!(at_rest(&host)?, original);
    let said = fleet.expect(0, &["rollback", "web1", "--to", "3"])?;
    assert_eq!(at_rest(&host)?, two, "{said}");
    let said = fleet.expect(1, &["rollback", "web1", "--to", "99"])?;
    ensure!(said.contains("no generation 99") && said.contains("3, 2, 1"), "{said}");
    assert_eq!(at_rest(&host)?, two);

    let said = fleet.expect(0, &["history", "web1"])?;
    assert_eq!(said.matches("confirmed").count(), 5, "{said}");
    let done = json(&fleet, 0, &["history", "web1", "--limit", "2"])?;
    let history = &done.events[0];
    assert_eq!(history["event"], "history", "{history:#}");
    for what in ["activations", "generations"] {
        assert_eq!(history[what].as_array().map_or(0, Vec::len), 2, "{history:#}");
    }
    assert_eq!(history["activations"][0]["system"], two, "{history:#}");
    // The system that a reboot would bring up is the one that was gone back to.
    host.sh("sync")?;
    systems::power_cycle(&host)?;
    assert_eq!(running(&host)?, two);
    Ok(())
}

#[test]
fn programs_get_their_words_as_they_are_and_tell_how_they_ended() -> Result<()> {
    let hosts = ["off", "web1", "web2"];
    let lab = fleets::with_operator(hosts)?.start()?;
    let fleet = Fleet::new(&lab, &hosts)?;
    lab.host("off").cut_power()?;
    let words = ["a  b", "it's", r#""q""#, "$HOME", "*", "", "\\n", "--json", "ü"];
    let command = [&["exec", "web*", "--", "printf", "<%s>\\n"], &words[..]].concat();
    let done = fleet.run(&command)?;
    let said = done.stdout_text();
    ensure!(done.code() == 0, "{said}{}", done.stderr_text());
    for host in ["web1", "web2"] {
        let found: Vec<&str> =
            said.lines().filter_map(|line| line.strip_prefix(&format!("{host} | "))).collect();
        let expected: Vec<String> = words.iter().map(|word| format!("<{word}>")).collect();
        assert_eq!(found, expected, "{said}");
    }

    let script = "echo out; echo err >&2; test $(hostname) = web1";
    let done = fleet.run(&["exec", "web1", "web2", "--", "sh", "-c", script])?;
    let (out, err) = (done.stdout_text(), done.stderr_text());
    assert_eq!(done.code(), 1, "{out}{err}");
    for (text, part) in [
        (&out, "web1 | out"),
        (&out, "web2 | out"),
        (&err, "web1 | err"),
        (&err, "web2 | err"),
        (&err, "web2: exited with 1"),
    ] {
        ensure!(text.contains(part), "'{part}' is missing:\n{out}\n{err}");
    }
    ensure!(!err.contains("web1: exited"), "{err}");
    let said = fleet.expect(1, &["exec", "web1", "--", "no-such-program"])?;
    ensure!(said.contains("no-such-program"), "{said}");
    let said = fleet.expect(1, &["exec", "web1", "--", "sh", "-c", "kill -9 $$"])?;
    ensure!(said.contains("web1: was killed by signal 9"), "{said}");
    let said = fleet.expect(1, &["exec", "web1", "--timeout", "1s", "--", "sleep", "54321"])?;
    ensure!(said.contains("its time was over"), "{said}");
    none_sleeps(&lab.host("web1"))?;
    let said = fleet.expect(5, &["exec", "--all", "--", "true"])?;
    ensure!(said.contains("off: "), "{said}");
    fleet.expect(2, &["exec", "--", "true"])?;

    fleet.expect(2, &["exec", "web1"])?;
    let said = fleet.expect(0, &["show", "web1"])?;
    for part in ["confirmTimeout", "built in", "addresses"] {
        ensure!(said.contains(part), "'{part}' is not shown:\n{said}");
    }
    fleet.settings(r#"{ defaults.tags = [ "all" ]; hosts.web1.confirmTimeout = "77s"; }"#)?;
    let said = fleet.expect(0, &["show", "web1"])?;
    for part in ["1m17s", "lockstep.hosts.web1.confirmTimeout", "lockstep.defaults.tags"] {
        ensure!(said.contains(part), "'{part}' is not shown:\n{said}");
    }
    ensure!(fleet.expect(0, &["show"])?.contains("@all"));
    Ok(())
}

fn none_sleeps(host: &Host<'_>) -> Result<()> {
    let left = host.output(["pgrep", "-a", "-x", "sleep"])?.stdout_text();
    ensure!(!left.contains("54321"), "{left}");
    Ok(())
}
