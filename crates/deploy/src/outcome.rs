//! How an operation went, host by host.

use std::path::PathBuf;

use order::HostName;
use report::{Cause, Deployed, HostResult, Stage, worst_exit_code};

use crate::RunId;

/// How a deploy went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The run, which names its logs.
    pub run: RunId,
    /// Every host that took part, sorted.
    pub hosts: Vec<HostOutcome>,
    /// What was left out because it cannot be a host or was not named, with the reason. Nothing failed by that.
    pub left_out: Vec<(String, String)>,
}

/// How it went on one host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostOutcome {
    /// The host.
    pub host: HostName,
    /// Its report.
    pub deployed: Deployed,
    /// The stages that ended, in the order in which they did, each with its time in milliseconds. Connecting goes on
    /// beside others.
    pub stages: Vec<(Stage, u64)>,
    /// What the operator should know.
    pub notes: Vec<String>,
    /// The full log, if it could be written.
    pub log: Option<PathBuf>,
}

impl Outcome {
    /// The worst exit code of its hosts.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        worst_exit_code(self.hosts.iter().map(|host| host.deployed.result.exit_code()))
    }
}

impl HostOutcome {
    /// Where it ended: the stage that failed, or the last one.
    #[must_use]
    pub fn stage(&self) -> Option<Stage> {
        match &self.deployed.result {
            HostResult::Failed { stage, .. } => Some(*stage),
            _ => self.stages.last().map(|(stage, _)| *stage),
        }
    }
}

/// What a host answered to a question that all hosts are asked at the same time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered<T> {
    /// The host.
    pub host: HostName,
    /// Its answer, or why there is none.
    pub answer: Result<T, Cause>,
    /// How long it took, in milliseconds.
    pub millis: u64,
}
