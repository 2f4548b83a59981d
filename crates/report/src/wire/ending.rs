//! The form of endings and causes.

use serde::{Deserialize, Serialize};

use super::ReportError;
use crate::{Cause, CauseKind, Ending};

/// Longest text of a cause in bytes, and most lines of its log.
const MAX_TEXT: usize = 4096;
const MAX_LINES: usize = 200;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "ending")]
pub(super) enum EndingWire {
    Confirmed { lasting: bool },
    RolledBack { cause: CauseWire, aftermath: Vec<String> },
    Unchanged { cause: CauseWire },
    Stuck { cause: CauseWire, remedy: String },
}

#[derive(Serialize, Deserialize)]
pub(super) struct CauseWire {
    kind: String,
    text: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    log: Vec<String>,
}

impl From<&Cause> for CauseWire {
    fn from(cause: &Cause) -> Self {
        cause.clone().into()
    }
}

impl From<Cause> for CauseWire {
    fn from(cause: Cause) -> Self {
        let skip = cause.log.len().saturating_sub(MAX_LINES);
        let log = cause.log.into_iter().skip(skip).map(cut).collect();
        Self { kind: cause.kind.word().to_owned(), text: cut(cause.text), log }
    }
}

impl From<CauseWire> for Cause {
    fn from(wire: CauseWire) -> Self {
        Self { kind: CauseKind::from_word(&wire.kind), text: wire.text, log: wire.log }
    }
}

/// The text, cut at a character's edge so that it keeps the bound.
fn cut(mut text: String) -> String {
    if text.len() > MAX_TEXT {
        text.truncate(text.floor_char_boundary(MAX_TEXT));
    }
    text
}

impl From<&Ending> for EndingWire {
    fn from(ending: &Ending) -> Self {
        match ending.clone() {
            Ending::Confirmed { lasting } => Self::Confirmed { lasting },
            Ending::RolledBack { cause, aftermath } => Self::RolledBack { cause: cause.into(), aftermath },
            Ending::Unchanged { cause } => Self::Unchanged { cause: cause.into() },
            Ending::Stuck { cause, remedy } => Self::Stuck { cause: cause.into(), remedy },
        }
    }
}

impl TryFrom<EndingWire> for Ending {
    type Error = ReportError;

    fn try_from(wire: EndingWire) -> Result<Self, ReportError> {
        Ok(match wire {
            EndingWire::Confirmed { lasting } => Self::Confirmed { lasting },
            EndingWire::RolledBack { cause, aftermath } => {
                Self::RolledBack { cause: cause.into(), aftermath }
            }
            EndingWire::Unchanged { cause } => Self::Unchanged { cause: cause.into() },
            EndingWire::Stuck { cause, remedy } => Self::Stuck { cause: cause.into(), remedy },
        })
    }
}
