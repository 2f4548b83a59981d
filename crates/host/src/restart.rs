//! Restarting the machine.

use std::time::Duration;

use activate::Fault;
use run::Command;

use crate::{chain::chain, units};

/// How long `systemctl reboot` may take to hand the job to systemd.
const LIMIT: Duration = Duration::from_secs(60);
/// How long the machine may take to go down once systemd has the job.
const DOWN: Duration = Duration::from_secs(600);

/// Restarts this machine; returns only if that does not come about.
#[must_use]
pub fn restart() -> Fault {
    let asked =
        Command::new(units::running_program("systemd/bin/systemctl")).arg("reboot").timeout(LIMIT).run();
    if let Err(error) = asked {
        return Fault::new(format!("the machine cannot be restarted: {}", chain(&error)));
    }
    std::thread::sleep(DOWN);
    Fault::new("systemd took the reboot, and the machine still runs")
}
