//! Services with a life of their own: a database that only goes forward, a web server, containers, the journal.

use anyhow::{Result, ensure};
use lab::{Host, wait};

use super::lab;
use super::systems::{SOON, build, current, switch, test};

fn property(host: &Host<'_>, unit: &str, name: &str) -> Result<String> {
    host.run(["systemctl", "show", "--value", "-p", name, unit])
}

/// Sends one line to the database and returns what it answers.
fn ask(host: &Host<'_>, line: &str) -> Result<String> {
    let script = format!("exec 3<>/dev/tcp/127.0.0.1/5400; echo '{line}' >&3; cat <&3");
    host.run(["bash", "-euc", &script])
}

#[test]
fn a_database_goes_forward_and_refuses_to_go_back() -> Result<()> {
    let lab = lab(["web1"])?;
    let host = lab.host("web1");
    let database = |more: &str| format!("services.pocketdb = {{ enable = true; {more} }};");
    let [first, tuned, second] = build(
        &host,
        [
            &database(""),
            &database(r#"settings.cache = "9";"#),
            &database(r#"schema = 2; settings.cache = "9";"#),
        ],
    )?;
    test(&host, &first)?;
    assert_eq!(ask(&host, "put before")?, "ok");
    let pid = property(&host, "pocketdb.service", "MainPID")?;
    test(&host, &tuned)?;
    assert_eq!(property(&host, "pocketdb.service", "MainPID")?, pid, "its settings are reloaded");
    wait::until("the settings to be read", SOON, || {
        let settings = ask(&host, "config")?;
        ensure!(settings == "cache = 9", "{settings}");
        Ok(())
    })?;
    test(&host, &second)?;
    assert_eq!((ask(&host, "schema")?, ask(&host, "get")?), ("2".into(), "before".into()));

    let back = switch(&host, &first, "test")?;
    assert_eq!(back.code(), 4, "{}", back.stderr_text());
    assert_eq!(current(&host)?, first, "the way back is activated all the same");
    assert!(host.journal(&["-u", "pocketdb"])?.contains("refusing to go back"));
    assert!(host.answers_ssh());
    test(&host, &second)?;
    assert_eq!(ask(&host, "get")?, "before");
    Ok(())
}

#[test]
fn a_web_server_serves_the_content_of_its_system() -> Result<()> {
    let lab = lab(["web1"])?;
    let host = lab.host("web1");
    let old = current(&host)?;
    let content = |text: &str| {
        format!(
            r#"services.static-web-server = {{ enable = true; root = pkgs.writeTextFile {{ name = "site"; destination = "/index.html"; text = "{text}"; }}; }};"#
        )
    };
    let [one, two] = build(&host, [&content("one"), &content("two")])?;
    for (system, expected) in [(&one, "one"), (&two, "two"), (&one, "one")] {
        test(&host, system)?;
        assert_eq!(host.run(["curl", "-sS", "--max-time", "10", "http://[::1]:8787/"])?, expected);
    }
    test(&host, &old)?;
    assert_eq!(host.output(["curl", "-sS", "--max-time", "10", "http://[::1]:8787/"])?.code(), 7);
    Ok(())
}

/// The definition of a container whose system carries a mark.
fn container(name: &str, ephemeral: bool, mark: &str) -> String {
    let file = format!(r#"environment.etc."mark".text = "{mark}";"#);
    format!("containers.{name} = {{ autoStart = true; ephemeral = {ephemeral}; config = {{ {file} }}; }};")
}

#[test]
fn containers_restart_when_their_system_changes() -> Result<()> {
    let lab = lab(["web1"])?;
    let host = lab.host("web1");
    let both = |mark| format!("{} {}", container("kept", false, mark), container("fresh", true, mark));
    let other = format!("{} environment.etc.\"host\".text = \"changed\";", both("one"));
    let [one, unrelated, two, none] = build(&host, [&both("one"), &other, &both("two"), ""])?;
    let invocations = || -> Result<[String; 2]> {
        let of = |name| property(&host, &format!("container@{name}.service"), "InvocationID");
        Ok([of("kept")?, of("fresh")?])
    };
    let roots = ["/var/lib/nixos-containers/kept", "/run/nixos-containers/fresh"];
    let mark = |root: &str| host.sh(&format!("cat $(cat {root}/run-system)/etc/mark"));

    test(&host, &one)?;
    for root in roots {
        assert_eq!(mark(root)?, "one");
        host.run(["touch", &format!("{root}/state")])?;
    }
    let started = invocations()?;
    test(&host, &unrelated)?;
    assert_eq!(invocations()?, started, "the host changed, the containers did not");
    test(&host, &two)?;
    let restarted = invocations()?;
    assert!(restarted[0] != started[0] && restarted[1] != started[1]);
    for (root, keeps) in roots.into_iter().zip([true, false]) {
        assert_eq!(mark(root)?, "two");
        let state = host.output(["test", "-e", &format!("{root}/state")])?;
        assert_eq!(state.status.success(), keeps, "{root}");
    }
    test(&host, &none)?;
    for name in ["kept", "fresh"] {
        let active = host.output(["systemctl", "is-active", &format!("container@{name}.service")])?;
        assert_eq!(active.stdout_text(), "inactive", "{name}");
    }
    Ok(())
}

#[test]
fn a_journal_restarted_by_a_switch_goes_on() -> Result<()> {
    let lab = lab(["web1"])?;
    let host = lab.host("web1");
    let [new] = build(&host, [r#"services.journald.extraConfig = "SystemMaxUse=200M";"#])?;
    host.run(["systemd-run", "--quiet", "--unit=talker", "sh", "-c", TALK])?;
    let started = || property(&host, "systemd-journald.service", "InvocationID");
    let before = started()?;
    let said = |unit: &str, line: &str| {
        wait::until("the journal to have it", SOON, || {
            let journal = host.journal(&["-u", unit, "-o", "cat"])?;
            ensure!(journal.lines().any(|found| found == line), "{journal}");
            Ok(())
        })
    };
    said("talker", "before")?;
    test(&host, &new)?;
    assert_ne!(started()?, before, "the switch restarted it");
    host.run(["touch", "/run/go-on"])?;
    said("talker", "after")?;
    said("talker", "before")?;
    assert!(host.answers_ssh());
    Ok(())
}

/// Has the journal as its output over the restart.
const TALK: &str = "echo before; while [ ! -e /run/go-on ]; do sleep 0.05; done; echo after";
