//! Power cuts in every state that changes something: the next contact after power-on tells the truth.

use std::time::Duration;

use anyhow::{Result, ensure};
use lab::Host;
use order::Mode;
use report::{CauseKind, Ending};
use session::Request;

use super::{
    agents::{self, Going, Session, promise, settings},
    lab,
    systems::{self, BOOT},
};

const LONG: Duration = Duration::from_secs(120);
const HANGS: &str = r#"systemd.services.hangs = { wantedBy = [ "multi-user.target" ]; script = "sleep infinity"; serviceConfig.Type = "oneshot"; };"#;
const SLOW_LOADER: &str = "lab.loader.slowSeconds = 60;";

/// Cuts the power, and has the next contact bring the activation to its end.
fn cut(host: &Host<'_>, going: Going, old: &str) -> Result<()> {
    let order = going.order.id.clone();
    host.cut_power()?;
    drop(going);
    host.power_on()?;
    host.wait_ssh(BOOT)?;
    let mut session = Session::start(host)?;
    assert_eq!(session.hello.last.as_ref(), Some(&order));
    session.send(&Request::Follow { order })?;
    let ending = session.until_ended()?;
    let Ending::RolledBack { cause, aftermath } = ending else { anyhow::bail!("{ending:?}") };
    ensure!(cause.kind == CauseKind::Interrupted || cause.kind == CauseKind::Aborted, "{cause:?}");
    ensure!(aftermath.is_empty(), "{aftermath:?}");
    promise(host, old)
}

#[test]
fn a_power_cut_before_the_commit_is_told_at_the_next_contact() -> Result<()> {
    let lab = lab(["web1"])?;
    let host = lab.host("web1");
    agents::install(&host)?;
    let old = systems::current(&host)?;
    let [hangs, new] = systems::build(&host, [HANGS, r#"environment.etc."a".text = "a";"#])?;
    host.run(["sync"])?;
    let mut going = Going::start(&host, &hangs, Mode::Switch, settings(LONG))?;
    going.until_state("switching")?;
    cut(&host, going, &old)?;

    let mut going = Going::start(&host, &new, Mode::Switch, settings(LONG))?;
    going.session.until_awaits()?;
    cut(&host, going, &old)
}

#[test]
fn a_power_cut_in_a_commit_or_on_the_way_back_is_told_at_the_next_contact() -> Result<()> {
    let lab = lab(["web1"])?;
    let host = lab.host("web1");
    agents::install(&host)?;
    let old = systems::current(&host)?;
    let [slow] = systems::build(&host, [SLOW_LOADER])?;
    host.run(["sync"])?;
    let mut going = Going::start(&host, &slow, Mode::Switch, settings(LONG))?;
    going.session.until_awaits()?;
    let mut second = Session::start(&host)?;
    let (order, nonce) = (going.order.id.clone(), going.order.nonce.clone());
    second.send(&Request::Confirm { order, nonce })?;
    going.until_state("committing")?;
    cut(&host, going, &old)?;

    let mut going = Going::start(&host, &slow, Mode::Switch, settings(LONG))?;
    going.session.until_awaits()?;
    let order = going.order.id.clone();
    Session::start(&host)?.ask(&Request::Abort { order })?;
    going.until_state("reverting")?;
    cut(&host, going, &old)
}
