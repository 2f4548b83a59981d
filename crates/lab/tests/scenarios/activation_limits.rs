//! Activations that hang, and disks that take nothing at the moment of the way back.

use std::time::Duration;

use anyhow::{Result, ensure};
use order::{Limits, Mode, Settings};
use report::{CauseKind, Ending};
use session::Request;

use super::{
    agents::{self, Going, Session, deploy, promise, settings},
    lab,
    systems::{self, SOON},
};

/// A oneshot that never ends.
const HANGS: &str = r#"systemd.services.hangs = { wantedBy = [ "multi-user.target" ]; script = "sleep infinity"; serviceConfig.Type = "oneshot"; };"#;
/// A service that needs some seconds to stop.
const SLOW_STOP: &str = r#"systemd.services.slow = { wantedBy = [ "multi-user.target" ]; script = "trap '' TERM; while true; do sleep 0.1; done"; serviceConfig.TimeoutStopSec = 5; };"#;

fn limited(idle: u64, total: u64) -> Settings {
    let limits =
        Limits { idle: Duration::from_secs(idle), total: Duration::from_secs(total), ..agents::limits(SOON) };
    Settings { limits, ..Settings::default() }
}

#[test]
fn a_hung_activation_is_ended_and_taken_back() -> Result<()> {
    let lab = lab(["web1"])?;
    let host = lab.host("web1");
    agents::install(&host)?;
    let [old, hangs] = systems::build(&host, [SLOW_STOP, HANGS])?;
    deploy(&host, &old)?;
    let cases = [
        (limited(8, 60), "showed no progress for the idle limit"),
        (limited(60, 8), "took longer than the total limit"),
    ];
    for (settings, text) in cases {
        let mut going = Going::start(&host, &hangs, Mode::Switch, settings)?;
        let (cause, aftermath) = going.until_rolled_back()?;
        ensure!(cause.kind == CauseKind::Activation && cause.text.contains(text), "{cause:?}");
        ensure!(aftermath.is_empty(), "{aftermath:?}");
        promise(&host, &old)?;
        let left = host.sh("cat /run/nixos/*-list 2>/dev/null || true")?;
        ensure!(!left.contains("hangs"), "what only the new system had is still to be started: {left}");
        assert_eq!(host.run(["systemctl", "is-active", "slow.service"])?, "active");
    }
    Ok(())
}

#[test]
fn a_journal_that_cannot_be_written_does_not_stop_the_way_back() -> Result<()> {
    let lab = lab(["web1"])?;
    let host = lab.host("web1");
    agents::install(&host)?;
    let old = systems::current(&host)?;
    let [new] = systems::build(&host, [r#"environment.etc."a".text = "a";"#])?;
    let mut going = Going::start(&host, &new, Mode::Switch, settings(Duration::from_secs(15)))?;
    going.session.until_awaits()?;
    host.fill_disk("/nix/var", 1 << 20)?;
    // Also what only root may still write.
    host.sh("cat /dev/zero 2>/dev/null > /nix/var/lab-rest || true")?;
    let (cause, _) = going.until_rolled_back()?;
    assert_eq!(cause.kind, CauseKind::Unconfirmed);
    promise(&host, &old)?;
    let id = going.order.id.clone();
    host.sh("rm -f /nix/var/lab-fill /nix/var/lab-rest")?;
    // The next contact writes down what could not be written.
    let session = Session::start(&host)?;
    assert_eq!((session.hello.last.as_ref(), session.hello.pending), (Some(&id), None));
    let journal = host.run(["cat", "/nix/var/lockstep/journal.json"])?;
    ensure!(journal.contains(r#""rolled-back""#), "{journal}");

    // A disk that breaks while a confirmation is waited for.
    let mut going = Going::start(&host, &new, Mode::Switch, settings(Duration::from_secs(6)))?;
    going.session.until_awaits()?;
    host.break_disk()?;
    let (cause, _) = going.until_rolled_back()?;
    assert_eq!(cause.kind, CauseKind::Unconfirmed);
    assert_eq!(systems::current(&host)?, old);
    host.wait_ssh(SOON)?;
    systems::power_cycle(&host)?;
    let mut session = Session::start(&host)?;
    session.send(&Request::Follow { order: going.order.id })?;
    let ending = session.until_ended()?;
    ensure!(matches!(ending, Ending::RolledBack { .. }), "{ending:?}");
    promise(&host, &old)
}
