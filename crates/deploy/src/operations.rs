//! What can be done with hosts: one function each.

use std::sync::Arc;

use eval::Evaluate;
use fleet::Fleet;
use order::HostName;
use report::{Generation, HostStatus, LastActivation};
use session::{Exec, Exit};

use crate::{Answered, BeginError, Manner, Operator, Outcome, Request};

/// Deploys: see [`Request`].
///
/// # Errors
/// If it could not begin; whatever becomes of a host stands in the outcome.
pub fn deploy(
    operator: &Operator,
    evaluate: &Arc<dyn Evaluate>,
    fleet: &Fleet,
    request: &Request,
) -> Result<Outcome, BeginError> {
    let _ = (operator, evaluate, fleet, request);
    Err(BeginError::NoHost)
}

/// Asks every host what it says of itself. What was learned is remembered ([`State::known`](crate::State::known)).
///
/// # Errors
/// If it could not begin.
pub fn status(
    operator: &Operator,
    fleet: &Fleet,
    hosts: &[HostName],
) -> Result<Vec<Answered<HostStatus>>, BeginError> {
    let _ = (operator, fleet, hosts);
    Err(BeginError::NoHost)
}

/// Asks every host what it did last: activations and generations, both newest first.
///
/// # Errors
/// If it could not begin.
pub fn history(
    operator: &Operator,
    fleet: &Fleet,
    hosts: &[HostName],
    limit: u32,
) -> Result<Vec<Answered<(Vec<LastActivation>, Vec<Generation>)>>, BeginError> {
    let _ = (operator, fleet, hosts, limit);
    Err(BeginError::NoHost)
}

/// Runs a program on every host, as root. Its output comes as events.
///
/// # Errors
/// If it could not begin.
pub fn exec(
    operator: &Operator,
    fleet: &Fleet,
    hosts: &[HostName],
    wish: &Exec,
) -> Result<Vec<Answered<Exit>>, BeginError> {
    let _ = (operator, fleet, hosts, wish);
    Err(BeginError::NoHost)
}

/// Confirms the activation that each host waits with, over a new connection, if the order is one of this operator's.
///
/// # Errors
/// If it could not begin.
pub fn confirm(operator: &Operator, fleet: &Fleet, hosts: &[HostName]) -> Result<Outcome, BeginError> {
    let _ = (operator, fleet, hosts);
    Err(BeginError::NoHost)
}

/// Follows the activation that goes on on each host to its end, and confirms it if it is this operator's.
///
/// # Errors
/// If it could not begin.
pub fn attach(
    operator: &Operator,
    fleet: &Fleet,
    hosts: &[HostName],
    manner: Manner,
) -> Result<Outcome, BeginError> {
    let _ = (operator, fleet, hosts, manner);
    Err(BeginError::NoHost)
}

/// Takes the activation that goes on on each host back.
///
/// # Errors
/// If it could not begin.
pub fn abort(operator: &Operator, fleet: &Fleet, hosts: &[HostName]) -> Result<Outcome, BeginError> {
    let _ = (operator, fleet, hosts);
    Err(BeginError::NoHost)
}

/// Activates the system of an older generation of each host's profile: that of this number, or of the one before the
/// current system's. Nothing is shipped.
///
/// # Errors
/// If it could not begin.
pub fn rollback(
    operator: &Operator,
    fleet: &Fleet,
    request: &Request,
    to: Option<u64>,
) -> Result<Outcome, BeginError> {
    let _ = (operator, fleet, request, to);
    Err(BeginError::NoHost)
}
