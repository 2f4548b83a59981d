//! What the guard of a host has of memory while it waits.

use anyhow::{Context, Result, ensure};

use super::{
    fleets::{self, Fleet},
    report,
};

/// An activation is held; its guard is looked at.
pub(crate) fn measure() -> Result<()> {
    let lab = fleets::with_operator(["web1"])?.start()?;
    let mut fleet = Fleet::new(&lab, &["web1"])?;
    fleet.define("web1", r#"environment.etc."motd".text = "held";"#)?;
    fleet.expect(5, &["deploy", "web1", "--hold", "--confirm-timeout", "5m"])?;
    let host = lab.host("web1");
    let pid = host.run(["systemctl", "show", "--value", "-p", "MainPID", "lockstep-guard-*.service"])?;
    let status = host.run(["cat", &format!("/proc/{pid}/status")])?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).context("the guard has no memory")?;
    let kib = line.split_whitespace().nth(1).context("no figure")?.parse()?;
    ensure!(kib > 0.0, "{line}");
    report("guard_rss_kib", kib, "KiB");
    fleet.expect(0, &["confirm", "web1"]).map(drop)
}
