//! What speaks against a switch to a system on this host, and what against a guarded reboot into it.

use order::SystemPath;

use crate::{
    check::{self, Unfit},
    links,
    once::{self, Unguarded},
};

/// What was found; nothing is changed for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Survey {
    /// What the system's own pre-switch checks say against a switch, or why they could not be asked.
    pub refused: Option<String>,
    /// Why a reboot into it would be unguarded.
    pub unguarded: Option<Unguarded>,
}

/// Looks at a system that is in this host's store. Its own checks may take two minutes.
#[must_use]
pub fn survey(system: &SystemPath) -> Survey {
    let refused = match check::pre_switch(&links::folder(system)) {
        Ok(()) => None,
        Err(Unfit::Refused { output, .. }) => Some(output),
        Err(error) => Some(error.explain()),
    };
    Survey { refused, unguarded: once::support(system).err() }
}
