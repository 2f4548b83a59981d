//! The stored and sent forms: JSON, version 1. The golden files must parse for ever.

mod ending;
mod status;

use std::convert::Infallible;

use order::{Mode, NameError, SystemPath, SystemPathError};
use serde::{Deserialize, Serialize};
use store::store_path::StoreDir;
use thiserror::Error;

use self::{
    ending::{CauseWire, EndingWire},
    status::{DefaultWire, GenerationWire, LastWire, StatusWire},
};
use crate::{
    Cause, Deployed, Ending, Extent, Generation, HostResult, HostStatus, LastActivation, LoaderDefault,
    Report, Stage, Timestamp, What,
};

/// Longest report or status in bytes that is read.
pub const MAX_REPORT: usize = 1 << 20;
const VERSION: u32 = 1;

/// Why bytes are not a report, a status or an ending.
#[derive(Debug, Error)]
pub enum ReportError {
    /// More bytes than any report has.
    #[error("a report has at most {MAX_REPORT} bytes, found {0}")]
    TooLong(usize),
    /// Not the JSON of a report.
    #[error("not a report")]
    Json(#[source] serde_json::Error),
    /// Written by a newer Lockstep.
    #[error("this report is of version {0}, known is {VERSION}; update lockstep")]
    Version(u32),
    /// A name in it is none.
    #[error("report with a bad name")]
    Name(#[from] NameError),
    /// A system in it is none.
    #[error("report with a bad system")]
    System(#[from] SystemPathError),
    /// A word that does not exist.
    #[error("report with an unknown {0}")]
    Word(&'static str),
}

impl From<Infallible> for ReportError {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

macro_rules! json {
    ($noun:ty, $wire:ty) => {
        impl $noun {
            /// The stored and sent form: JSON on one line.
            #[must_use]
            pub fn to_json(&self) -> Vec<u8> {
                let versioned = Versioned { version: VERSION, noun: <$wire>::from(self) };
                serde_json::to_vec(&versioned).expect("invariant: plain data")
            }

            /// Reads the stored and sent form.
            ///
            /// # Errors
            /// If the bytes are not that, too many, or of a version that is not known.
            pub fn from_json(bytes: &[u8]) -> Result<Self, ReportError> {
                read::<$wire>(bytes)?.try_into().map_err(Into::into)
            }
        }
    };
}

json!(Report, ReportWire);
json!(HostStatus, StatusWire);
json!(Ending, EndingWire);
json!(Cause, CauseWire);
json!(Generation, GenerationWire);
json!(LastActivation, LastWire);
json!(LoaderDefault, DefaultWire);

#[derive(Serialize, Deserialize)]
struct Versioned<T> {
    version: u32,
    #[serde(flatten)]
    noun: T,
}

#[derive(Deserialize)]
struct OnlyVersion {
    version: u32,
}

fn read<T: for<'de> Deserialize<'de>>(bytes: &[u8]) -> Result<T, ReportError> {
    if bytes.len() > MAX_REPORT {
        return Err(ReportError::TooLong(bytes.len()));
    }
    let OnlyVersion { version } = serde_json::from_slice(bytes).map_err(ReportError::Json)?;
    if version != VERSION {
        return Err(ReportError::Version(version));
    }
    serde_json::from_slice::<Versioned<T>>(bytes).map(|versioned| versioned.noun).map_err(ReportError::Json)
}

fn system_text(system: &SystemPath) -> String {
    system.in_store(&StoreDir::default())
}

fn system(text: &str) -> Result<SystemPath, SystemPathError> {
    SystemPath::parse(&StoreDir::default(), text)
}

fn mode(word: &str) -> Result<Mode, ReportError> {
    Mode::from_word(word).ok_or(ReportError::Word("mode"))
}

/// None for what goes the whole way, as all reports did at first.
fn extent_word(extent: Extent) -> Option<&'static str> {
    match extent {
        Extent::Build => Some("build"),
        Extent::Push => Some("push"),
        Extent::Reboot => Some("reboot"),
        Extent::Activate => None,
    }
}

fn extent(word: Option<&str>) -> Result<Extent, ReportError> {
    match word {
        None => Ok(Extent::Activate),
        Some("build") => Ok(Extent::Build),
        Some("push") => Ok(Extent::Push),
        Some("reboot") => Ok(Extent::Reboot),
        Some(_) => Err(ReportError::Word("extent")),
    }
}

#[derive(Serialize, Deserialize)]
struct ReportWire {
    at: u64,
    host: String,
    what: WhatWire,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::large_enum_variant, reason = "one at a time")]
enum WhatWire {
    Seen(StatusWire),
    Unreachable { why: String },
    Deployed(DeployedWire),
}

#[derive(Serialize, Deserialize)]
struct DeployedWire {
    order: Option<String>,
    system: Option<String>,
    mode: String,
    /// `build` or `push`, if it was to go no further; `reboot`, if nothing else was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    extent: Option<String>,
    result: ResultWire,
    millis: u64,
    bytes: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ResultWire {
    AlreadyThere,
    Done,
    Activated(EndingWire),
    Failed { stage: String, cause: CauseWire },
    Pending { why: String },
    Skipped { why: String },
}

impl From<&Report> for ReportWire {
    fn from(report: &Report) -> Self {
        let what = match &report.what {
            What::Seen(status) => WhatWire::Seen(status.as_ref().into()),
            What::Unreachable { why } => WhatWire::Unreachable { why: why.clone() },
            What::Deployed(deployed) => WhatWire::Deployed(deployed.into()),
        };
        Self { at: report.at.0, host: report.host.to_string(), what }
    }
}

impl TryFrom<ReportWire> for Report {
    type Error = ReportError;

    fn try_from(wire: ReportWire) -> Result<Self, ReportError> {
        let what = match wire.what {
            WhatWire::Seen(status) => What::Seen(Box::new(status.try_into()?)),
            WhatWire::Unreachable { why } => What::Unreachable { why },
            WhatWire::Deployed(deployed) => What::Deployed(deployed.try_into()?),
        };
        Ok(Self { at: Timestamp(wire.at), host: wire.host.parse()?, what })
    }
}

impl From<&Deployed> for DeployedWire {
    fn from(deployed: &Deployed) -> Self {
        Self {
            order: deployed.order.as_ref().map(ToString::to_string),
            system: deployed.system.as_ref().map(system_text),
            mode: deployed.mode.word().to_owned(),
            extent: extent_word(deployed.extent).map(str::to_owned),
            result: (&deployed.result).into(),
            millis: deployed.millis,
            bytes: deployed.bytes,
        }
    }
}

impl TryFrom<DeployedWire> for Deployed {
    type Error = ReportError;

    fn try_from(wire: DeployedWire) -> Result<Self, ReportError> {
        Ok(Self {
            order: wire.order.map(|id| id.parse()).transpose()?,
            system: wire.system.map(|text| system(&text)).transpose()?,
            mode: mode(&wire.mode)?,
            extent: extent(wire.extent.as_deref())?,
            result: wire.result.try_into()?,
            millis: wire.millis,
            bytes: wire.bytes,
        })
    }
}

impl From<&HostResult> for ResultWire {
    fn from(result: &HostResult) -> Self {
        match result.clone() {
            HostResult::AlreadyThere => Self::AlreadyThere,
            HostResult::Done => Self::Done,
            HostResult::Activated(ending) => Self::Activated((&ending).into()),
            HostResult::Failed { stage, cause } => {
                Self::Failed { stage: stage.word().to_owned(), cause: cause.into() }
            }
            HostResult::Pending { why } => Self::Pending { why },
            HostResult::Skipped { why } => Self::Skipped { why },
        }
    }
}

impl TryFrom<ResultWire> for HostResult {
    type Error = ReportError;

    fn try_from(wire: ResultWire) -> Result<Self, ReportError> {
        Ok(match wire {
            ResultWire::AlreadyThere => Self::AlreadyThere,
            ResultWire::Done => Self::Done,
            ResultWire::Activated(ending) => Self::Activated(ending.try_into()?),
            ResultWire::Failed { stage, cause } => {
                let stage = Stage::from_word(&stage).ok_or(ReportError::Word("stage"))?;
                Self::Failed { stage, cause: cause.into() }
            }
            ResultWire::Pending { why } => Self::Pending { why },
            ResultWire::Skipped { why } => Self::Skipped { why },
        })
    }
}
