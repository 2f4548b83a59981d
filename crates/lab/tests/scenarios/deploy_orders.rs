//! What an operator does with an activation by hand: leaves it, confirms it, takes it back, goes back a generation.

use anyhow::{Result, ensure};
use lab::{Host, wait};

use super::{
    fleets::{self, Fleet, profile, running},
    systems::SOON,
};

fn motd(text: &str) -> String {
    format!(r#"environment.etc."motd".text = "{text}\n";"#)
}

fn read_motd(host: &Host<'_>) -> Result<String> {
    host.run(["cat", "/etc/motd"])
}

#[test]
fn a_held_activation_is_confirmed_or_taken_back_by_hand_and_a_generation_is_gone_back() -> Result<()> {
    let lab = fleets::with_operator(["web1"])?.start()?;
    let mut fleet = Fleet::new(&lab, &["web1"])?;
    fleet.settings(r#"{ defaults.settle = "0s"; }"#)?;
    let web1 = lab.host("web1");
    let first = running(&web1)?;

    fleet.define("web1", &motd("held"))?;
    let said = fleet.expect(5, &["deploy", "web1", "--hold"])?;
    ensure!(said.contains("lockstep confirm web1"), "{said}");
    assert_eq!(
        (read_motd(&web1)?.as_str(), profile(&web1)?),
        ("held", first.clone()),
        "it runs, and does not last"
    );
    let busy = fleet.expect(1, &["deploy", "web1"])?;
    ensure!(busy.contains("has not ended"), "{busy}");
    fleet.expect(0, &["confirm", "web1"])?;
    let held = running(&web1)?;
    assert_eq!(profile(&web1)?, held);

    fleet.define("web1", &motd("taken back"))?;
    fleet.expect(5, &["deploy", "web1", "--hold"])?;
    fleet.expect(3, &["abort", "web1"])?;
    assert_eq!((running(&web1)?, profile(&web1)?), (held.clone(), held.clone()));

    fleet.expect(0, &["rollback", "web1"])?;
    assert_eq!((running(&web1)?, profile(&web1)?), (first.clone(), first));
    let history = fleet.expect(0, &["history", "web1"])?;
    for word in ["confirmed", "rolled back"] {
        ensure!(history.contains(word), "{history}");
    }
    let said = fleet.expect(0, &["exec", "web1", "--", "cat", "/etc/hostname"])?;
    ensure!(said.contains("web1"), "{said}");
    Ok(())
}

#[test]
fn an_operator_who_is_killed_while_it_waits_is_not_needed_for_the_way_back() -> Result<()> {
    let lab = fleets::with_operator(["web1"])?.start()?;
    let mut fleet = Fleet::new(&lab, &["web1"])?;
    fleet.settings(r#"{ defaults = { settle = "0s"; confirmTimeout = "5s"; }; }"#)?;
    let web1 = lab.host("web1");
    let old = running(&web1)?;
    fleet.define("web1", &motd("nobody confirms"))?;
    let child = fleet.command(&["deploy", "web1", "--hold"])?.spawn()?;
    wait::until("the new system to run", SOON, || {
        ensure!(running(&web1)? != old, "not yet");
        Ok(())
    })?;
    drop(child);
    wait::until("the way back", SOON, || {
        ensure!(running(&web1)? == old, "not yet");
        Ok(())
    })?;
    let said = fleet.expect(3, &["attach", "web1"])?;
    ensure!(said.contains("rolled back"), "{said}");
    Ok(())
}

#[test]
fn the_line_is_cut_during_the_activation_and_the_operator_learns_the_result() -> Result<()> {
    let lab = fleets::with_operator(["web1"])?.start()?;
    let mut fleet = Fleet::new(&lab, &["web1"])?;
    fleet.settings(r#"{ defaults.settle = "0s"; }"#)?;
    let web1 = lab.host("web1");
    fleet.define(
        "web1",
        &format!(
            r#"{} system.activationScripts.slow = "touch /run/slow; while [ -e /run/slow ]; do sleep 0.1; done";"#,
            motd("through it all")
        ),
    )?;
    let deploy = fleet.command(&["deploy", "web1"])?.spawn()?;
    wait::until("the activation", SOON, || web1.run(["test", "-e", "/run/slow"]).map(drop))?;
    web1.plug(false)?;
    wait::until("the operator's connections to end", 2 * SOON, || {
        let connections = fleet.operator.sh("ps -eo args | grep -c '[s]sh .*-N' || true")?;
        ensure!(connections == "0", "{connections} left");
        Ok(())
    })?;
    web1.run(["rm", "/run/slow"])?;
    web1.plug(true)?;
    let done = deploy.wait()?;
    let said = format!("{}\n{}", done.stdout_text(), done.stderr_text());
    ensure!(done.code() == 0 && said.contains("confirmed"), "{said}");
    assert_eq!(running(&web1)?, profile(&web1)?);
    Ok(())
}
