//! Restarting the machine: judged in the session, done in a service of its own, which outlives it.

use std::{
    process::ExitCode,
    thread,
    time::{Duration, Instant},
};

use host::{BootClock, Lock};
use report::{Cause, CauseKind};

use crate::owner;

/// The service that restarts the machine.
const UNIT: &str = "lockstep-reboot.service";
/// How long the operator gets to hear that the machine goes down.
const NOTICE: Duration = Duration::from_millis(500);
/// How long services may take to stop before the kernel is asked: nothing is wrong with this host.
const PATIENCE: Duration = Duration::from_secs(300);
/// How long an activation that is about to end may still hold the lock.
const LOCK: Duration = Duration::from_secs(5);
/// How often the lock is tried.
const LOOK: Duration = Duration::from_millis(50);

/// Why the machine is not restarted; nothing if it may be.
pub(crate) fn refuse(boot_id: &str) -> Option<Cause> {
    let boot = BootClock::new().boot().to_string();
    if boot != boot_id {
        let text = "the host has been restarted meanwhile; look at its status first";
        return Some(Cause::new(CauseKind::Stale, text));
    }
    if let Some(order) = owner::current() {
        let text = format!(
            "the activation of order {} has not ended there; `lockstep attach` follows it, `lockstep abort` ends it",
            order.id
        );
        return Some(Cause::new(CauseKind::Busy, text));
    }
    // An owner that has just told its end is about to let go of the lock.
    let start = Instant::now();
    while Lock::is_held() && start.elapsed() < LOCK {
        thread::sleep(LOOK);
    }
    Lock::is_held().then(|| Cause::new(CauseKind::Busy, "another activation is about to begin there"))
}

/// Starts the service that restarts the machine.
pub(crate) fn start() -> Result<(), Cause> {
    let started = host::start_service(UNIT, &[], &["reboot".to_owned()]);
    started.map_err(|fault| Cause::new(CauseKind::Activation, format!("the reboot does not begin: {fault}")))
}

/// The role `reboot`: holds the lock, so that nothing is begun any more, and restarts the machine.
pub(crate) fn run() -> ExitCode {
    // The session says first what is about to happen.
    thread::sleep(NOTICE);
    let Some(_lock) = lock() else {
        return crate::say("lockstep-agent: an activation goes on", ExitCode::FAILURE);
    };
    if owner::current().is_some() {
        return crate::say("lockstep-agent: an activation has not ended", ExitCode::FAILURE);
    }
    let Some(running) = host::running() else {
        return crate::say("lockstep-agent: no system runs", ExitCode::FAILURE);
    };
    crate::say(&format!("lockstep-agent: {}", host::reboot::reboot(&running, PATIENCE)), ExitCode::FAILURE)
}

fn lock() -> Option<Lock> {
    let start = Instant::now();
    loop {
        match Lock::take() {
            Ok(Some(lock)) => return Some(lock),
            _ if start.elapsed() >= LOCK => return None,
            _ => thread::sleep(LOOK),
        }
    }
}
