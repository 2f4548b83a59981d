//! What becomes of systems that do not hold, what is said of it, and what is kept and shown afterwards.

use anyhow::{Context, Result, ensure};
use lab::Host;

use super::{
    fleet_runs::{Done, Live, QUICK, at_rest, json, motd, read_motd, slow, status},
    fleets::{self, Fleet, profile, running},
};

/// A oneshot that ends as `test` does.
fn oneshot(name: &str, condition: &str) -> String {
    format!(
        r#"systemd.services.{name} = {{ wantedBy = [ "multi-user.target" ]; path = [ pkgs.coreutils ]; script = "echo {name} looks; test {condition}"; serviceConfig = {{ Type = "oneshot"; RemainAfterExit = true; }}; }};"#
    )
}

/// A system whose `switch-to-configuration` ends so, doing nothing, when it is called for this.
fn lies(action: &str, code: u32) -> String {
    format!(
        r#"system.systemBuilderCommands = lib.mkAfter ''
          mv $out/bin/switch-to-configuration $out/bin/real
          printf '%s\n' '#!/bin/sh' 'case $1 in {action}) echo the words of a liar; exit {code};; esac' "exec $out/bin/real \"\$@\"" > $out/bin/switch-to-configuration
          chmod +x $out/bin/switch-to-configuration
        '';"#
    )
}

#[test]
fn systems_that_do_not_hold_go_back_and_say_why() -> Result<()> {
    let hosts = ["before", "liar", "newly", "two"];
    let lab = fleets::with_operator(hosts)?.start()?;
    let mut fleet = Fleet::new(&lab, &hosts)?;
    fleet.settings(QUICK)?;
    let flaky = oneshot("flaky", "-e /run/well");
    fleet.define("before", &flaky)?;
    let before = lab.host("before");
    before.write("/run/well", "")?;
    fleet.expect(0, &["deploy", "before"])?;
    before.run(["rm", "/run/well"])?;
    before.output(["systemctl", "restart", "flaky.service"])?;

    let old = hosts.map(|name| running(&lab.host(name)));
    fleet.define("before", &format!("{flaky} {}", motd("on")))?;
    fleet.define("liar", &lies("test", 0))?;
    fleet.define("newly", &oneshot("fails", "-z x"))?;
    fleet.define("two", r#"system.activationScripts.bad = "echo half a way; false";"#)?;
    let done = json(&fleet, 3, &["deploy", "--all", "--yes"])?;
    assert_eq!(done.result("before")?["activated"]["ending"], "confirmed");
    done.expect("newly", ("rolled_back", "units"), &["fails.service", "fails looks"])?;
    done.expect("two", ("rolled_back", "activation"), &["exited with 2"])?;
    done.expect("liar", ("rolled_back", "activation"), &["reported success"])?;
    for (name, old) in hosts.into_iter().zip(old) {
        let host = lab.host(name);
        assert_eq!(at_rest(&host)? == old?, name != "before", "{name}");
    }
    let known = status(&fleet, "before")?;
    assert_eq!(known["seen"]["what"]["seen"]["failed"], serde_json::json!(["flaky.service"]), "{known:#}");

    let said = fleet.expect(3, &["deploy", "newly"])?;
    for part in ["rolled back", "fails.service", "| ", "fails looks", "hint: ", "newly: "] {
        ensure!(said.contains(part), "'{part}' is not told:\n{said}");
    }
    let log = log_of(&fleet, &said)?;
    for part in ["activation| ", "fails.service", "result: rolled back"] {
        ensure!(log.contains(part), "'{part}' is not in the log:\n{log}");
    }
    Ok(())
}

/// The log whose path was printed.
fn log_of(fleet: &Fleet<'_>, said: &str) -> Result<String> {
    let path = said.lines().find_map(|line| line.trim().strip_prefix("log: "));
    let path = path.with_context(|| format!("no path of a log:\n{said}"))?;
    fleet.operator.run(["cat", path])
}

#[test]
fn checks_and_protected_units_that_do_not_hold_take_the_system_back() -> Result<()> {
    let hosts = ["a", "b", "c", "d"];
    let lab = fleets::with_operator(hosts)?.start()?;
    let mut fleet = Fleet::new(&lab, &hosts)?;
    let site = r#"networking.firewall.allowedTCPPorts = [ 8787 ]; services.static-web-server = { enable = true; root = pkgs.writeTextFile { name = "site"; destination = "/index.html"; text = "x"; }; };"#;
    let settings = |from: &str, (a, b): (&str, &str), d: &str| {
        let check = |what: &str| {
            format!(r#"checks.it = {{ {what} from = "{from}"; period = "200ms"; timeout = "1s"; }};"#)
        };
        format!(
            "{{ defaults = {{ confirmTimeout = \"20s\"; settle = \"0s\"; }}; hosts = {{ a = {{ {} }}; b = {{ {} }}; c = {{ {} }}; d = {{ {d} }}; }}; }}",
            check(&format!(r#"http = "http://{a}:8787/missing";"#)),
            check(&format!(r#"tcp = "{b}:9";"#)),
            check(r#"command = [ "sh" "-c" "echo it is broken >&2; exit 3" ];"#),
        )
    };
    let good = r#"checks = { web = { http = "http://localhost:8787/"; timeout = "9s"; }; door = { tcp = "D:22"; from = "operator"; timeout = "9s"; }; here = { command = [ "true" ]; from = "operator"; timeout = "9s"; }; };"#;
    for host in hosts {
        fleet.define(host, &format!("{site} {}", oneshot("shop", "-n x")))?;
    }
    let old = hosts.map(|name| running(&lab.host(name)));
    let good = good.replace("D:22", &format!("{}:22", lab.host("d").address()));
    fleet.settings(&settings("host", ("localhost", "localhost"), &good))?;
    let done = json(&fleet, 3, &["deploy", "--all", "--yes"])?;
    done.expect("a", ("rolled_back", "check"), &["'it'", "404"])?;
    done.expect("b", ("rolled_back", "check"), &["'it'", "localhost:9"])?;
    done.expect("c", ("rolled_back", "check"), &["'it'", "it is broken"])?;
    assert_eq!(done.result("d")?["activated"]["ending"], "confirmed", "{:#}", done.host("d")?);

    fleet.define("d", site)?;
    let held = running(&lab.host("d"))?;
    // The lab knows names for ssh only.
    let (a, b) = (lab.host("a").address(), lab.host("b").address());
    fleet.settings(&settings("operator", (&a, &b), r#"protectedUnits = [ "shop.service" ];"#))?;
    let done = json(&fleet, 3, &["deploy", "--all", "--yes"])?;
    done.expect("a", ("rolled_back", "check"), &["'it' from here", "404"])?;
    done.expect("b", ("rolled_back", "check"), &["'it' from here", &format!("{b}:9")])?;
    done.expect("c", ("rolled_back", "check"), &["'it' from here", "it is broken"])?;
    done.expect("d", ("rolled_back", "units"), &["shop.service", "protected"])?;
    for (name, old) in hosts.into_iter().zip(old) {
        let expected = if name == "d" { held.clone() } else { old? };
        assert_eq!(at_rest(&lab.host(name))?, expected, "{name}");
    }
    Ok(())
}

#[test]
fn what_is_kept_tested_or_left_for_the_next_boot_is_what_was_asked_for() -> Result<()> {
    let lab = fleets::with_operator(["web1"])?.start()?;
    let mut fleet = Fleet::new(&lab, &["web1"])?;
    fleet.settings(QUICK)?;
    let host = lab.host("web1");
    let old = running(&host)?;
    fleet.define("web1", &motd("tested"))?;
    let said = fleet.expect(0, &["deploy", "web1", "--mode", "test"])?;
    ensure!(said.contains("until the next boot"), "{said}");
    assert_eq!((read_motd(&host)?.as_str(), profile(&host)?), ("tested", old.clone()));

    fleet.define("web1", &motd("booted"))?;
    let said = fleet.expect(2, &["deploy", "web1", "--mode", "boot"])?;
    ensure!(said.contains("--yes says that you know"), "{said}");
    assert_eq!(profile(&host)?, old);
    fleet.expect(0, &["deploy", "web1", "--mode", "boot", "--yes"])?;
    let next = profile(&host)?;
    assert_eq!((read_motd(&host)?.as_str(), next != old), ("tested", true));
    for words in [["--mode", "boot", "--hold"], ["--mode", "dry-activate", "--hold"]] {
        fleet.expect(2, &[&["deploy", "web1"], &words[..]].concat())?;
    }
    fleet.expect(2, &["deploy", "web1", "--mode", "boot", "--mode", "dry-activate", "--yes"])?;

    fleet.define("web1", &format!("{} {}", motd("kept"), oneshot("fails", "-z x")))?;
    let said = fleet.expect(4, &["deploy", "web1", "--no-rollback"])?;
    ensure!(said.contains("fails.service") && said.contains("hint: "), "{said}");
    assert_eq!((read_motd(&host)?.as_str(), profile(&host)?), ("kept", next.clone()));
    let said = fleet.expect(0, &["status", "web1"])?;
    ensure!(said.contains("fails.service") && said.contains("out of step"), "{said}");
    fleet.define("web1", &motd("good"))?;
    fleet.expect(0, &["deploy", "web1"])?;
    assert_eq!(read_motd(&host)?, "good");
    at_rest(&host).map(drop)
}

/// All that a run may not change: what runs, what is there to boot, what units exist and since when they run.
fn everything(host: &Host<'_>) -> Result<String> {
    host.sh(
        "readlink -f /run/current-system; ls -l /nix/var/nix/profiles; cat /boot/loader/loader.conf; \
         systemctl show -p ActiveEnterTimestampMonotonic sshd.service nix-daemon.socket; cat /etc/motd || true; \
         ls /nix/var/lockstep || true",
    )
}

#[test]
fn a_dry_activation_says_what_would_happen_and_changes_nothing_even_where_it_fails() -> Result<()> {
    let hosts = ["bad", "boots", "good"];
    let lab = fleets::with_operator(hosts)?.start()?;
    let mut fleet = Fleet::new(&lab, &hosts)?;
    fleet.settings(QUICK)?;
    for host in hosts {
        fleet.define(host, &motd("first"))?;
    }
    fleet.define("good", &format!("{} {}", motd("first"), oneshot("shop", "-n x")))?;
    fleet.expect(0, &["deploy", "--all", "--yes"])?;
    let before = hosts.map(|name| everything(&lab.host(name)));
    fleet.define("good", &format!("{} {}", motd("dry"), oneshot("shop", "-n y")))?;
    fleet.define("bad", &format!("{} {}", motd("dry"), lies("dry-activate", 9)))?;
    fleet.define("boots", &format!("{} {}", motd("dry"), lies("boot", 1)))?;
    let said = fleet.expect(1, &["deploy", "good", "bad", "--mode", "dry-activate"])?;
    for part in ["would", "shop.service", "dry-activate ended with code 9", "the words of a liar"] {
        ensure!(said.contains(part), "'{part}' is not told:\n{said}");
    }
    // A loader that cannot be installed is no reason to touch what runs.
    let done = Live::of(&fleet, &["deploy", "boots", "--mode", "boot", "--yes"])?.finish()?;
    ensure!([1, 3].contains(&done.code), "{}: {}", done.code, done.stderr);
    assert_eq!(read_motd(&lab.host("boots"))?, "first");
    assert_eq!(running(&lab.host("boots"))?, profile(&lab.host("boots"))?);
    for (name, before) in ["bad", "good"].into_iter().zip([&before[0], &before[2]]) {
        let before = before.as_ref().map_err(|error| anyhow::anyhow!("{error:#}"))?;
        assert_eq!(&everything(&lab.host(name))?, before, "{name}");
    }
    Ok(())
}

/// Where in the stream of events something stands first.
fn position(done: &Done, host: &str, event: &str, stage: Option<&str>) -> Result<usize> {
    let is = |seen: &serde_json::Value| {
        seen["host"] == host && seen["event"] == event && stage.is_none_or(|stage| seen["stage"] == stage)
    };
    done.events.iter().position(is).with_context(|| format!("{host}: no {event}"))
}

#[test]
fn batches_stop_after_a_failure_and_gateways_come_last_and_alone() -> Result<()> {
    let hosts = ["a", "b", "c", "d"];
    let lab = fleets::with_operator(hosts)?.start()?;
    let mut fleet = Fleet::new(&lab, &hosts)?;
    fleet.settings(QUICK)?;
    for host in hosts {
        fleet.define(host, &motd("first"))?;
    }
    fleet.define("b", &oneshot("fails", "-z x"))?;
    let old = running(&lab.host("c"))?;
    let done = json(&fleet, 3, &["deploy", "--all", "--yes", "--batch", "1", "--stop-after", "1"])?;
    assert_eq!(done.result("a")?["activated"]["ending"], "confirmed");
    assert_eq!(done.result("b")?["activated"]["ending"], "rolled_back");
    for host in ["c", "d"] {
        let why = done.result(host)?["skipped"]["why"].to_string();
        ensure!(why.contains("--stop-after"), "{host}: {}", done.result(host)?);
        assert_eq!(position(&done, host, "stage-began", Some("activate")).ok(), None);
    }
    assert_eq!(running(&lab.host("c"))?, old);
    ensure!(position(&done, "a", "result", None)? < position(&done, "b", "stage-began", Some("activate"))?);

    for host in hosts {
        fleet.define(host, &slow("second", 1))?;
    }
    fleet.settings(
        r#"{ defaults = { confirmTimeout = "20s"; settle = "0s"; }; hosts.a.gatewayFor = [ "b" "c" "d" ]; }"#,
    )?;
    let done = json(&fleet, 0, &["deploy", "--all", "--yes"])?;
    let gateway = position(&done, "a", "stage-began", Some("activate"))?;
    for host in ["b", "c", "d"] {
        ensure!(position(&done, host, "result", None)? < gateway, "{host} ends after the gateway begins");
        assert_eq!(read_motd(&lab.host(host))?, "second");
    }
    Ok(())
}
