//! The form of a host's status.

use serde::{Deserialize, Serialize};

use super::{ReportError, ending::EndingWire, mode, system, system_text};
use crate::{Generation, HostStatus, LastActivation, LoaderDefault, Pending, Timestamp};

#[derive(Serialize, Deserialize)]
pub(super) struct StatusWire {
    at: u64,
    boot_id: String,
    up_millis: u64,
    nixos: Option<String>,
    running: Option<String>,
    booted: Option<String>,
    profile: Option<GenerationWire>,
    default: DefaultWire,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    once: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    starting: bool,
    failed: Vec<String>,
    reboot: Vec<String>,
    pending: Option<PendingWire>,
    last: Option<LastWire>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct GenerationWire {
    number: u64,
    system: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum DefaultWire {
    System(String),
    Unreadable(String),
    /// With braces: what is flattened into a version must be a map.
    NoLoader {},
}

#[derive(Serialize, Deserialize)]
struct PendingWire {
    order: String,
    system: String,
    state: String,
    awaits_confirm: bool,
    left_millis: Option<u64>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct LastWire {
    order: String,
    system: String,
    mode: String,
    at: u64,
    #[serde(flatten)]
    ending: EndingWire,
}

impl From<&HostStatus> for StatusWire {
    fn from(status: &HostStatus) -> Self {
        Self {
            at: status.at.0,
            boot_id: status.boot_id.clone(),
            up_millis: status.up_millis,
            nixos: status.version.clone(),
            running: status.running.as_ref().map(system_text),
            booted: status.booted.as_ref().map(system_text),
            profile: status.profile.as_ref().map(GenerationWire::from),
            default: (&status.default).into(),
            once: status.once.as_ref().map(system_text),
            starting: status.starting,
            failed: status.failed.iter().map(ToString::to_string).collect(),
            reboot: status.reboot.clone(),
            pending: status.pending.as_ref().map(PendingWire::from),
            last: status.last.as_ref().map(LastWire::from),
        }
    }
}

impl TryFrom<StatusWire> for HostStatus {
    type Error = ReportError;

    fn try_from(wire: StatusWire) -> Result<Self, ReportError> {
        let path = |text: Option<String>| text.map(|text| system(&text)).transpose();
        Ok(Self {
            at: Timestamp(wire.at),
            boot_id: wire.boot_id,
            up_millis: wire.up_millis,
            version: wire.nixos,
            running: path(wire.running)?,
            booted: path(wire.booted)?,
            profile: wire.profile.map(Generation::try_from).transpose()?,
            default: wire.default.try_into()?,
            once: path(wire.once)?,
            starting: wire.starting,
            failed: wire.failed.iter().map(|unit| unit.parse()).collect::<Result<_, _>>()?,
            reboot: wire.reboot,
            pending: wire.pending.map(Pending::try_from).transpose()?,
            last: wire.last.map(LastActivation::try_from).transpose()?,
        })
    }
}

impl From<&Generation> for GenerationWire {
    fn from(generation: &Generation) -> Self {
        Self { number: generation.number, system: system_text(&generation.system) }
    }
}

impl TryFrom<GenerationWire> for Generation {
    type Error = ReportError;

    fn try_from(wire: GenerationWire) -> Result<Self, ReportError> {
        Ok(Self { number: wire.number, system: system(&wire.system)? })
    }
}

impl From<&LoaderDefault> for DefaultWire {
    fn from(default: &LoaderDefault) -> Self {
        match default {
            LoaderDefault::System(path) => Self::System(system_text(path)),
            LoaderDefault::Unreadable(why) => Self::Unreadable(why.clone()),
            LoaderDefault::NoLoader => Self::NoLoader {},
        }
    }
}

impl TryFrom<DefaultWire> for LoaderDefault {
    type Error = ReportError;

    fn try_from(wire: DefaultWire) -> Result<Self, ReportError> {
        Ok(match wire {
            DefaultWire::System(text) => Self::System(system(&text)?),
            DefaultWire::Unreadable(why) => Self::Unreadable(why),
            DefaultWire::NoLoader {} => Self::NoLoader {},
        })
    }
}

impl From<&Pending> for PendingWire {
    fn from(pending: &Pending) -> Self {
        Self {
            order: pending.order.to_string(),
            system: system_text(&pending.system),
            state: pending.state.clone(),
            awaits_confirm: pending.awaits_confirm,
            left_millis: pending.left_millis,
        }
    }
}

impl TryFrom<PendingWire> for Pending {
    type Error = ReportError;

    fn try_from(wire: PendingWire) -> Result<Self, ReportError> {
        Ok(Self {
            order: wire.order.parse()?,
            system: system(&wire.system)?,
            state: wire.state,
            awaits_confirm: wire.awaits_confirm,
            left_millis: wire.left_millis,
        })
    }
}

impl From<&LastActivation> for LastWire {
    fn from(last: &LastActivation) -> Self {
        Self {
            order: last.order.to_string(),
            system: system_text(&last.system),
            mode: last.mode.word().to_owned(),
            at: last.at.0,
            ending: (&last.ending).into(),
        }
    }
}

impl TryFrom<LastWire> for LastActivation {
    type Error = ReportError;

    fn try_from(wire: LastWire) -> Result<Self, ReportError> {
        Ok(Self {
            order: wire.order.parse()?,
            system: system(&wire.system)?,
            mode: mode(&wire.mode)?,
            at: Timestamp(wire.at),
            ending: wire.ending.try_into()?,
        })
    }
}
