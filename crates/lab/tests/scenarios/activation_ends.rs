//! Activations that end otherwise than they say, are taken back, or are taken over.

use anyhow::{Result, ensure};
use lab::wait;
use order::{Mode, OnFailure, Settings};
use report::{CauseKind, Ending};
use session::{Answer, Reply, Request};

use super::{
    agents::{self, Going, Session, confirm, deploy, promise, settings},
    lab,
    systems::{self, SOON},
};

/// A system whose `switch-to-configuration` says that all is well and does nothing.
const IDLE: &str = r#"system.systemBuilderCommands = lib.mkAfter ''
    rm $out/bin/switch-to-configuration
    printf '#!/bin/sh\nexit 0\n' > $out/bin/switch-to-configuration
    chmod +x $out/bin/switch-to-configuration
'';"#;

#[test]
fn an_exit_code_is_not_believed() -> Result<()> {
    let lab = lab(["web1"])?;
    let host = lab.host("web1");
    agents::install(&host)?;
    let old = systems::current(&host)?;
    let [moved, idle] = systems::build(&host, [r#"system.activationScripts.broken = "false";"#, IDLE])?;

    let mut going = Going::start(&host, &moved, Mode::Switch, settings(SOON))?;
    let (cause, aftermath) = going.until_rolled_back()?;
    ensure!(cause.text.contains("exited with 2 (a part of the activation script failed)"), "{cause:?}");
    ensure!(aftermath.is_empty(), "{aftermath:?}");
    promise(&host, &old)?;

    let mut going = Going::start(&host, &idle, Mode::Switch, settings(SOON))?;
    let (cause, _) = going.until_rolled_back()?;
    ensure!(cause.text.contains("reported success, but") && cause.text.contains(&old), "{cause:?}");
    promise(&host, &old)
}

#[test]
fn checks_of_the_old_system_do_not_hold_up_the_way_back() -> Result<()> {
    let lab = lab(["web1"])?;
    let host = lab.host("web1");
    agents::install(&host)?;
    let [old, new] =
        systems::build(&host, [r#"system.preSwitchChecks.way = "test ! -e /run/no-way-back";"#, ""])?;
    deploy(&host, &old)?;
    host.write("/run/no-way-back", "")?;
    let mut going = Going::start(&host, &new, Mode::Switch, settings(SOON))?;
    going.session.until_awaits()?;
    assert_eq!(systems::current(&host)?, new);
    let mut second = Session::start(&host)?;
    let other = order::OrderId::from_random([9; 20]);
    let stray = second.ask(&Request::Abort { order: other })?;
    ensure!(matches!(stray, Reply::Answer(Answer::TooLate(None))), "another's order: {stray:?}");
    let answer = second.ask(&Request::Abort { order: going.order.id.clone() })?;
    ensure!(matches!(answer, Reply::Answer(Answer::Aborting)), "{answer:?}");
    let (cause, aftermath) = going.until_rolled_back()?;
    ensure!(cause.kind == CauseKind::Aborted && aftermath.is_empty(), "{cause:?} {aftermath:?}");
    promise(&host, &old)
}

#[test]
fn race_10_a_third_system_is_neither_confirmed_nor_taken_back() -> Result<()> {
    let lab = lab(["web1"])?;
    let host = lab.host("web1");
    agents::install(&host)?;
    let [new, third] =
        systems::build(&host, [r#"environment.etc."a".text = "a";"#, r#"environment.etc."b".text = "b";"#])?;
    let mut going = Going::start(&host, &new, Mode::Switch, settings(SOON))?;
    going.session.until_awaits()?;
    systems::test_while_logged_in(&host, &third)?;
    let answer = confirm(&host, &going.order)?;
    ensure!(matches!(answer, Answer::Refused { .. }), "{answer:?}");
    let ending = going.session.until_ended()?;
    let Ending::Stuck { cause, remedy } = ending else { anyhow::bail!("{ending:?}") };
    ensure!(cause.kind == CauseKind::TakenOver && remedy.contains(&third), "{cause:?} {remedy}");
    promise(&host, &third)?;
    // The next order is as good as any.
    deploy(&host, &new)
}

#[test]
fn a_system_that_is_to_be_kept_is_kept_until_the_next_boot() -> Result<()> {
    let lab = lab(["web1"])?;
    let host = lab.host("web1");
    agents::install(&host)?;
    let old = systems::current(&host)?;
    let [bad, good] = systems::build(
        &host,
        [
            r#"systemd.services.bad = { wantedBy = [ "multi-user.target" ]; serviceConfig = { Type = "oneshot"; ExecStart = "${pkgs.coreutils}/bin/false"; }; };"#,
            r#"environment.etc."good".text = "";"#,
        ],
    )?;
    let keep = Settings { on_failure: OnFailure::Keep, ..settings(SOON) };
    let mut going = Going::start(&host, &bad, Mode::Switch, keep)?;
    let ending = going.session.until_ended()?;
    let Ending::Stuck { cause, remedy } = ending else { anyhow::bail!("{ending:?}") };
    ensure!(cause.kind == CauseKind::Units && remedy.contains(&old), "{cause:?} {remedy}");
    promise(&host, &bad)?;
    systems::power_cycle(&host)?;
    promise(&host, &old)?;

    let mut going = Going::start(&host, &good, Mode::Test, settings(SOON))?;
    going.session.until_awaits()?;
    confirm(&host, &going.order)?;
    assert_eq!(going.session.until_ended()?, Ending::Confirmed { lasting: false });
    promise(&host, &good)?;

    let mut going = Going::start(&host, &good, Mode::Boot, settings(SOON))?;
    let ending = going.session.until_ended()?;
    ensure!(matches!(ending, Ending::Confirmed { lasting: true }), "{ending:?}");
    systems::power_cycle(&host)?;
    promise(&host, &good)
}

#[test]
fn race_03_a_lock_that_a_stray_child_keeps_does_not_hold_up_the_way_back() -> Result<()> {
    let lab = lab(["web1"])?;
    let host = lab.host("web1");
    agents::install(&host)?;
    let old = systems::current(&host)?;
    let [new] = systems::build(&host, [r#"environment.etc."a".text = "a";"#])?;
    let mut going = Going::start(&host, &new, Mode::Switch, settings(SOON))?;
    going.session.until_awaits()?;
    let heir = "exec 9>>/run/nixos/switch-to-configuration.lock; flock 9; exec sleep 1000";
    host.run(["systemd-run", "--quiet", "--unit=heir", "sh", "-c", heir])?;
    wait::until("the lock to be taken", SOON, || {
        let free = host.output(["flock", "-n", "/run/nixos/switch-to-configuration.lock", "true"])?;
        ensure!(!free.status.success());
        Ok(())
    })?;
    let abort = Request::Abort { order: going.order.id.clone() };
    let answer = Session::start(&host)?.ask(&abort)?;
    ensure!(matches!(answer, Reply::Answer(Answer::Aborting)), "{answer:?}");
    let (_, aftermath) = going.until_rolled_back()?;
    ensure!(aftermath.is_empty(), "{aftermath:?}");
    promise(&host, &old)
}
