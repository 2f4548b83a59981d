//! What `lockstep --json` says of a deploy, and a deploy that goes on while a scenario does something to its hosts.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use lab::{Host, wait};
use run::{Child, Command};
use serde::Deserialize;

use super::fleets::{Fleet, profile, running};

/// Where the logs of an operator's runs lie.
const LOGS: &str = "/root/.local/state/lockstep/logs";

/// The last line of a deploy's stream, as far as scenarios look at it.
#[derive(Debug, Deserialize)]
pub(super) struct Outcome {
    hosts: Vec<Deployed>,
}

/// How it ended on one host.
#[derive(Clone, Debug, Deserialize)]
#[serde(from = "Line")]
pub(super) struct Deployed {
    host: String,
    result: String,
    pub(super) stage: Option<String>,
    cause: Option<Cause>,
    pub(super) bytes: u64,
    notes: Vec<String>,
}

/// The same as it is written.
#[derive(Deserialize)]
struct Line {
    host: String,
    notes: Vec<String>,
    report: Report,
}

#[derive(Deserialize)]
struct Report {
    what: What,
}

#[derive(Deserialize)]
struct What {
    deployed: Told,
}

#[derive(Deserialize)]
struct Told {
    bytes: u64,
    result: Ended,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Ended {
    AlreadyThere,
    Done,
    Activated { ending: String, cause: Option<Cause> },
    Failed { stage: String, cause: Cause },
    Pending {},
    Skipped {},
}

impl From<Line> for Deployed {
    fn from(Line { host, notes, report }: Line) -> Self {
        let Told { bytes, result } = report.what.deployed;
        let (result, stage, cause) = match result {
            Ended::AlreadyThere => ("already_there".to_owned(), None, None),
            Ended::Done => ("done".to_owned(), None, None),
            Ended::Activated { ending, cause } => (ending, None, cause),
            Ended::Failed { stage, cause } => ("failed".to_owned(), Some(stage), Some(cause)),
            Ended::Pending {} => ("pending".to_owned(), None, None),
            Ended::Skipped {} => ("skipped".to_owned(), None, None),
        };
        Self { host, result, stage, cause, bytes, notes }
    }
}

/// Why it did not end well.
#[derive(Clone, Debug, Deserialize)]
struct Cause {
    kind: String,
    text: String,
}

/// A deploy that goes on.
pub(super) struct Deploying {
    child: Child,
}

impl Fleet<'_> {
    /// Deploys these and insists on an exit code.
    pub(super) fn deploy(&self, code: i32, words: &[&str]) -> Result<Outcome> {
        self.start_deploy(words)?.end(code)
    }

    /// Begins to deploy these.
    pub(super) fn start_deploy(&self, words: &[&str]) -> Result<Deploying> {
        let words = [&["deploy", "--json", "--yes"], words].concat();
        start(self.command(&words)?)
    }

    /// Waits until a log of the newest run says this.
    pub(super) fn wait_log(&self, text: &str, limit: Duration) -> Result<()> {
        let script = format!(r#"cd {LOGS}; grep -rqF "$1" "$(ls | tail -n 1)""#);
        wait::until(&format!("the log to say '{text}'"), limit, || {
            self.operator.run(["sh", "-euc", &script, "sh", text]).map(drop)
        })
    }
}

/// Starts a command line that deploys with `--json`.
pub(super) fn start(command: Command) -> Result<Deploying> {
    Ok(Deploying { child: command.spawn()? })
}

impl Deploying {
    /// Whether it has not come to its end.
    pub(super) fn goes_on(&mut self) -> bool {
        self.child.is_running()
    }

    /// Lets it come to its end.
    pub(super) fn end(self, code: i32) -> Result<Outcome> {
        let done = self.child.wait()?;
        let said = format!("{}\n{}", done.stdout_text(), done.stderr_text());
        ensure!(done.code() == code, "the deploy ended with {}, expected {code}:\n{said}", done.code());
        let text = done.stdout_text();
        let last = text.lines().find(|line| line.contains(r#""event":"outcome""#));
        let last = last.with_context(|| format!("there is no outcome:\n{said}"))?;
        serde_json::from_str(last).with_context(|| format!("not an outcome: {last}"))
    }
}

impl Outcome {
    /// How it ended on this host.
    pub(super) fn of(&self, host: &str) -> Result<&Deployed> {
        self.hosts
            .iter()
            .find(|deployed| deployed.host == host)
            .with_context(|| format!("no {host}: {self:?}"))
    }
}

impl Deployed {
    /// Its result, the kind of its cause, and parts of what that says.
    pub(super) fn is(&self, result: &str, kind: &str, parts: &[&str]) -> Result<()> {
        let cause = self.cause.as_ref().map(|cause| (cause.kind.as_str(), cause.text.as_str()));
        ensure!((self.result.as_str(), cause.map_or("", |cause| cause.0)) == (result, kind), "{self:?}");
        let text = cause.map_or("", |cause| cause.1);
        for part in parts {
            ensure!(text.contains(part), "'{part}' is not in '{text}'");
        }
        Ok(())
    }

    /// Whether the operator was told this on the way.
    pub(super) fn noted(&self, part: &str) -> Result<()> {
        ensure!(self.notes.iter().any(|note| note.contains(part)), "no note says '{part}': {:?}", self.notes);
        Ok(())
    }
}

/// What a host runs and would boot, which must be one.
pub(super) fn settled(host: &Host<'_>) -> Result<String> {
    let (running, profile) = (running(host)?, profile(host)?);
    ensure!(running == profile, "{} runs {running}, its profile is {profile}", host.name());
    let default = host.sh(
        r#"entry=$(sed -n 's/^default //p' /boot/loader/loader.conf); sed -n 's/.*init=\([^ ]*\)\/init.*/\1/p' "/boot/loader/entries/$entry""#,
    )?;
    ensure!(default.is_empty() || default == running, "{} runs {running}, boots {default}", host.name());
    Ok(running)
}
