//! A fleet is deployed by its operator, with the program that users run.

use anyhow::{Result, ensure};
use lab::{Host, wait};

use super::{
    fleets::{self, Fleet, profile, running},
    systems::SOON,
};

const HOSTS: [&str; 3] = ["web1", "web2", "db1"];

fn motd(text: &str) -> String {
    format!(r#"environment.etc."motd".text = "{text}\n";"#)
}

fn read_motd(host: &Host<'_>) -> Result<String> {
    host.run(["cat", "/etc/motd"])
}

#[test]
fn three_hosts_are_deployed_and_a_second_time_nothing_is_done() -> Result<()> {
    let lab = fleets::with_operator(HOSTS)?.start()?;
    let mut fleet = Fleet::new(&lab, &HOSTS)?;
    for host in HOSTS {
        fleet.define(host, &motd(host))?;
    }
    fleet.expect(0, &["deploy", "--all", "--yes"])?;
    for name in HOSTS {
        let host = lab.host(name);
        assert_eq!(read_motd(&host)?, name);
        assert_eq!(running(&host)?, profile(&host)?);
    }
    let before: Vec<String> = HOSTS.iter().map(|name| profile(&lab.host(name))).collect::<Result<_>>()?;
    let said = fleet.expect(0, &["deploy", "--all", "--yes"])?;
    ensure!(!said.contains("confirmed"), "{said}");
    let after: Vec<String> = HOSTS.iter().map(|name| profile(&lab.host(name))).collect::<Result<_>>()?;
    assert_eq!(before, after);
    fleet.expect(0, &["status", "--all"])?;
    Ok(())
}

#[test]
fn one_host_offline_one_that_does_not_evaluate_one_whose_build_fails_and_one_good() -> Result<()> {
    let hosts = ["good", "offline", "broken", "unbuilt"];
    let lab = fleets::with_operator(hosts)?.start()?;
    let mut fleet = Fleet::new(&lab, &hosts)?;
    fleet.define("good", &motd("good"))?;
    fleet.define("broken", r#"services.openssh.enabel = true;"#)?;
    let failing = r#"environment.etc."x".source = derivation { name = "never"; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" "echo the-reason >&2; exit 3" ]; };"#;
    fleet.define("unbuilt", failing)?;
    lab.host("offline").cut_power()?;
    let said = fleet.expect(1, &["deploy", "--all", "--yes"])?;
    assert_eq!(read_motd(&lab.host("good"))?, "good", "{said}");
    for part in ["enabel", "the-reason", "never"] {
        ensure!(said.contains(part), "'{part}' is not told:\n{said}");
    }
    Ok(())
}

#[test]
fn a_configuration_that_cuts_its_own_network_is_rolled_back_while_others_move_on() -> Result<()> {
    let hosts = ["web1", "web2"];
    let lab = fleets::with_operator(hosts)?.start()?;
    let mut fleet = Fleet::new(&lab, &hosts)?;
    fleet.settings(r#"{ defaults = { confirmTimeout = "8s"; settle = "0s"; }; }"#)?;
    fleet.define("web1", &motd("moved on"))?;
    fleet.define("web2", "networking.firewall.enable = true; services.openssh.openFirewall = false; networking.firewall.allowedTCPPorts = lib.mkForce [ ];")?;
    let old = running(&lab.host("web2"))?;
    let said = fleet.expect(3, &["deploy", "--all", "--yes"])?;
    assert_eq!(read_motd(&lab.host("web1"))?, "moved on");
    let web2 = lab.host("web2");
    web2.wait_ssh(SOON)?;
    assert_eq!((running(&web2)?, profile(&web2)?), (old.clone(), old), "{said}");
    wait::until_true("status to answer", SOON, || {
        fleet.run(&["status", "--all"]).is_ok_and(|done| done.code() == 0)
    })
}
