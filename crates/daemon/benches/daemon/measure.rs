//! Taking times.

use std::time::{Duration, Instant};

/// Rounds of each measurement; the fastest counts, because the machine is shared.
pub(crate) const ROUNDS: usize = 5;

/// The time that `work` takes.
pub(crate) fn time(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

/// Bytes that do not compress, the same every time.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    /// The next eight bytes (xorshift64).
    fn next(&mut self) -> [u8; 8] {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.to_le_bytes()
    }

    /// The next `count` bytes, rounded up to a multiple of eight.
    pub(crate) fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count.div_ceil(8)).flat_map(|_| self.next()).collect()
    }
}
