//! A run of `lockstep` that is watched while it goes on: its events as they come, and what it came to.

use std::io::{BufRead, BufReader, PipeReader};

use anyhow::{Context, Result, bail, ensure};
use lab::{Host, wait};
use run::{Child, Command, Output};
use serde_json::Value;

use super::{
    fleets::{FLEET, Fleet, profile, running},
    systems::SOON,
};

/// Settings under which nobody waits for long.
pub(super) const QUICK: &str = r#"{ defaults = { confirmTimeout = "8s"; settle = "0s"; }; }"#;

/// A host's message of the day, by which systems are told apart.
pub(super) fn motd(text: &str) -> String {
    format!(r#"environment.etc."motd".text = "{text}\n";"#)
}

/// The same, in a system whose activation takes so many seconds.
pub(super) fn slow(text: &str, seconds: u32) -> String {
    format!(r#"{} system.activationScripts.slow = "sleep {seconds}";"#, motd(text))
}

/// The same, in a system whose activation takes until [`go_on`] is called for its host.
pub(super) fn waiting(text: &str) -> String {
    format!(
        r#"{} system.activationScripts.waits = "while ! rm /run/go-on; do sleep 0.05; done";"#,
        motd(text)
    )
}

/// Lets a waiting activation end.
pub(super) fn go_on(host: &Host<'_>) -> Result<()> {
    host.write("/run/go-on", "")
}

pub(super) fn read_motd(host: &Host<'_>) -> Result<String> {
    host.run(["cat", "/etc/motd"])
}

/// `lockstep --json`, while it runs.
pub(super) struct Live {
    child: Child,
    lines: BufReader<PipeReader>,
    seen: Vec<Value>,
}

/// What a run came to.
pub(super) struct Done {
    pub(super) code: i32,
    pub(super) events: Vec<Value>,
    pub(super) stderr: String,
}

/// The same program as another operator has it: with a state directory of its own.
pub(super) fn as_other(fleet: &Fleet<'_>, words: &[&str]) -> Result<Command> {
    let env = ["env", "-C", FLEET, "HOME=/root", "XDG_STATE_HOME=/root/other", "/lab/bin/lockstep"];
    fleet.operator.command([&env, words].concat())
}

impl Live {
    pub(super) fn start(command: Command) -> Result<Self> {
        let mut child = command.arg("--json").input_pipe().stdout(Output::Pipe).spawn()?;
        let (output, _) = child.take_streams().context("invariant: both are pipes")?;
        Ok(Self { child, lines: BufReader::new(output), seen: Vec::new() })
    }

    pub(super) fn of(fleet: &Fleet<'_>, words: &[&str]) -> Result<Self> {
        Self::start(fleet.command(words)?)
    }

    fn next(&mut self) -> Result<Option<Value>> {
        let mut line = String::new();
        if self.lines.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        let value: Value = serde_json::from_str(&line).with_context(|| line.clone())?;
        self.seen.push(value.clone());
        Ok(Some(value))
    }

    /// Reads until an event that is wanted.
    pub(super) fn until(&mut self, what: &str, wanted: impl Fn(&Value) -> bool) -> Result<()> {
        while let Some(event) = self.next()? {
            if wanted(&event) {
                return Ok(());
            }
        }
        bail!("{what} was never told: {:#?}", self.seen)
    }

    /// Reads until a stage begins, of whichever host.
    pub(super) fn until_stage(&mut self, stage: &str) -> Result<()> {
        self.until(stage, |event| event["event"] == "stage-began" && event["stage"] == stage)
    }

    /// Reads until the host has the order and tells how far it is.
    pub(super) fn until_activates(&mut self) -> Result<()> {
        let is = |event: &Value| event["event"] == "progress" && event["stage"] == "activate";
        self.until("an activation's progress", is)
    }

    /// Reads to the end.
    pub(super) fn finish(mut self) -> Result<Done> {
        while self.next()?.is_some() {}
        let finished = self.child.wait()?;
        Ok(Done { code: finished.code(), events: self.seen, stderr: finished.stderr_text() })
    }
}

impl Done {
    /// What is said of one host at the end.
    pub(super) fn host(&self, host: &str) -> Result<&Value> {
        let outcome = self.events.iter().find(|event| event["event"] == "outcome");
        let hosts = outcome.and_then(|outcome| outcome["hosts"].as_array());
        let found = hosts.into_iter().flatten().find(|found| found["host"] == host);
        found.with_context(|| format!("no outcome of {host}: {}", self.text()))
    }

    /// A host's result.
    pub(super) fn result(&self, host: &str) -> Result<&Value> {
        Ok(&self.host(host)?["report"]["what"]["deployed"]["result"])
    }

    /// The cause of a host's result.
    pub(super) fn cause(&self, host: &str) -> Result<&Value> {
        let result = self.result(host)?;
        let both = [&result["activated"]["cause"], &result["failed"]["cause"]];
        let cause = both.into_iter().find(|cause| cause.is_object());
        cause.with_context(|| format!("{host} has no cause: {result}"))
    }

    /// Insists on how a host's result is told: its word, the cause's kind, and parts of the cause.
    pub(super) fn expect(&self, host: &str, (ending, kind): (&str, &str), parts: &[&str]) -> Result<()> {
        let result = self.result(host)?;
        let found = if result["failed"].is_object() { "failed" } else { "" };
        let found = result["activated"]["ending"].as_str().unwrap_or(found);
        ensure!(found == ending, "{host} {found}, expected {ending}: {result:#}\n{}", self.stderr);
        let cause = self.cause(host)?;
        ensure!(cause["kind"] == kind, "{host}: expected {kind}: {cause:#}");
        for part in parts {
            ensure!(cause.to_string().contains(part), "{host}: '{part}' is not told: {cause:#}");
        }
        Ok(())
    }

    pub(super) fn insist(self, code: i32) -> Result<Self> {
        ensure!(self.code == code, "ended with {}, expected {code}:\n{}", self.code, self.text());
        Ok(self)
    }

    pub(super) fn text(&self) -> String {
        let events: String = self.events.iter().map(|event| format!("{event}\n")).collect();
        format!("{events}{}", self.stderr)
    }
}

/// Runs a command with `--json` to its end and insists on its exit code.
pub(super) fn json(fleet: &Fleet<'_>, code: i32, words: &[&str]) -> Result<Done> {
    Live::of(fleet, words)?.finish()?.insist(code)
}

/// What `lockstep status` knows of one host.
pub(super) fn status(fleet: &Fleet<'_>, host: &str) -> Result<Value> {
    let done = Live::of(fleet, &["status", host])?.finish()?;
    let found = done.events.iter().find(|event| event["event"] == "status").cloned();
    found.with_context(|| format!("no status of {host}: {}", done.text()))
}

/// Nothing of an activation is left on the host, and what runs is its profile.
pub(super) fn at_rest(host: &Host<'_>) -> Result<String> {
    wait::until("the activation's services to be gone", SOON * 2, || {
        let units = host.run(["systemctl", "list-units", "--all", "--plain", "--no-legend", "lockstep-*"])?;
        // The start unit stays as what has run once in this boot.
        let left = units.lines().filter(|line| !is_start_unit(line)).collect::<Vec<_>>();
        ensure!(left.is_empty(), "{left:?}");
        Ok(())
    })?;
    host.wait_ssh(SOON)?;
    let system = running(host)?;
    ensure!(profile(host)? == system, "what runs is not the profile");
    Ok(system)
}

fn is_start_unit(line: &str) -> bool {
    line.trim_start().starts_with("lockstep-boot.service ") && line.contains(" exited ")
}

/// Nothing that a run has started is left on the operator's machine.
pub(super) fn nobody_left(operator: &Host<'_>) -> Result<()> {
    wait::until("the operator's processes to be gone", SOON, || {
        let left = operator.output(["pgrep", "-a", "-x", "lockstep|ssh|nix|sleep"])?.stdout_text();
        let left: Vec<&str> = left.lines().filter(|line| !line.ends_with(" sleep infinity")).collect();
        ensure!(left.is_empty(), "{left:?}");
        Ok(())
    })
}

/// A signal to every `lockstep` on the operator's machine.
pub(super) fn signal(operator: &Host<'_>, signal: &str) -> Result<()> {
    operator.run(["pkill", &format!("-{signal}"), "-x", "lockstep"]).map(drop)
}
