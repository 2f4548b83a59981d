//! The host's clock: the boot, and the time since it, which goes on while the host sleeps.

use std::{
    fs,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use activate::{BootId, Clock, Moment};
use rustix::time::{ClockId, clock_gettime};

/// The clock of this host.
#[derive(Debug, Clone, Copy)]
pub struct BootClock {
    boot: BootId,
}

impl BootClock {
    /// The clock of the boot that is.
    #[must_use]
    pub fn new() -> Self {
        let text = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        // Without /proc nothing works anyway; a boot that cannot be named is like no other boot.
        Self { boot: text.trim().parse().unwrap_or(BootId::from_bits(0)) }
    }

    /// The boot.
    #[must_use]
    pub fn boot(self) -> BootId {
        self.boot
    }

    /// Now.
    #[must_use]
    pub fn moment(self) -> Moment {
        let time = clock_gettime(ClockId::Boottime);
        let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
        let nanos = u32::try_from(time.tv_nsec).unwrap_or(0);
        let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        Moment { boot: self.boot, since_boot: Duration::new(seconds, nanos), unix }
    }
}

impl Default for BootClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for BootClock {
    fn now(&mut self) -> Moment {
        self.moment()
    }
}
