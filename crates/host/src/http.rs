//! An http check.

use std::time::Duration;

use activate::Fault;
use ureq::Agent;

use crate::chain;

/// Whether a GET of the URL is answered with this status, or with any of 200 to 299.
pub(crate) fn get(url: &str, status: Option<u16>, limit: Duration) -> Result<(), Fault> {
    let agent: Agent = Agent::config_builder()
        .timeout_global(Some(limit))
        .http_status_as_error(false)
        .max_redirects(if status.is_some() { 0 } else { 5 })
        .build()
        .into();
    let answer = agent.get(url).call().map_err(|error| Fault::new(format!("{url}: {}", chain(&error))))?;
    let found = answer.status();
    let good = status.map_or(found.is_success(), |wanted| found.as_u16() == wanted);
    if good { Ok(()) } else { Err(Fault::new(format!("{url} was answered with {found}"))) }
}
