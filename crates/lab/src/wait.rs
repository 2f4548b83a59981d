//! Waiting for a named condition with a deadline; nothing in the lab sleeps and hopes.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};

/// How often a condition is looked at.
const STEP: Duration = Duration::from_millis(20);

/// Looks until `condition` gives a value; after `limit` fails with what was waited for and the last reason.
pub fn until<T>(what: &str, limit: Duration, mut condition: impl FnMut() -> Result<T>) -> Result<T> {
    let deadline = Instant::now() + limit;
    loop {
        match condition() {
            Ok(value) => return Ok(value),
            Err(error) if Instant::now() >= deadline => {
                return Err(error.context(format!("{what}: not within {limit:?}")));
            }
            Err(_) => thread::sleep(STEP),
        }
    }
}

/// Looks until `condition` holds.
pub fn until_true(what: &str, limit: Duration, mut condition: impl FnMut() -> bool) -> Result<()> {
    until(what, limit, || if condition() { Ok(()) } else { Err(anyhow!("it never became true")) })
}
