//! Attempts to lose hosts that are data: what a host is like, what it is told to become, and how that must end.

use std::{fmt::Write, iter};

use anyhow::{Context, Result, ensure};
use lab::{Host, Lab};

use super::{CONFIRMED, Case, all, survived};
use crate::{
    fleet_runs::Live,
    fleets::{self, Fleet, running},
    systems,
};

/// One host, and what is done to it. `KEY` stands for the operator's public key, `OPERATOR` for its address,
/// `ADDRESS6` for the host's own.
#[derive(Clone, Copy)]
pub(super) struct Attempt {
    pub(super) host: &'static str,
    /// Attributes of the host's settings.
    pub(super) settings: &'static str,
    /// What it has before, deployed as root; empty for the lab's base system.
    pub(super) before: &'static str,
    /// What is done to the host then.
    pub(super) prepare: Option<fn(&Host<'_>) -> Result<()>>,
    /// What is deployed.
    pub(super) change: &'static str,
    /// A script that must succeed on the host at the end: that it happened at all. Empty if the ending is proof enough.
    pub(super) proof: &'static str,
    pub(super) case: Case,
}

/// The pattern of attempts: a host of the lab's base system with default settings.
pub(super) const PLAIN: Attempt =
    Attempt { host: "", settings: "", before: "", prepare: None, change: "", proof: "", case: CONFIRMED };

/// Settings under which no wait is long, but long enough to log in on a busy machine.
pub(super) const HASTY: &str =
    r#"confirmTimeout = "20s"; settle = "0s"; sshOptions = [ "ConnectTimeout=3" ];"#;

/// Deploys all changes in one run, with hasty settings unless a host says otherwise; each must end as its case says.
pub(super) fn attempt(attempts: &[Attempt]) -> Result<()> {
    let names: Vec<&str> = attempts.iter().map(|attempt| attempt.host).collect();
    let lab = fleets::with_operator([])?.hosts(names.iter().copied()).start()?;
    let mut fleet = Fleet::new(&lab, &names)?;
    let key = fleet.operator.run(["ssh-keygen", "-y", "-f", "/root/.ssh/id_ed25519"])?;
    begin(&mut fleet, attempts, &key)?;
    let old: Vec<String> = names.iter().map(|name| running(&lab.host(name))).collect::<Result<_>>()?;
    for Attempt { host, change, prepare, .. } in attempts {
        let change = change.replace("KEY", &key).replace("OPERATOR", &fleet.operator.address());
        fleet.define(host, &change)?;
        prepare.map_or(Ok(()), |prepare| prepare(&lab.host(host)))?;
    }
    fleet.settings(&settings(&lab, attempts)?)?;
    let code = attempts.iter().map(|attempt| code(attempt.case.ending)).max().unwrap_or(0);
    // The end of root's last session must not fall into a switch.
    names.iter().try_for_each(|name| systems::wait_logged_out(&lab.host(name)))?;
    let done = Live::of(&fleet, &["deploy", "--all", "--yes"])?.finish()?;
    let ended = (done.code == code).then_some(()).with_context(|| format!("ended with {}", done.code));
    all(iter::once(ended).chain(attempts.iter().zip(old).map(|(attempt, old)| {
        let host = lab.host(attempt.host);
        let now = if attempt.case.ending == "confirmed" { running(&host)? } else { old.clone() };
        let moved = now != old || attempt.case.ending != "confirmed";
        ensure!(moved, "{}: nothing was changed: {:#}", attempt.host, done.host(attempt.host)?);
        host.sh(attempt.proof).with_context(|| format!("{} is not proven", attempt.case.id))?;
        survived(&fleet, &host, &attempt.case, &done, &now)
    })))
}

/// Brings each host to what it has before.
fn begin(fleet: &mut Fleet<'_>, attempts: &[Attempt], key: &str) -> Result<()> {
    let before = attempts.iter().filter(|attempt| !attempt.before.is_empty());
    let mut words = vec!["deploy", "--yes"];
    for attempt in before {
        fleet.define(attempt.host, &attempt.before.replace("KEY", key))?;
        words.push(attempt.host);
    }
    if words.len() == 2 {
        return Ok(());
    }
    fleet.settings(r#"{ defaults.settle = "0s"; }"#)?;
    fleet.expect(0, &words).map(drop)
}

fn settings(lab: &Lab, attempts: &[Attempt]) -> Result<String> {
    let mut text = format!("{{ defaults = {{ {HASTY} }};\n");
    for Attempt { host, settings, .. } in attempts {
        let settings = settings.replace("ADDRESS6", &lab.host(host).address6());
        writeln!(text, "  hosts.\"{host}\" = {{ {settings} }};")?;
    }
    Ok(text + "}\n")
}

/// The exit code of an ending; the largest of those here is the worst.
fn code(ending: &str) -> i32 {
    match ending {
        "confirmed" => 0,
        "rolled_back" => 3,
        _ => 4,
    }
}
