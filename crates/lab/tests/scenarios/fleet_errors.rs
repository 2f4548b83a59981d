//! What is wrong with a command, a description, a build or a connection, is told as what it is; and no secret is told.

use anyhow::{Context, Result, ensure};
use lab::Host;
use serde_json::Value;

use super::{
    fleet_runs::{Live, QUICK, json, motd, read_motd, slow},
    fleets::{self, FLEET, Fleet, running},
};

/// The hosts that a run began with.
fn began(fleet: &Fleet<'_>, selectors: &[&str], stdin: Option<&str>) -> Result<Vec<String>> {
    let command = fleet.command(&[&["build", "--json"], selectors].concat())?;
    let done = match stdin {
        Some(text) => command.input(text).output()?,
        None => command.output()?,
    };
    let said = format!("{}\n{}", done.stdout_text(), done.stderr_text());
    ensure!(done.code() == 0, "{selectors:?}: {said}");
    let first: Value = serde_json::from_str(said.lines().next().unwrap_or_default())?;
    let hosts = first["hosts"].as_array().with_context(|| said.clone())?;
    Ok(hosts.iter().filter_map(|host| host.as_str().map(str::to_owned)).collect())
}

#[test]
fn selectors_choose_hosts_and_one_without_a_match_begins_nothing() -> Result<()> {
    let lab = fleets::with_operator(["web1"])?.start()?;
    let hosts = ["db1", "web1", "web2", "web3"];
    let fleet = Fleet::new(&lab, &hosts)?;
    fleet.settings(r#"{ hosts = { web2.tags = [ "canary" ]; db1.tags = [ "canary" "data" ]; }; }"#)?;
    let cases: [(&[&str], Option<&str>, &[&str]); 7] = [
        (&["web1"], None, &["web1"]),
        (&["web[12]"], None, &["web1", "web2"]),
        (&["web*&!web3"], None, &["web1", "web2"]),
        (&["@canary&!@data"], None, &["web2"]),
        (&["db1", "web3"], None, &["db1", "web3"]),
        (&["@data,web?&!@canary"], None, &["db1", "web1", "web3"]),
        (&["-"], Some("web3\n\n# not this\n@data\n"), &["db1", "web3"]),
    ];
    for (selectors, stdin, expected) in cases {
        assert_eq!(began(&fleet, selectors, stdin)?, expected, "{selectors:?}");
    }
    let host = lab.host("web1");
    let old = running(&host)?;
    for selectors in [&["web9"][..], &["web1", "@canry"], &["["], &["web1&!web*"], &["web1&"]] {
        let done = fleet.run(&[&["deploy"], selectors].concat())?;
        let said = format!("{}{}", done.stdout_text(), done.stderr_text());
        ensure!(done.code() == 2 && done.stdout_text().is_empty(), "{selectors:?}: {}: {said}", done.code());
        ensure!(!said.contains("panicked") && said.contains("error"), "{said}");
    }
    fleet.expect(2, &["deploy"])?;
    assert_eq!(running(&host)?, old);
    Ok(())
}

#[test]
fn all_that_is_wrong_in_settings_is_told_at_once_with_its_attribute() -> Result<()> {
    let lab = fleets::with_operator(["web1"])?.start()?;
    let fleet = Fleet::new(&lab, &["web1", "web2"])?;
    fleet.settings(
        r#"{
          defaults = { confirmTimout = "8s"; settle = 5; };
          hosts.web1 = { addresses = [ "web1" "web1:99999" ]; activationTimeout = "9s"; };
          hosts.web2 = { build = "wbe1"; checks.x = { http = "ftp://x"; tcp = "y:1"; }; };
          hosts.web3.tags = [ "x" ];
          hosts.web2.gatewayFor = [ "@nobody" ];
        }"#,
    )?;
    let said = fleet.expect(2, &["deploy", "web1"])?;
    let parts = [
        "lockstep.defaults.confirmTimout",
        "confirmTimeout",
        "lockstep.defaults.settle",
        "lockstep.hosts.web1.addresses",
        "lockstep.hosts.web1.activationTimeout",
        "lockstep.hosts.web2.build",
        "lockstep.hosts.web2.checks.x",
        "lockstep.hosts.web3",
    ];
    for part in parts {
        ensure!(said.contains(part), "'{part}' is not told:\n{said}");
    }
    fleet.settings("{ defaults = ; }")?;
    let said = fleet.expect(2, &["show"])?;
    ensure!(said.contains("syntax error") && said.contains("lockstep.nix"), "{said}");
    fleet.operator.run(["rm", "-r", FLEET])?;
    fleet.operator.run(["mkdir", FLEET])?;
    let said = fleet.expect(2, &["show"])?;
    ensure!(said.contains("flake.nix"), "{said}");
    Ok(())
}

#[test]
fn each_kind_of_failure_looks_different_and_a_hook_hears_of_every_result() -> Result<()> {
    let hosts = ["broken", "good", "locked", "mute", "unbuilt"];
    let lab = fleets::with_operator(["good", "locked", "mute"])?.start()?;
    let mut fleet = Fleet::new(&lab, &hosts)?;
    fleet.settings(
        r#"{
          onResult = [ "sh" "-c" "cat > $(mktemp -p /root/results)" ];
          defaults = { confirmTimeout = "8s"; settle = "0s"; };
          hosts.locked.user = "nobody-there";
        }"#,
    )?;
    fleet.operator.run(["mkdir", "/root/results"])?;
    for host in hosts {
        fleet.define(host, &motd(host))?;
    }
    fleet.define("broken", "services.openssh.enabel = true;")?;
    fleet.define("unbuilt", r#"environment.etc."x".source = derivation { name = "never"; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" "echo the-reason >&2; exit 3" ]; };"#)?;
    lab.host("mute").sh("systemctl stop nix-daemon.socket nix-daemon.service; systemctl mask --runtime nix-daemon.socket nix-daemon.service")?;
    let done = json(&fleet, 1, &["deploy", "--all", "--yes"])?;
    done.expect("broken", ("failed", "evaluation"), &["enabel"])?;
    done.expect("unbuilt", ("failed", "build"), &["the-reason", "never"])?;
    done.expect("locked", ("failed", "ssh"), &["Permission denied"])?;
    done.expect("mute", ("failed", "transfer"), &["daemon"])?;
    assert_eq!(done.result("good")?["activated"]["ending"], "confirmed");
    let heard = results(&fleet.operator)?;
    for host in hosts {
        let told = heard.iter().filter(|result| result["host"] == host).collect::<Vec<_>>();
        ensure!(told.len() == 1, "{host}: {told:#?}");
        let found = &told[0]["what"]["deployed"]["result"];
        assert_eq!(found, done.result(host)?, "{host}");
    }
    fleet.settings(r#"{ onResult = [ "sh" "-c" "echo the hook is ill >&2; exit 7" ]; }"#)?;
    let said = fleet.expect(0, &["deploy", "good"])?;
    ensure!(said.contains("onResult") && said.contains("the hook is ill"), "{said}");
    Ok(())
}

fn results(operator: &Host<'_>) -> Result<Vec<Value>> {
    let all = operator.sh("for file in /root/results/*; do cat $file; echo; done")?;
    all.lines().map(|line| serde_json::from_str(line).with_context(|| line.to_owned())).collect()
}

/// Keeps what all processes of a host are called with.
fn watch_arguments(host: &Host<'_>) -> Result<()> {
    let script = r#"while :; do cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\0' ' ' >> /run/arguments; echo >> /run/arguments; sleep 0.05; done"#;
    host.run(["systemd-run", "--quiet", "--unit=arguments", "sh", "-c", script]).map(drop)
}

#[test]
fn no_secret_is_in_arguments_logs_or_events() -> Result<()> {
    let lab = fleets::with_operator(["web1"])?.start()?;
    let mut fleet = Fleet::new(&lab, &["web1"])?;
    fleet.settings(QUICK)?;
    let host = lab.host("web1");
    fleet.define("web1", &slow("kept quiet", 2))?;
    watch_arguments(&fleet.operator)?;
    watch_arguments(&host)?;
    let done = Live::of(&fleet, &["deploy", "web1", "-vv"])?.finish()?.insist(0)?;
    assert_eq!(read_motd(&host)?, "kept quiet");
    let nonce = fleet
        .operator
        .sh("grep -rhoE '\"nonce\": *\"[^\"]+\"' /root/.local/state/lockstep | cut -d'\"' -f4")?;
    ensure!(nonce.len() >= 32 && !nonce.contains('\n'), "{nonce}");
    let told: String = done.events.iter().map(ToString::to_string).collect();
    ensure!(!told.contains(&nonce) && !done.stderr.contains(&nonce), "the nonce is told");
    for (host, places) in [
        (&fleet.operator, "/run/arguments /root/.local/state/lockstep/logs"),
        (&host, "/run/arguments /run/lockstep/*.log /var/log"),
    ] {
        host.run(["systemctl", "stop", "arguments.service"])?;
        host.run(["grep", "-q", "lockstep", "/run/arguments"])?;
        let found = host.sh(&format!("grep -rl {nonce} {places} || true"))?;
        ensure!(found.is_empty(), "the nonce is in {found}");
        ensure!(!host.journal(&[])?.contains(&nonce), "the nonce is in the journal of {}", host.name());
    }
    // What holds it is for its owner only.
    let open = fleet
        .operator
        .sh("find /root/.local/state/lockstep -type f -perm /077 -exec grep -l nonce {} +; true")?;
    ensure!(open.is_empty(), "others may read {open}");
    let open = host.sh("grep -rlE nonce /nix/var/lockstep /run/lockstep 2>/dev/null | xargs -r stat -c '%a %n' | grep -v '^.00 ' || true")?;
    ensure!(open.is_empty(), "others may read {open}");
    Ok(())
}
