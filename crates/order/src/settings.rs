//! How the host is to go about an order: limits, checks, and what may not fail.

use std::time::Duration;

use crate::{Check, UnitName};

/// The settings that travel to the host with an order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settings {
    /// How long each part may take.
    pub limits: Limits,
    /// What must hold on the new system, tried from the host itself.
    pub checks: Vec<Check>,
    /// Units that must be active on the new system if they were active before.
    pub protected: Vec<UnitName>,
    /// What follows when the new system does not hold.
    pub on_failure: OnFailure,
}

/// How long each part of an activation may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The activation of the new system, in all.
    pub total: Duration,
    /// The activation without a sign of progress.
    pub idle: Duration,
    /// From the end of the activation (checks included) until the operator has confirmed.
    pub confirm: Duration,
    /// How long the network facts must hold still before a confirmation counts, if the change touches them.
    pub settle: Duration,
}

impl Default for Limits {
    /// 10 minutes in all, 5 without progress, 2 to confirm, 10 seconds to settle.
    fn default() -> Self {
        Self {
            total: Duration::from_secs(600),
            idle: Duration::from_secs(300),
            confirm: Duration::from_secs(120),
            settle: Duration::from_secs(10),
        }
    }
}

/// What follows when the new system does not hold: a failed activation, unit or check, or no confirmation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum OnFailure {
    /// Go back to the system that ran before.
    #[default]
    RollBack,
    /// Leave the new system running, unconfirmed; the next boot is still the old one. A person decides.
    Keep,
}
