//! What Nix answers, as JSON.

use std::collections::BTreeMap;

use serde::Deserialize;
use store::store_path::{StoreDir, StorePath, StorePathError};
use thiserror::Error;

use crate::evaluated::{Evaluated, Kind};

/// Why an answer of Nix is not understood.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AnswerError {
    /// It is not the JSON that was asked for.
    #[error("it is not the JSON that was asked for")]
    Json(#[from] serde_json::Error),
    /// A path in it is none of the store.
    #[error("a path in it is not one of the store")]
    Path(#[from] StorePathError),
    /// What should be a derivation is none.
    #[error("{path} is no derivation")]
    NoDerivation {
        /// The path.
        path: StorePath,
    },
    /// There is not one output called `out`.
    #[error("it names no output `out` of the derivation")]
    NoOutput,
}

#[derive(Deserialize)]
struct SystemAnswer {
    derivation: String,
    system: String,
    platform: String,
    kind: KindAnswer,
    reason: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum KindAnswer {
    System,
    Installer,
    Vm,
    Container,
}

/// Reads the answer to [`crate::expression`]'s question for a system.
pub(crate) fn system(answer: &[u8]) -> Result<Evaluated, AnswerError> {
    let SystemAnswer { derivation, system, platform, kind, reason } = serde_json::from_slice(answer)?;
    let store_dir = StoreDir::default();
    let derivation = store_dir.parse(derivation.as_bytes())?;
    if !derivation.is_derivation() {
        return Err(AnswerError::NoDerivation { path: derivation });
    }
    let kind = match kind {
        KindAnswer::System => Kind::System,
        KindAnswer::Installer => Kind::Installer { reason },
        KindAnswer::Vm => Kind::Vm { reason },
        KindAnswer::Container => Kind::Container { reason },
    };
    let system = store_dir.parse(system.as_bytes())?;
    Ok(Evaluated { derivation, system, platform, kind, warnings: Vec::new() })
}

#[derive(Deserialize)]
struct BuiltAnswer {
    outputs: BTreeMap<String, String>,
}

/// Reads what `nix build --json` prints for one derivation: its output `out`.
pub(crate) fn built(answer: &[u8]) -> Result<StorePath, AnswerError> {
    let built: Vec<BuiltAnswer> = serde_json::from_slice(answer)?;
    let [BuiltAnswer { outputs }] = &built[..] else { return Err(AnswerError::NoOutput) };
    let out = outputs.get("out").ok_or(AnswerError::NoOutput)?;
    Ok(StoreDir::default().parse(out.as_bytes())?)
}

/// One line of Nix's log in the form for machines, `--log-format internal-json`, which is the same from 2.4
/// to 2.34: what begins, what ends, what there is to say of it, and what is said for itself.
#[derive(Debug, Deserialize)]
#[serde(tag = "action", rename_all = "lowercase")]
pub(crate) enum LogLine {
    Start {
        id: u64,
        #[serde(rename = "type")]
        kind: u64,
        #[serde(default)]
        fields: Vec<Field>,
    },
    Stop {
        id: u64,
    },
    Result {
        id: u64,
        #[serde(rename = "type")]
        kind: u64,
        #[serde(default)]
        fields: Vec<Field>,
    },
    Msg {
        level: u64,
        msg: String,
    },
    #[serde(other)]
    Other,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Field {
    Number(u64),
    Text(String),
    Other(serde::de::IgnoredAny),
}

impl LogLine {
    /// Reads a line; nothing if it is not of the log.
    pub(crate) fn parse(line: &str) -> Option<Self> {
        serde_json::from_str(line.strip_prefix("@nix ")?).ok()
    }
}

#[cfg(test)]
mod tests;
