//! Orders that are refused before anything is touched, each with its reason.

use anyhow::{Result, ensure};
use lab::Host;
use order::Mode;
use report::{Cause, CauseKind};
use session::{Reply, Request};

use super::{
    agents::{self, Session, deploy, promise, settings},
    lab,
    systems::{self, SOON},
};

fn refusal(host: &Host<'_>, system: &str) -> Result<Cause> {
    let mut session = Session::start(host)?;
    let order = session.order(system, Mode::Switch, settings(SOON).limits)?;
    match session.ask(&Request::Deliver(Box::new(order)))? {
        Reply::Refused(cause) => Ok(cause),
        other => anyhow::bail!("not refused: {other:?}"),
    }
}

#[test]
fn a_system_that_does_not_fit_the_host_is_refused() -> Result<()> {
    let lab = lab(["web1"])?;
    let host = lab.host("web1");
    agents::install(&host)?;
    let old = systems::current(&host)?;
    let [foreign, bare, picky, large] = systems::build(
        &host,
        [
            r#"system.systemBuilderCommands = lib.mkAfter "rm -f $out/system; printf aarch64-linux > $out/system";"#,
            "system.switch.enable = false;",
            r#"system.preSwitchChecks.moon = "echo the moon is full; false"; system.switch.inhibitors.x = "1";"#,
            r#"lab.initrd = { size = 4000000; seed = "large"; };"#,
        ],
    )?;
    let gone = "/nix/store/00000000000000000000000000000000-nixos-system-gone-1";
    let cases = [
        (
            foreign.as_str(),
            CauseKind::Architecture,
            "the system is for aarch64-linux, this host is x86_64-linux",
        ),
        (&bare, CauseKind::Refused, "has no bin/switch-to-configuration (system.switch.enable = false"),
        (&picky, CauseKind::Refused, "the new system's own checks refuse a switch (exit code 1)"),
        (gone, CauseKind::Refused, "is not in this host's store"),
    ];
    for (system, kind, text) in cases {
        let cause = refusal(&host, system)?;
        ensure!(cause.kind == kind && cause.text.contains(text), "{cause:?}");
    }
    let cause = refusal(&host, &picky)?;
    ensure!(cause.log.iter().any(|line| line.contains("the moon is full")), "{cause:?}");
    host.fill_disk("/boot", 1 << 20)?;
    let cause = refusal(&host, &large)?;
    ensure!(cause.kind == CauseKind::Space && cause.text.contains("/boot has"), "{cause:?}");
    promise(&host, &old)?;
    host.run(["rm", "/boot/lab-fill"])?;
    deploy(&host, &large)
}

#[test]
fn an_inhibitor_is_the_systems_own_judgement() -> Result<()> {
    let lab = lab(["web1"])?;
    let host = lab.host("web1");
    agents::install(&host)?;
    let [one, two] = systems::build(
        &host,
        [r#"system.switch.inhibitors.dbus = "broker 1";"#, r#"system.switch.inhibitors.dbus = "broker 2";"#],
    )?;
    deploy(&host, &one)?;
    let cause = refusal(&host, &two)?;
    ensure!(cause.kind == CauseKind::Refused && cause.text.contains("--mode boot"), "{cause:?}");
    promise(&host, &one)
}
