//! What hosts have is kept on the operator's side, and what nobody needs any more is let go.

use anyhow::{Context, Result, ensure};
use lab::Host;
use serde_json::Value;

use super::{
    fleet_runs::{QUICK, json, motd},
    fleets::{self, Fleet, running},
};

/// Where the operator's links are.
const ROOTS: &str = "/root/.local/state/lockstep/roots";

/// What a link of the operator's names; nothing if there is none.
fn link(operator: &Host<'_>, name: &str) -> Result<String> {
    Ok(operator.output(["readlink", &format!("{ROOTS}/{name}")])?.stdout_text())
}

fn is_kept(operator: &Host<'_>, system: &str) -> Result<bool> {
    Ok(operator.output(["test", "-e", system])?.status.success())
}

/// Builds are kept too; without them only what a host has or had is.
fn forget_builds(operator: &Host<'_>) -> Result<()> {
    operator.run(["find", ROOTS, "-name", "2*Z-*", "-delete"]).map(drop)
}

/// What `lockstep gc` tells: each root, then all of it.
fn gc(fleet: &Fleet<'_>, words: &[&str]) -> Result<(Vec<Value>, Value)> {
    let mut told = json(fleet, 0, &[&["gc"], words].concat())?.events;
    let garbage = told.pop().context("a last line")?;
    ensure!(garbage["event"] == "garbage", "{garbage}");
    Ok((told, garbage))
}

/// Why a host's systems are kept or can go, as `running` or `running departed`.
fn whys(roots: &[Value], host: &str) -> Vec<String> {
    let of_host = roots.iter().filter(|root| root["host"] == host);
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    of_host
        .map(|root| format!("{} {}", word(&root["why"]), word(&root["trim"])).trim_end().to_owned())
        .collect()
}

#[test]
fn what_hosts_have_is_kept_from_a_garbage_collection_until_they_leave() -> Result<()> {
    let hosts = ["web1", "web2"];
    let lab = fleets::with_operator(hosts)?.start()?;
    let mut fleet = Fleet::new(&lab, &hosts)?;
    fleet.settings(QUICK)?;
    let (operator, web1) = (lab.host("operator"), lab.host("web1"));
    fleet.define("web1", &motd("first"))?;
    fleet.define("web2", &motd("first"))?;
    fleet.expect(0, &["deploy", "--all"])?;
    let (first, other) = (running(&web1)?, running(&lab.host("web2"))?);
    fleet.define("web1", &motd("second"))?;
    fleet.expect(0, &["deploy", "web1"])?;
    let second = running(&web1)?;
    for name in ["running", "profile", "confirmed"] {
        assert_eq!(link(&operator, &format!("web1/{name}"))?, second, "{name}");
        assert_eq!(link(&operator, &format!("web2/{name}"))?, other, "{name}");
    }

    forget_builds(&operator)?;
    operator.run(["nix-store", "--gc"])?;
    ensure!(!is_kept(&operator, &first)?, "nothing keeps what was replaced");
    ensure!(is_kept(&operator, &second)? && is_kept(&operator, &other)?, "what runs is kept");
    operator.run(["nix-store", "--verify-path", &second])?;

    // What has not changed is not touched.
    let since = || operator.run(["stat", "--format=%y", &format!("{ROOTS}/web1/running")]);
    let before = since()?;
    fleet.expect(0, &["status"])?;
    assert_eq!(since()?, before);

    // What a host runs and is not here leaves what was kept.
    fleet.expect(0, &["rollback", "web1"])?;
    assert_eq!(running(&web1)?, first);
    fleet.expect(0, &["status"])?;
    assert_eq!(link(&operator, "web1/running")?, second);

    let (roots, garbage) = gc(&fleet, &[])?;
    // What they booted is the lab's base system, which the operator has too.
    assert_eq!(whys(&roots, "web1"), ["running", "booted", "profile", "confirmed"]);
    ensure!(roots.iter().all(|root| root["nar_size"].as_u64() > Some(0)), "{roots:?}");
    ensure!(garbage["surplus"] == 0 && garbage["surplus_nar_size"] == 0, "{garbage}");

    let fleet = Fleet::new(&lab, &["web1"])?;
    let (roots, garbage) = gc(&fleet, &[])?;
    let departed = ["running departed", "booted departed", "profile departed", "confirmed departed"];
    assert_eq!(whys(&roots, "web2"), departed);
    ensure!(garbage["surplus"] == 4 && garbage["surplus_nar_size"].as_u64() > Some(0), "{garbage}");
    let said = fleet.expect(0, &["gc"])?;
    for part in ["not in the fleet", "4 roots can go", "nix-collect-garbage"] {
        ensure!(said.contains(part), "'{part}' is not told:\n{said}");
    }
    let elsewhere = operator.run(["env", "-C", "/", "HOME=/root", "/lab/bin/lockstep", "gc", "--trim"])?;
    ensure!(!elsewhere.contains("not in the fleet"), "without a description nobody has left:\n{elsewhere}");
    let another = Fleet::new(&lab, &["db1"])?;
    let (roots, garbage) = gc(&another, &["--trim"])?;
    ensure!(garbage["description"].is_null() && garbage["trimmed"] == 0, "another fleet's: {garbage}");
    ensure!(roots.iter().all(|root| root["trim"].is_null()), "{roots:?}");
    let fleet = Fleet::new(&lab, &["web1"])?;
    operator.run(["nix-store", "--gc"])?;
    ensure!(is_kept(&operator, &other)?, "what was only looked at stays");

    // As if the operator's directory had been moved: what Nix was told is gone, and --trim tells it anew.
    operator.run(["find", "/nix/var/nix/gcroots/auto", "-lname", "*/lockstep/roots/*", "-delete"])?;
    let (_, garbage) = gc(&fleet, &["--trim"])?;
    assert_eq!(garbage["trimmed"], 4);
    ensure!(is_kept(&operator, &other)?, "lockstep deletes nothing of the store");
    operator.run(["nix-store", "--gc"])?;
    ensure!(!is_kept(&operator, &other)?, "nothing keeps what left");
    ensure!(is_kept(&operator, &second)?, "what is in the fleet is kept");
    let (roots, _) = gc(&fleet, &[])?;
    assert_eq!((whys(&roots, "web1").len(), whys(&roots, "web2").len()), (4, 0));
    Ok(())
}
