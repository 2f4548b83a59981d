//! How long a host that has locked everybody out stays so beyond what it was told to wait.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use lab::wait;

use super::{
    fleets::{self, Fleet},
    report,
};

/// What the operator asks the host to wait for a confirmation.
const CONFIRM: Duration = Duration::from_secs(6);
const BACK: Duration = Duration::from_secs(90);

/// From the deadline of the confirmation, and without the rollback's own activation, to a new ssh connection.
pub(crate) fn measure() -> Result<()> {
    let lab = fleets::with_operator(["web1"])?.start()?;
    let mut fleet = Fleet::new(&lab, &["web1"])?;
    fleet.settings(&format!(
        r#"{{ defaults = {{ confirmTimeout = "{}s"; settle = "0s"; }}; }}"#,
        CONFIRM.as_secs()
    ))?;
    fleet.expect(0, &["deploy", "web1", "--yes"])?;
    fleet.define("web1", "services.openssh.openFirewall = false;")?;
    let host = lab.host("web1");
    let log = "/run/lockstep/services.log";
    let deploy = fleet.command(&["deploy", "web1", "--yes"])?.spawn()?;
    wait::until_true("the host to wait for a confirmation", BACK, || {
        host.sh("grep -q '\"state\":{\"awaiting-confirm\"' /nix/var/lockstep/journal.json").is_ok()
    })?;
    let awaited = Instant::now();
    ensure!(!host.answers_ssh(), "the host is not locked out");
    host.wait_ssh(BACK)?;
    let reachable = awaited.elapsed();
    let ended = deploy.wait()?.code();
    ensure!(ended == 3, "the deploy ended with {ended}, not with a rollback");
    report("lockout_s", reachable.as_secs_f64(), "s");
    // The activation of the old system, as the host's journal tells it: from its unit's start to its end.
    let back = host
        .sh("journalctl -o short-unix --no-pager -u 'lockstep-back-*' | awk '/Started|Starting/ {s=$1} /Deactivated|Consumed|Finished/ {e=$1} END {print e-s}'")
        .with_context(|| format!("the host's own {log} may tell more"))?;
    let back = back.trim().parse::<f64>().unwrap_or(0.0);
    report("lockout_rollback_activation_s", back, "s");
    report("lockout_recovery_s", reachable.as_secs_f64() - CONFIRM.as_secs_f64() - back, "s");
    Ok(())
}
