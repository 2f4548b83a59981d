//! No lock-out: every known way to lose a host, on a host, and the same three assertions at the end of each.
//!
//! A case that was survived is written down as a row. `cargo xtask no-lock-out` takes the rows of a run into
//! `docs/no-lock-out.json` and makes the table of `docs/no-lock-out.md` of them; each scenario insists that the
//! committed row says what it saw.

mod attempts;
mod disks;
mod lines;
mod logins;
mod others;
mod power;
mod rungs;
mod switches;

use std::{
    env, fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use lab::{Host, wait};
use serde::{Deserialize, Serialize};

use super::{
    fleet_runs::{Done, status},
    fleets::{Fleet, profile, running},
};

/// How long a host may take until a new connection to it works again.
const BACK: Duration = Duration::from_secs(90);

/// One way to lose a host, and how it must end.
#[derive(Clone, Copy, Debug)]
struct Case {
    /// What the row is called: a letter is a timeline of the list of known lock-outs.
    id: &'static str,
    /// What happens, in one sentence.
    happens: &'static str,
    /// The ending that the operator must be told.
    ending: &'static str,
    /// The kind of its cause; empty for a confirmation.
    cause: &'static str,
    /// Words that the report or its notes must hold.
    told: &'static [&'static str],
    /// Further words of ssh for the way to the host as the operator knows it afterwards.
    way: &'static [&'static str],
}

/// The pattern of cases in which the operator reaches the new system.
const CONFIRMED: Case = Case { id: "", happens: "", ending: "confirmed", cause: "", told: &[], way: &[] };
/// The pattern of cases in which nobody reaches it.
const UNCONFIRMED: Case = Case { ending: "rolled_back", cause: "unconfirmed", ..CONFIRMED };

/// A row of the document's table.
#[derive(Debug, Deserialize, PartialEq, Serialize)]
struct Row {
    id: String,
    happens: String,
    outcome: String,
}

/// The three assertions, for a host that must run `system` now: it is reachable over a new connection; what runs and
/// what would boot are there, rooted and known to the operator; and the report says truly what happened.
fn survived(fleet: &Fleet<'_>, host: &Host<'_>, case: &Case, done: &Done, system: &str) -> Result<()> {
    let assertions = || {
        reachable(fleet, host, case)?;
        known(fleet, host, case, system)?;
        told(done, host.name(), case)
    };
    assertions().with_context(|| format!("{} on {}:\n{}", case.id, host.name(), done.stderr))?;
    case.row().keep()
}

/// All of these must be well; what is not is told together.
fn all(checked: impl IntoIterator<Item = Result<()>>) -> Result<()> {
    let wrong: Vec<String> =
        checked.into_iter().filter_map(Result::err).map(|error| format!("{error:#}")).collect();
    ensure!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    Ok(())
}

/// An agent answers over a connection that is nobody else's.
fn reachable(fleet: &Fleet<'_>, host: &Host<'_>, case: &Case) -> Result<()> {
    let agent = host.sh("ls -d /nix/store/*-lockstep-agent*/bin/lockstep-agent | tail -n 1")?;
    let session = format!("{agent} session");
    let fresh = ["ssh", "-o", "ControlMaster=no", "-o", "ControlPath=none", "-o", "BatchMode=yes"];
    let way = case.way.iter().map(|word| word.replace("ADDRESS6", &host.address6())).collect::<Vec<_>>();
    let mut words: Vec<&str> = fresh.into_iter().chain(["-o", "ConnectTimeout=5"]).collect();
    words.extend(way.iter().map(String::as_str).chain([host.name(), &session]));
    wait::until("an agent's answer over a new connection", BACK, || {
        let answer = fleet.operator.command(&words)?.input("").output()?;
        ensure!(answer.stdout.starts_with(session::MAGIC), "{}", answer.stderr_text());
        Ok(())
    })
}

/// What the host runs and would boot is there, rooted, and what `lockstep status` says.
fn known(fleet: &Fleet<'_>, host: &Host<'_>, case: &Case, system: &str) -> Result<()> {
    let shown = wait::until("the host to be at rest and known", BACK, || {
        let shown = status(fleet, host.name())?;
        ensure!(shown["reached"] == true, "{shown:#}");
        ensure!(shown["seen"]["what"]["seen"]["pending"].is_null(), "{shown:#}");
        Ok(shown)
    })?;
    let seen = &shown["seen"]["what"]["seen"];
    let (runs, boots) = (running(host)?, boots(host)?);
    ensure!(runs == system, "it runs {runs}, not {system}");
    ensure!(boots == runs || !matches!(case.ending, "confirmed" | "rolled_back"), "it would boot {boots}");
    for (what, found, here) in [
        ("running", &seen["running"], &runs),
        ("profile", &seen["profile"]["system"], &profile(host)?),
        ("default", &seen["default"]["system"], &boots),
    ] {
        ensure!(found == here, "{what} is {here}, known is {found}");
    }
    let last = &seen["last"]["ending"];
    ensure!(last == case.ending, "the host's own last ending is {last}");
    for path in [&runs, &boots] {
        host.run(["nix-store", "--check-validity", path])?;
        let roots = host.run(["nix-store", "--query", "--roots", path])?;
        ensure!(!roots.is_empty(), "{path} is not rooted");
    }
    Ok(())
}

/// What the boot loader itself names.
fn boots(host: &Host<'_>) -> Result<String> {
    host.sh(
        r#"entry=$(sed -n 's/^default //p' /boot/loader/loader.conf); sed -n 's/.*init=\([^ ]*\)\/init.*/\1/p' "/boot/loader/entries/$entry""#,
    )
}

/// The report is the case's: its ending, its cause, and what it must tell.
fn told(done: &Done, host: &str, case: &Case) -> Result<()> {
    let said = done.host(host)?;
    let ended = &said["report"]["what"]["deployed"]["result"]["activated"];
    let cause = ended["cause"]["kind"].as_str().unwrap_or_default();
    ensure!(ended["ending"] == case.ending && cause == case.cause, "told was {said:#}");
    let words = format!("{ended} {}", said["notes"]);
    for part in case.told {
        ensure!(words.contains(part), "'{part}' is not told: {said:#}");
    }
    Ok(())
}

impl Case {
    fn row(&self) -> Row {
        let mut outcome = self.ending.replace('_', " ");
        if !self.cause.is_empty() {
            outcome += &format!(": {}", self.cause);
        }
        for part in self.told {
            outcome += &format!(", \"{part}\"");
        }
        Row { id: self.id.to_owned(), happens: self.happens.to_owned(), outcome }
    }
}

impl Row {
    /// Writes it down, and insists that the document has it.
    fn keep(&self) -> Result<()> {
        let folder = folder()?;
        fs::create_dir_all(&folder)?;
        fs::write(folder.join(format!("{}.json", self.id)), serde_json::to_vec(self)?)?;
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/no-lock-out.json");
        let committed = fs::read(&file).with_context(|| file.display().to_string())?;
        let committed: Vec<Self> = serde_json::from_slice(&committed)?;
        if committed.contains(self) {
            return Ok(());
        }
        bail!("docs/no-lock-out.json has another row or none for {self:?}; see 'cargo xtask no-lock-out'")
    }
}

/// Where the rows of a run lie.
fn folder() -> Result<PathBuf> {
    if let Some(folder) = env::var_os("LOCKSTEP_NO_LOCK_OUT") {
        return Ok(folder.into());
    }
    let target = Path::new(env!("CARGO_BIN_EXE_lab")).ancestors().nth(2).context("a target directory")?;
    Ok(target.join("no-lock-out"))
}

/// Waits until the host's journal is in a state.
fn wait_state(host: &Host<'_>, state: &str) -> Result<()> {
    wait::until(&format!("{} to be {state}", host.name()), BACK, || {
        let found = host.sh(r#"grep -o '"state":{"[a-z-]*' /nix/var/lockstep/journal.json"#)?;
        ensure!(found.ends_with(&format!("\"{state}")), "it is {found}");
        Ok(())
    })
}
