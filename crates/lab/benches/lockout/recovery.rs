//! How long a host is away beyond what it was told to wait, and beyond what its way back takes by itself.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use lab::{Host, wait};

use super::{
    fleets::{self, Fleet, running},
    report,
};

/// Longer than anything here takes.
const BACK: Duration = Duration::from_secs(120);
/// How long the activation may take in all.
const TOTAL: Duration = Duration::from_secs(10);

/// An activation that hangs: from the moment at which the total limit is over to the report, without the activation of
/// the old system.
pub(crate) fn hang() -> Result<()> {
    let lab = fleets::with_operator(["web1"])?.start()?;
    let mut fleet = Fleet::new(&lab, &["web1"])?;
    fleet.settings(&format!(
        r#"{{ defaults = {{ activation.total = "{}s"; settle = "0s"; }}; }}"#,
        TOTAL.as_secs()
    ))?;
    fleet.expect(0, &["deploy", "web1", "--yes"])?;
    fleet.define("web1", r#"systemd.services.hangs = { wantedBy = [ "multi-user.target" ]; script = "sleep infinity"; serviceConfig.Type = "oneshot"; };"#)?;
    let host = lab.host("web1");
    let old = running(&host)?;
    let deploy = fleet.command(&["deploy", "web1", "--yes"])?.spawn()?;
    wait_state(&host, "switching")?;
    let began = Instant::now();
    let ended = deploy.wait()?.code();
    let reported = began.elapsed();
    ensure!((ended, running(&host)?) == (3, old), "the deploy ended with {ended}, not with a rollback");
    host.wait_ssh(BACK)?;
    let beyond = reported.as_secs_f64() - TOTAL.as_secs_f64() - back_seconds(&host)?;
    report("hang_recovery_s", beyond, "s");
    Ok(())
}

/// A mount that fails and takes ssh and D-Bus with it: from emergency mode to a new connection, without the boot, which
/// is measured before.
pub(crate) fn emergency() -> Result<()> {
    let lab = fleets::with_operator(["web1"])?.start()?;
    let mut fleet = Fleet::new(&lab, &["web1"])?;
    fleet.settings(r#"{ defaults = { settle = "0s"; sshOptions = [ "ConnectTimeout=3" ]; }; }"#)?;
    let host = lab.host("web1");
    let began = Instant::now();
    host.reboot(BACK)?;
    host.wait_ssh(BACK)?;
    let boot = began.elapsed();
    let old = running(&host)?;
    fleet.define("web1", r#"fileSystems."/data" = { device = "none"; fsType = "no-such-type"; };"#)?;
    let deploy = fleet.command(&["deploy", "web1", "--yes"])?.spawn()?;
    wait::until("emergency mode", BACK, || host.run(["systemctl", "is-active", "emergency.target"]))?;
    let (began, boots) = (Instant::now(), host.status()?.boots);
    wait::until("the reboot", BACK, || {
        ensure!(host.status()?.boots > boots);
        Ok(())
    })?;
    host.wait_ssh(BACK)?;
    let away = began.elapsed();
    let ended = deploy.wait()?.code();
    ensure!((ended, running(&host)?) == (3, old), "the deploy ended with {ended}, not with a rollback");
    report("host_boot_s", boot.as_secs_f64(), "s");
    report("emergency_recovery_s", away.as_secs_f64() - boot.as_secs_f64(), "s");
    Ok(())
}

fn wait_state(host: &Host<'_>, state: &str) -> Result<()> {
    let pattern = format!("\"state\":{{\"{state}\"");
    wait::until(&format!("the host to be {state}"), BACK, || {
        host.run(["grep", "-qF", &pattern, "/nix/var/lockstep/journal.json"]).map(drop)
    })
}

/// How long the activation of the old system took, as systemd tells of its unit.
fn back_seconds(host: &Host<'_>) -> Result<f64> {
    let script = "journalctl -o short-unix --no-pager -u 'lockstep-back-*' | awk '/Started|Starting/ {s=$1} /Deactivated|Consumed|Finished/ {e=$1} END {print e-s}'";
    host.sh(script)?.trim().parse().context("the way back is not in the journal")
}
