//! Waiting until a boot has come to its end, before anything is said of what it has started.

use std::{thread, time::Duration};

use activate::{Fault, Record};

use crate::{clock::BootClock, manager, units};

/// How often systemd is asked.
const LOOK: Duration = Duration::from_millis(250);

/// Waits, in another boot than the one in which the record was begun, until systemd has started what it starts at a
/// boot, or will not.
///
/// # Errors
/// If that is not over when `stop` says so, or systemd is in trouble.
pub(crate) fn wait(record: &Record, stop: &mut dyn FnMut() -> bool) -> Result<(), Fault> {
    if BootClock::new().boot() == record.before.boot {
        return Ok(());
    }
    loop {
        let state = units::system_state();
        match state.as_deref() {
            Ok("running" | "degraded") => return Ok(()),
            Ok("maintenance" | "stopping") => {
                let trouble = manager::trouble();
                return Err(trouble.unwrap_or_else(|| Fault::new("systemd is in emergency mode, or stops")));
            }
            // One that does not answer at all may never do so.
            Err(_) if let Some(trouble) = manager::lasting_trouble() => return Err(trouble),
            _ if stop() => {
                let last = state.unwrap_or_else(|fault| fault.to_string());
                return Err(Fault::new(format!("the boot did not come to its end (systemd says: {last})")));
            }
            _ => thread::sleep(LOOK),
        }
    }
}
