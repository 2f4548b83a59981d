//! Which system a host boots: what its boot file system and its firmware's variables say, read as firmware and boot
//! loader read it.
//!
//! The rules of the loaders stand in one place, the pocket NixOS's `loader/resolve.py`, beside the
//! programs that install them and the table of cases that both are checked against.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use run::Command;
use serde::Deserialize;

/// What the firmware decided.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Choice {
    /// An entry to boot.
    Entry {
        /// The entry's name in its loader.
        entry: String,
        /// The init its kernel line names.
        init: PathBuf,
    },
    /// Nothing can be booted.
    Nothing {
        /// Why.
        error: String,
    },
}

/// Decides, and does what a firmware does on the way: takes back a one-shot, notes what it selected.
pub(super) fn choose(boot: &Path, variables: &Path) -> Result<Choice> {
    let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../lab/os/loader/resolve.py");
    let command =
        Command::new("python3").arg("-B").arg(rules).arg("--boot").arg("--variables").arg(variables);
    let answer = command.arg(boot).output()?;
    // It ends with 1 when nothing boots; an answer is an answer.
    serde_json::from_slice(&answer.stdout)
        .with_context(|| format!("the loader's rules gave no answer: {}", answer.stderr_text()))
}
