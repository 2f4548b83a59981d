//! Activations on real hosts: an order goes through a session to an owner, and always comes to an end.

use std::time::Duration;

use anyhow::{Result, ensure};
use lab::{Host, wait};
use order::Mode;
use report::{CauseKind, Ending};
use session::{Answer, Reply, Request};

use super::{
    agents::{self, Going, Session, confirm, limits, settings},
    lab,
    systems::{self, SOON},
};

const LONG: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_secs(4);
const MOTD: &str = r#"environment.etc."motd".text = "new\n";"#;

fn running(host: &Host<'_>) -> Result<String> {
    host.run(["readlink", "-f", "/run/current-system"])
}

fn profile(host: &Host<'_>) -> Result<String> {
    host.run(["readlink", "-f", "/nix/var/nix/profiles/system"])
}

/// Nothing of an activation is left behind: no unit, no root, no lock's holder.
fn nothing_left(host: &Host<'_>) -> Result<()> {
    wait::until("the activation's services to be gone", SOON, || {
        let units = host.run(["systemctl", "list-units", "--all", "--plain", "--no-legend", "lockstep-*"])?;
        ensure!(units.is_empty(), "{units}");
        let roots = host.sh("ls /nix/var/nix/gcroots/lockstep 2>/dev/null || true")?;
        ensure!(roots.is_empty(), "{roots}");
        Ok(())
    })
}

#[test]
fn a_system_is_tested_confirmed_and_made_to_last() -> Result<()> {
    let lab = lab(["web1"])?;
    let host = lab.host("web1");
    agents::install(&host)?;
    let [new] = systems::build(&host, [MOTD])?;
    let Going { mut session, order } = Going::start(&host, &new, Mode::Switch, settings(LONG))?;
    session.until_awaits()?;
    assert_eq!(running(&host)?, new);
    assert_ne!(profile(&host)?, new, "nothing lasts before it was confirmed");
    let answer = confirm(&host, &order)?;
    assert_eq!(answer, Answer::Done(Ending::Confirmed { lasting: true }));
    assert_eq!(session.until_ended()?, Ending::Confirmed { lasting: true });
    assert_eq!(profile(&host)?, new);
    nothing_left(&host)?;
    host.power_cycle()?;
    host.wait_ssh(systems::BOOT)?;
    assert_eq!(running(&host)?, new);
    Ok(())
}

#[test]
fn without_a_confirmation_the_old_system_comes_back() -> Result<()> {
    let lab = lab(["web1"])?;
    let host = lab.host("web1");
    agents::install(&host)?;
    let [new] = systems::build(&host, [MOTD])?;
    let old = running(&host)?;
    let Going { mut session, order } = Going::start(&host, &new, Mode::Switch, settings(SHORT))?;
    session.until_awaits()?;
    let ending = session.until_ended()?;
    let Ending::RolledBack { cause, aftermath } = ending else { anyhow::bail!("{ending:?}") };
    assert_eq!((cause.kind, aftermath.as_slice()), (CauseKind::Unconfirmed, &[][..]));
    assert_eq!((running(&host)?, profile(&host)?), (old.clone(), old));
    assert_eq!(confirm(&host, &order)?, Answer::TooLate(Some(Ending::RolledBack { cause, aftermath })));
    nothing_left(&host)
}

#[test]
fn the_owner_is_killed_and_the_guard_takes_over() -> Result<()> {
    let lab = lab(["web1"])?;
    let host = lab.host("web1");
    agents::install(&host)?;
    let [new] = systems::build(&host, [MOTD])?;
    let old = running(&host)?;
    let Going { mut session, order } = Going::start(&host, &new, Mode::Switch, settings(LONG))?;
    session.until_awaits()?;
    host.run(["systemctl", "kill", "--signal=KILL", &format!("lockstep-own-{}.service", order.id)])?;
    let ending = session.until_ended()?;
    let Ending::RolledBack { cause, .. } = ending else { anyhow::bail!("{ending:?}") };
    assert_eq!(cause.kind, CauseKind::Interrupted);
    assert_eq!(running(&host)?, old);
    nothing_left(&host)
}

#[test]
fn owner_and_guard_are_killed_and_the_next_contact_brings_the_end() -> Result<()> {
    let lab = lab(["web1"])?;
    let host = lab.host("web1");
    agents::install(&host)?;
    let [new] = systems::build(&host, [MOTD])?;
    let old = running(&host)?;
    let Going { mut session, order } = Going::start(&host, &new, Mode::Switch, settings(LONG))?;
    session.until_awaits()?;
    session.cut();
    host.sh("pkill -KILL -f 'lockstep-agent (own|guard|session)'")?;
    let mut session = Session::start(&host)?;
    assert_eq!(session.hello.last.as_ref(), Some(&order.id));
    session.send(&Request::Follow { order: order.id.clone() })?;
    let ending = session.until_ended()?;
    ensure!(matches!(ending, Ending::RolledBack { .. }), "{ending:?}");
    assert_eq!(running(&host)?, old);
    nothing_left(&host)
}

#[test]
fn a_second_order_and_one_that_saw_too_little_are_refused() -> Result<()> {
    let lab = lab(["web1"])?;
    let host = lab.host("web1");
    agents::install(&host)?;
    let [new, other] = systems::build(&host, [MOTD, ""])?;
    let Going { mut session, order } = Going::start(&host, &new, Mode::Test, settings(LONG))?;
    session.until_awaits()?;
    let mut second = Session::start(&host)?;
    let another = second.order(&other, Mode::Switch, limits(LONG))?;
    let refused = second.ask(&Request::Deliver(Box::new(another)))?;
    ensure!(matches!(&refused, Reply::Refused(cause) if cause.kind == CauseKind::Busy), "{refused:?}");
    confirm(&host, &order)?;
    assert_eq!(session.until_ended()?, Ending::Confirmed { lasting: false });
    let mut late = second.order(&other, Mode::Switch, limits(LONG))?;
    late.after = None;
    let refused = second.ask(&Request::Deliver(Box::new(late)))?;
    ensure!(matches!(&refused, Reply::Refused(cause) if cause.kind == CauseKind::Stale), "{refused:?}");
    Ok(())
}

#[test]
fn a_session_is_lost_while_it_follows_and_the_owner_goes_on() -> Result<()> {
    let lab = lab(["web1"])?;
    let host = lab.host("web1");
    agents::install(&host)?;
    let [new] = systems::build(&host, [MOTD])?;
    let mut going = Going::start(&host, &new, Mode::Switch, settings(LONG))?;
    going.until_state("switching")?;
    let order = going.order;
    going.session.cut();

    // The same order again, as from an operator who did not hear the answer, changes nothing.
    let mut session = Session::start(&host)?;
    session.deliver(&order)?;
    session.until_awaits()?;
    let kib = |unit: &str| -> Result<u64> {
        let unit = format!("lockstep-{unit}-{}.service", order.id);
        let pid = host.run(["systemctl", "show", "--value", "-p", "MainPID", &unit])?;
        let peak = host.run(["grep", "VmHWM", &format!("/proc/{pid}/status")])?;
        Ok(peak.split_whitespace().nth(1).unwrap_or_default().parse()?)
    };
    for unit in ["guard", "own"] {
        let peak = kib(unit)?;
        ensure!(peak <= 12 << 10, "{unit} has used {peak} KiB");
    }
    assert_eq!(confirm(&host, &order)?, Answer::Done(Ending::Confirmed { lasting: true }));
    assert_eq!(session.until_ended()?, Ending::Confirmed { lasting: true });
    agents::promise(&host, &new)
}
