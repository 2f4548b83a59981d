//! The stored and sent form of an order: JSON, version 1. `tests/golden` must parse for ever.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use store::store_path::{StorePath, StorePathError};
use thiserror::Error;

use crate::{Check, CheckKind, Limits, Mode, NameError, OnFailure, Order, Settings};

/// Longest order in bytes that is read.
pub const MAX_ORDER: usize = 256 << 10;
/// Most checks, units or words of a command in an order.
const MAX_ITEMS: usize = 1000;
const VERSION: u32 = 1;

/// Why bytes are not an order.
#[derive(Debug, Error)]
pub enum OrderError {
    /// More bytes than any order has.
    #[error("an order has at most {MAX_ORDER} bytes, found {0}")]
    TooLong(usize),
    /// Not the JSON of an order.
    #[error("not an order")]
    Json(#[source] serde_json::Error),
    /// Written by a newer Lockstep.
    #[error("this order is of version {0}, known is {VERSION}; update lockstep-agent")]
    Version(u32),
    /// A name in it is none.
    #[error("order with a bad name")]
    Name(#[from] NameError),
    /// A store path in it is none.
    #[error("order with a bad store path")]
    Path(#[from] StorePathError),
    /// A mode, policy or number that does not exist.
    #[error("order with {0}")]
    Value(&'static str),
}

impl Order {
    /// The order as JSON, on one line.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(&OrderWire::from(self)).expect("invariant: an order is plain data")
    }

    /// Reads an order.
    ///
    /// # Errors
    /// If the bytes are not an order of a version that is known.
    pub fn from_json(bytes: &[u8]) -> Result<Self, OrderError> {
        if bytes.len() > MAX_ORDER {
            return Err(OrderError::TooLong(bytes.len()));
        }
        let versioned: Versioned = serde_json::from_slice(bytes).map_err(OrderError::Json)?;
        if versioned.version != VERSION {
            return Err(OrderError::Version(versioned.version));
        }
        serde_json::from_slice::<OrderWire>(bytes).map_err(OrderError::Json)?.try_into()
    }
}

#[derive(Deserialize)]
struct Versioned {
    version: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct OrderWire {
    version: u32,
    id: String,
    nonce: String,
    host: String,
    system: String,
    mode: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    after: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    agent: Option<String>,
    settings: SettingsWire,
}

impl From<&Order> for OrderWire {
    fn from(order: &Order) -> Self {
        Self {
            version: VERSION,
            id: order.id.to_string(),
            nonce: order.nonce.as_str().to_owned(),
            host: order.host.to_string(),
            system: order.system.to_string(),
            mode: order.mode.word().to_owned(),
            after: order.after.as_ref().map(ToString::to_string),
            agent: order.agent.as_ref().map(ToString::to_string),
            settings: (&order.settings).into(),
        }
    }
}

impl TryFrom<OrderWire> for Order {
    type Error = OrderError;

    fn try_from(wire: OrderWire) -> Result<Self, OrderError> {
        Ok(Self {
            id: wire.id.parse()?,
            nonce: wire.nonce.parse()?,
            host: wire.host.parse()?,
            system: StorePath::from_base_name(wire.system.as_bytes())?,
            mode: Mode::from_word(&wire.mode).ok_or(OrderError::Value("an unknown mode"))?,
            after: wire.after.map(|id| id.parse()).transpose()?,
            agent: wire.agent.map(|path| StorePath::from_base_name(path.as_bytes())).transpose()?,
            settings: wire.settings.try_into()?,
        })
    }
}

/// The stored form of [`Settings`], for the forms of other nouns that hold settings.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SettingsWire {
    total_ms: u64,
    idle_ms: u64,
    confirm_ms: u64,
    settle_ms: u64,
    checks: Vec<CheckWire>,
    protected: Vec<String>,
    keep_on_failure: bool,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CheckWire {
    name: String,
    kind: KindWire,
    period_ms: u64,
    timeout_ms: u64,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum KindWire {
    Http { url: String, status: Option<u16> },
    Tcp { address: String },
    Command { words: Vec<String> },
}

impl From<&Settings> for SettingsWire {
    fn from(settings: &Settings) -> Self {
        let Limits { total, idle, confirm, settle } = settings.limits;
        Self {
            total_ms: millis(total),
            idle_ms: millis(idle),
            confirm_ms: millis(confirm),
            settle_ms: millis(settle),
            checks: settings.checks.iter().map(CheckWire::from).collect(),
            protected: settings.protected.iter().map(ToString::to_string).collect(),
            keep_on_failure: settings.on_failure == OnFailure::Keep,
        }
    }
}

impl TryFrom<SettingsWire> for Settings {
    type Error = OrderError;

    fn try_from(wire: SettingsWire) -> Result<Self, OrderError> {
        if wire.checks.len() > MAX_ITEMS || wire.protected.len() > MAX_ITEMS {
            return Err(OrderError::Value("more than 1000 checks or units"));
        }
        Ok(Self {
            limits: Limits {
                total: Duration::from_millis(wire.total_ms),
                idle: Duration::from_millis(wire.idle_ms),
                confirm: Duration::from_millis(wire.confirm_ms),
                settle: Duration::from_millis(wire.settle_ms),
            },
            checks: wire.checks.into_iter().map(Check::try_from).collect::<Result<_, _>>()?,
            protected: wire.protected.iter().map(|unit| unit.parse()).collect::<Result<_, _>>()?,
            on_failure: if wire.keep_on_failure { OnFailure::Keep } else { OnFailure::RollBack },
        })
    }
}

impl From<&Check> for CheckWire {
    fn from(check: &Check) -> Self {
        let kind = match check.kind.clone() {
            CheckKind::Http { url, status } => KindWire::Http { url, status },
            CheckKind::Tcp { address } => KindWire::Tcp { address },
            CheckKind::Command { words } => KindWire::Command { words },
        };
        let (period_ms, timeout_ms) = (millis(check.period), millis(check.timeout));
        Self { name: check.name.clone(), kind, period_ms, timeout_ms }
    }
}

impl TryFrom<CheckWire> for Check {
    type Error = OrderError;

    fn try_from(wire: CheckWire) -> Result<Self, OrderError> {
        let kind = match wire.kind {
            KindWire::Http { url, status } => CheckKind::Http { url, status },
            KindWire::Tcp { address } => CheckKind::Tcp { address },
            KindWire::Command { words } if words.is_empty() => {
                return Err(OrderError::Value("a command without words"));
            }
            KindWire::Command { words } => CheckKind::Command { words },
        };
        let (period, timeout) =
            (Duration::from_millis(wire.period_ms), Duration::from_millis(wire.timeout_ms));
        Ok(Self { name: wire.name, kind, period, timeout })
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
