//! The last line of a run that acts: everything about every host once more, with its times and its log.

use deploy::{HostOutcome, Outcome};
use serde::Serialize;

use super::{StageWire, VERSION, event::DeployedWire};

/// The outcome of a run.
#[derive(Debug, Serialize)]
pub(crate) struct OutcomeWire<'a> {
    version: u32,
    event: &'static str,
    run: &'a str,
    exit_code: u8,
    hosts: Vec<HostWire<'a>>,
    left_out: Vec<LeftOutWire<'a>>,
}

#[derive(Debug, Serialize)]
struct HostWire<'a> {
    host: &'a str,
    #[serde(flatten)]
    deployed: DeployedWire<'a>,
    stages: Vec<StageWire>,
    notes: &'a [String],
    log: Option<String>,
}

#[derive(Debug, Serialize)]
struct LeftOutWire<'a> {
    name: &'a str,
    why: &'a str,
}

/// The form of an outcome.
pub(crate) fn outcome(outcome: &Outcome) -> OutcomeWire<'_> {
    OutcomeWire {
        version: VERSION,
        event: "outcome",
        run: outcome.run.as_str(),
        exit_code: outcome.exit_code(),
        hosts: outcome.hosts.iter().map(HostWire::from).collect(),
        left_out: outcome.left_out.iter().map(|(name, why)| LeftOutWire { name, why }).collect(),
    }
}

impl<'a> From<&'a HostOutcome> for HostWire<'a> {
    fn from(host: &'a HostOutcome) -> Self {
        Self {
            host: host.host.as_str(),
            deployed: (&host.deployed).into(),
            stages: host.stages.iter().map(StageWire::from).collect(),
            notes: &host.notes,
            log: host.log.as_ref().map(|path| path.display().to_string()),
        }
    }
}
