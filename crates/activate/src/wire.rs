//! The journal's form: JSON, version 1. `tests/golden` must parse for ever. The order in it has its own form.

mod nouns;
mod texts;

use order::{Order, OrderError};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;

use crate::{Before, Record, State, Transition};
use nouns::{BeforeDef, StateDef, TransitionWire};

/// Longest record in bytes that is read. What is written is shorter: every part of a record is bounded.
pub const MAX_RECORD: usize = 2 << 20;
const VERSION: u32 = 1;

/// Why bytes are not a record.
#[derive(Debug, Error)]
pub enum RecordError {
    /// More bytes than any record has.
    #[error("a journal has at most {MAX_RECORD} bytes, found {0}")]
    TooLong(usize),
    /// Not the JSON of a record, or with a name, path or state in it that is none.
    #[error("not an activation's journal")]
    Json(#[source] serde_json::Error),
    /// Written by a newer Lockstep.
    #[error(
        "this journal is of version {0}, known is {VERSION}; use the lockstep-agent that wrote it, or a newer one"
    )]
    Version(u32),
    /// The order in it is none.
    #[error("journal with a bad order")]
    Order(#[from] OrderError),
    /// It does not say when it began.
    #[error("journal without a history")]
    NoHistory,
}

impl Record {
    /// The record as JSON, on one line.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        let order = serde_json::from_slice(&self.order.to_json()).expect("invariant: an order writes JSON");
        let Self { before, state, history, .. } = self.clone();
        let history = history.into_iter().map(TransitionWire).collect();
        let wire = RecordWire { version: VERSION, order, before, state, history };
        serde_json::to_vec(&wire).expect("invariant: a record is plain data")
    }

    /// Reads a record.
    ///
    /// # Errors
    /// If the bytes are not a record of a version that is known.
    pub fn from_json(bytes: &[u8]) -> Result<Self, RecordError> {
        if bytes.len() > MAX_RECORD {
            return Err(RecordError::TooLong(bytes.len()));
        }
        let versioned: Versioned = serde_json::from_slice(bytes).map_err(RecordError::Json)?;
        if versioned.version != VERSION {
            return Err(RecordError::Version(versioned.version));
        }
        let wire: RecordWire = serde_json::from_slice(bytes).map_err(RecordError::Json)?;
        let order = Order::from_json(&serde_json::to_vec(&wire.order).map_err(RecordError::Json)?)?;
        let history: Vec<Transition> = wire.history.into_iter().map(|TransitionWire(each)| each).collect();
        if history.is_empty() {
            return Err(RecordError::NoHistory);
        }
        Ok(Self { order, before: wire.before, state: wire.state, history })
    }
}

#[derive(Deserialize)]
struct Versioned {
    version: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RecordWire {
    version: u32,
    order: Value,
    #[serde(with = "BeforeDef")]
    before: Before,
    #[serde(with = "StateDef")]
    state: State,
    history: Vec<TransitionWire>,
}
