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

/// The shortest of [`ROUNDS`] times.
pub(crate) fn fastest(mut round: impl FnMut() -> Duration) -> Duration {
    (0..ROUNDS).map(|_| round()).min().unwrap_or_default()
}

/// MiB per second.
#[expect(clippy::cast_precision_loss, reason = "sizes here are far below 2^52")]
pub(crate) fn rate(bytes: u64, time: Duration) -> f64 {
    bytes as f64 / f64::from(1 << 20) / time.as_secs_f64()
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
