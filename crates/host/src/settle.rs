//! Settling: a confirmation counts only once the network has stopped moving, if the change touches the way to the host.

use std::{
    thread,
    time::{Duration, Instant},
};

use activate::{Fault, Record};
use order::SystemPath;
use system::{System, difference};

use crate::{links, network, tree::Files};

/// How often the network is looked at.
const LOOK: Duration = Duration::from_millis(500);

/// Waits until the network facts have held still for `still`. Nothing is waited for if the change does not touch the
/// way to the host.
pub(crate) fn settle(record: &Record, still: Duration, stop: &mut dyn FnMut() -> bool) -> Result<(), Fault> {
    if still.is_zero() || !touches_reach(&record.before.running, &record.new_system()) {
        return Ok(());
    }
    let mut facts = network::sight();
    let mut since = Instant::now();
    while since.elapsed() < still {
        if stop() {
            return Err(Fault::new(format!("it did not hold still for {} s", still.as_secs())));
        }
        thread::sleep(LOOK.min(still));
        let now = network::sight();
        if now != facts {
            (facts, since) = (now, Instant::now());
        }
    }
    Ok(())
}

/// Whether the change may touch the way to the host. In doubt it does.
fn touches_reach(old: &SystemPath, new: &SystemPath) -> bool {
    let read = |system| System::read(&Files, &links::folder(system));
    match (read(old), read(new)) {
        (Ok(old), Ok(new)) => !difference(&old, &new).touches_reach().is_empty(),
        _ => true,
    }
}
