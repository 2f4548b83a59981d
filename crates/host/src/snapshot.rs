//! The host as it is before anything is touched.

use activate::{Before, Fault};
use order::Order;
use system::units::UnitStates;

use crate::{clock::BootClock, links, loader, network, units};

/// Takes the snapshot for an order: what the journal keeps, and the states of all units.
///
/// # Errors
/// If it cannot be told what runs, or systemd does not answer.
pub fn snapshot(order: &Order) -> Result<(Before, UnitStates), Fault> {
    let states = units::states()?;
    let running =
        links::running().ok_or_else(|| Fault::new("/run/current-system names no system: is this NixOS?"))?;
    let before = Before {
        boot: BootClock::new().boot(),
        running,
        booted: links::booted(),
        profile: links::profile(),
        default: loader::boot_default(),
        failed: states.failed().filter_map(|unit| unit.parse().ok()).collect(),
        active: units::protected_active(&order.settings, &states),
        network: network::snapshot(&order.system.clone().into()),
    };
    Ok((before, states))
}
