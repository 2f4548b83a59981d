//! Building the system of one host with `nix build`.

use std::path::Path;

use store::store_path::{StoreDir, StorePath};
use thiserror::Error;

use crate::{
    cancel::Cancel,
    invoke::{Ended, Failure, follow, nix},
    log::{BuildLog, FailedBuild},
    nix::end,
    wire::{self, AnswerError},
};

/// What is to be built.
#[derive(Debug, Clone, Copy)]
pub struct BuildRequest<'a> {
    /// The derivation; it must be in the store.
    pub derivation: &'a StorePath,
    /// Where a link to the result is made that keeps it from the garbage collector, in a directory that
    /// exists. Without it the result may be collected as soon as it is built.
    pub root: Option<&'a Path>,
}

/// What was built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Built {
    /// The path of the output `out`: the system.
    pub system: StorePath,
}

/// What happens during a build. Text is free of escape codes and bounded.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum BuildEvent {
    /// A derivation begins to build.
    Started {
        /// The derivation.
        derivation: StorePath,
    },
    /// A derivation has printed a line.
    Line {
        /// The derivation.
        derivation: StorePath,
        /// What it printed, without the end of the line.
        line: String,
    },
    /// A derivation has ended, well or not.
    Ended {
        /// The derivation.
        derivation: StorePath,
    },
    /// A path is fetched from a cache or another store.
    Fetching {
        /// The path.
        path: StorePath,
    },
    /// How far all builds together are.
    Progress {
        /// Those that have been built.
        done: u64,
        /// All that have to be built, as far as is known.
        expected: u64,
        /// Those that build now.
        running: u64,
        /// Those that have failed.
        failed: u64,
    },
    /// Nix warns of something.
    Warning(String),
}

/// Why there is no system.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BuildError {
    /// There is no `nix` that can be started.
    #[error("the program `nix` cannot be started; install Nix 2.18 or later, or put it into PATH")]
    NoNix {
        /// What the system said.
        source: run::Error,
    },
    /// The running `nix` was lost.
    #[error("the build was lost")]
    Lost {
        /// What happened to the process.
        source: run::Error,
    },
    /// Something did not build.
    #[error("{} did not build: {reason}", name(.derivation.as_ref()))]
    Failed {
        /// What did not build: the derivation whose builder failed, not those that depend on it. Nothing if
        /// Nix named none.
        derivation: Option<StorePath>,
        /// Why, in Nix's words.
        reason: String,
        /// The end of its own log; of what Nix printed if there is no derivation.
        log: Vec<String>,
    },
    /// Nix answered something else than what was asked for.
    #[error("Nix's answer for the build is not understood")]
    Answer {
        /// What is wrong with it.
        source: AnswerError,
    },
    /// It was asked to end.
    #[error("the build was cancelled")]
    Cancelled,
}

/// The name of a derivation, for people.
fn name(derivation: Option<&StorePath>) -> String {
    let Some(derivation) = derivation else { return "the system".to_owned() };
    let name = derivation.name().as_str();
    name.strip_suffix(".drv").unwrap_or(name).to_owned()
}

impl From<Failure> for BuildError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::NoNix(source) => Self::NoNix { source },
            Failure::Lost(source) => Self::Lost { source },
            Failure::Cancelled => Self::Cancelled,
        }
    }
}

/// Runs `nix build` with these `options`.
pub(crate) fn build(
    request: &BuildRequest<'_>,
    options: &[String],
    cancel: &Cancel,
    on_event: &mut dyn FnMut(BuildEvent),
) -> Result<Built, BuildError> {
    let command = nix().args(["build", "--json", "--log-format", "internal-json"]).args(options);
    let command = match request.root {
        Some(root) => command.arg("--out-link").arg(root),
        None => command.arg("--no-link"),
    };
    let command = command.arg(format!("{}^out", StoreDir::default().display(request.derivation)));
    let mut log = BuildLog::default();
    let Ended { status, stdout } = follow(command, cancel, &mut |line| {
        if let Some(event) = log.take(line) {
            on_event(event);
        }
    })?;
    if !status.success() {
        let FailedBuild { derivation, reason, log } = log.failure(&end(status));
        return Err(BuildError::Failed { derivation, reason, log });
    }
    let system = wire::built(&stdout).map_err(|source| BuildError::Answer { source })?;
    Ok(Built { system })
}
