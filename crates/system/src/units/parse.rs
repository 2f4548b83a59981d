//! Reading what `systemctl show` prints.

use std::collections::BTreeMap;

use thiserror::Error;

use super::{ActiveState, UnitState, UnitStates};
use crate::text::excerpt;

/// Longest text that is read.
const MAX_TEXT: usize = 32 << 20;
/// Most units of a host.
const MAX_UNITS: usize = 100_000;

/// The properties that [`UnitStates::from_show`] reads, for `systemctl show --property=`.
pub const PROPERTIES: &str = "Id,LoadState,ActiveState,SubState,Result,FragmentPath,NRestarts";

/// Why a text is not a list of units.
#[derive(Debug, Error)]
pub enum UnitsError {
    /// More than any host has.
    #[error("a list of units has at most {limit} {what}")]
    TooLong {
        /// Of what there are too many.
        what: &'static str,
        /// How many are accepted.
        limit: usize,
    },
    /// A line that is not `Key=Value`.
    #[error("'{line}' is not a property of a unit")]
    Line {
        /// The line's beginning.
        line: String,
    },
    /// Properties without the unit's name.
    #[error("properties of a unit without Id")]
    NoId,
    /// A number that is none.
    #[error("{unit}: '{value}' is not a number of restarts")]
    Number {
        /// The unit.
        unit: String,
        /// What was found.
        value: String,
    },
}

impl UnitStates {
    /// Reads `systemctl show --property=PROPERTIES '*'`: blocks of lines `Key=Value`, an empty line between units.
    ///
    /// What is no UTF-8 is replaced. Of several blocks of one unit (an alias) the last counts.
    ///
    /// # Errors
    /// If a line is no property, or a block has no `Id`.
    pub fn from_show(text: &[u8]) -> Result<Self, UnitsError> {
        bounded(text.len(), MAX_TEXT, "bytes")?;
        let text = String::from_utf8_lossy(text);
        let mut units = BTreeMap::new();
        for block in text.split("\n\n").map(str::trim).filter(|block| !block.is_empty()) {
            let (name, state) = from_block(block)?;
            units.insert(name, state);
            bounded(units.len(), MAX_UNITS, "units")?;
        }
        Ok(Self(units))
    }
}

fn bounded(found: usize, limit: usize, what: &'static str) -> Result<(), UnitsError> {
    if found > limit { Err(UnitsError::TooLong { what, limit }) } else { Ok(()) }
}

fn from_block(block: &str) -> Result<(String, UnitState), UnitsError> {
    let mut properties = BTreeMap::new();
    for line in block.lines() {
        let (key, value) = line.split_once('=').ok_or_else(|| UnitsError::Line { line: excerpt(line) })?;
        properties.insert(key, value);
    }
    let text = |key: &str| properties.get(key).copied().unwrap_or_default();
    let name = match text("Id") {
        "" => return Err(UnitsError::NoId),
        name => name.to_owned(),
    };
    let restarts = match text("NRestarts") {
        "" => None,
        number => Some(
            number
                .parse()
                .map_err(|_| UnitsError::Number { unit: excerpt(&name), value: excerpt(number) })?,
        ),
    };
    let state = UnitState {
        load: text("LoadState").to_owned(),
        active: ActiveState::from_word(text("ActiveState")),
        sub: text("SubState").to_owned(),
        result: properties.get("Result").map(|result| (*result).to_owned()),
        transient: text("FragmentPath").starts_with("/run/systemd/transient/"),
        restarts,
    };
    Ok((name, state))
}
