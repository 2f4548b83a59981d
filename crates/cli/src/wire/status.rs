//! What is known of a host, one JSON object for each host.

use order::{HostName, OrderId, UnitName};
use report::{Generation, HostStatus, Known, LastActivation, LoaderDefault, Pending, Timestamp};
use serde::Serialize;

use super::{CauseWire, ResultWire, VERSION, event::DeployedWire, system};
use crate::fleet_status::HostRow;

/// What is known of one host.
#[derive(Debug, Serialize)]
pub(crate) struct StatusWire<'a> {
    version: u32,
    event: &'static str,
    at: u64,
    host: &'a str,
    reached: bool,
    millis: u64,
    expected: Option<String>,
    /// Whether it runs and boots what is expected; none if that is not known.
    in_step: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<CauseWire<'a>>,
    unreachable_since: Option<u64>,
    /// What the host says now, or said when it was last seen.
    status: Option<SeenWire<'a>>,
    deployed: Option<LastDeployWire<'a>>,
}

#[derive(Debug, Serialize)]
struct SeenWire<'a> {
    seen: u64,
    boot_id: &'a str,
    up_millis: u64,
    nixos: Option<&'a str>,
    running: Option<String>,
    booted: Option<String>,
    profile: Option<GenerationWire>,
    #[serde(rename = "default")]
    loader: LoaderWire<'a>,
    failed: Vec<&'a str>,
    reboot: &'a [String],
    pending: Option<PendingWire<'a>>,
    last: Option<ActivationWire<'a>>,
}

/// A generation of the system profile.
#[derive(Debug, Serialize)]
pub(super) struct GenerationWire {
    number: u64,
    system: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
enum LoaderWire<'a> {
    System(String),
    Unreadable(&'a str),
    NoLoader,
}

#[derive(Debug, Serialize)]
struct PendingWire<'a> {
    order: &'a str,
    system: String,
    state: &'a str,
    awaits_confirm: bool,
    left_millis: Option<u64>,
}

/// An activation that has ended.
#[derive(Debug, Serialize)]
pub(super) struct ActivationWire<'a> {
    order: &'a str,
    system: String,
    mode: &'static str,
    at: u64,
    #[serde(flatten)]
    ending: ResultWire<'a>,
}

#[derive(Debug, Serialize)]
struct LastDeployWire<'a> {
    at: u64,
    #[serde(flatten)]
    deployed: DeployedWire<'a>,
}

/// The form of what is known of a host.
pub(crate) fn status<'a>(row: &'a HostRow, now: Timestamp) -> StatusWire<'a> {
    let Known { unreachable, deployed, expected, .. } = &row.known;
    StatusWire {
        version: VERSION,
        event: "status",
        at: now.0,
        host: HostName::as_str(&row.host),
        reached: row.cause.is_none(),
        millis: row.millis,
        expected: expected.as_ref().map(system),
        in_step: row.in_step(),
        cause: row.cause.as_ref().map(CauseWire::from),
        unreachable_since: unreachable.as_ref().map(|(since, _)| since.0),
        status: row.known.seen.as_ref().map(|(at, status)| SeenWire::new(*at, status)),
        deployed: deployed
            .as_ref()
            .map(|(at, deployed)| LastDeployWire { at: at.0, deployed: deployed.into() }),
    }
}

impl<'a> SeenWire<'a> {
    fn new(seen: Timestamp, status: &'a HostStatus) -> Self {
        Self {
            seen: seen.0,
            boot_id: &status.boot_id,
            up_millis: status.up_millis,
            nixos: status.version.as_deref(),
            running: status.running.as_ref().map(system),
            booted: status.booted.as_ref().map(system),
            profile: status.profile.as_ref().map(GenerationWire::from),
            loader: (&status.default).into(),
            failed: status.failed.iter().map(UnitName::as_str).collect(),
            reboot: &status.reboot,
            pending: status.pending.as_ref().map(PendingWire::from),
            last: status.last.as_ref().map(ActivationWire::from),
        }
    }
}

impl From<&Generation> for GenerationWire {
    fn from(generation: &Generation) -> Self {
        Self { number: generation.number, system: system(&generation.system) }
    }
}

impl<'a> From<&'a LoaderDefault> for LoaderWire<'a> {
    fn from(loader: &'a LoaderDefault) -> Self {
        match loader {
            LoaderDefault::System(path) => Self::System(system(path)),
            LoaderDefault::Unreadable(why) => Self::Unreadable(why),
            LoaderDefault::NoLoader => Self::NoLoader,
        }
    }
}

impl<'a> From<&'a Pending> for PendingWire<'a> {
    fn from(pending: &'a Pending) -> Self {
        Self {
            order: OrderId::as_str(&pending.order),
            system: system(&pending.system),
            state: &pending.state,
            awaits_confirm: pending.awaits_confirm,
            left_millis: pending.left_millis,
        }
    }
}

impl<'a> From<&'a LastActivation> for ActivationWire<'a> {
    fn from(last: &'a LastActivation) -> Self {
        Self {
            order: OrderId::as_str(&last.order),
            system: system(&last.system),
            mode: last.mode.word(),
            at: last.at.0,
            ending: (&last.ending).into(),
        }
    }
}
