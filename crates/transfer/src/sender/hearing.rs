//! Hearing the receiver while the stream goes to it.

use std::{
    io::Read,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use super::{FAST_LINE, FASTEST_LINE, SLOW_LINE};
use crate::{
    answer::{Said, Verdict},
    watch::Pulse,
    wire::Malformed,
};

/// Bytes in a second that only a fast line carries: 40 Mbit/s.
const FAST: u64 = 5_000_000;
/// The same for a line that is faster than one processor compresses: 250 Mbit/s.
const FASTEST: u64 = 31_000_000;
/// How far apart the receiver's words are at least, when it says them. On the way they may catch up with one another.
const APART: Duration = Duration::from_millis(50);

/// What the receiver has said.
#[derive(Default)]
pub(super) struct Hearing {
    /// Most bytes in a second that went over between two words.
    most: AtomicU64,
    over: AtomicBool,
    end: Mutex<Option<Result<Verdict, Malformed>>>,
}

impl Hearing {
    /// Listens until the receiver has ended.
    pub(super) fn listen(&self, mut from: impl Read, pulse: &Pulse) {
        let (mut before, mut since) = (0, Instant::now());
        let end = loop {
            match Said::read(&mut from) {
                Ok(Said::GoingOn { received }) => {
                    self.went_over(received.saturating_sub(before), since.elapsed());
                    (before, since) = (received, Instant::now());
                    pulse.beat();
                }
                Ok(Said::Verdict(verdict)) => break Ok(verdict),
                Ok(Said::Answer(_)) => break Err(Malformed::Unexpected { what: "a verdict" }),
                Err(error) => break Err(error),
            }
        };
        *self.end.lock().unwrap_or_else(PoisonError::into_inner) = Some(end);
        self.over.store(true, Ordering::Release);
    }

    /// So many bytes went over between two words that came so far apart: no fewer than that long, whatever the way did
    /// to them, and a receiver that is busy says them later.
    fn went_over(&self, bytes: u64, apart: Duration) {
        let millis = u64::try_from(apart.max(APART).as_millis()).unwrap_or(u64::MAX);
        self.most.fetch_max(bytes.saturating_mul(1000) / millis, Ordering::Relaxed);
    }

    /// Whether the receiver has ended: more need not be sent.
    pub(super) fn is_over(&self) -> bool {
        self.over.load(Ordering::Acquire)
    }

    /// zstd's level for this line, as far as is known.
    pub(super) fn level(&self) -> i32 {
        match self.most.load(Ordering::Relaxed) {
            0..FAST => SLOW_LINE,
            FAST..FASTEST => FAST_LINE,
            FASTEST.. => FASTEST_LINE,
        }
    }

    /// How it ended.
    pub(super) fn end(self) -> Result<Verdict, Malformed> {
        let end = self.end.into_inner().unwrap_or_else(PoisonError::into_inner);
        end.unwrap_or_else(|| Err(std::io::Error::from(std::io::ErrorKind::UnexpectedEof).into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_count_more_than_time_until_the_line_is_known_to_be_fast() {
        // Bytes and how far apart the words came; 10 Mbit/s is 62,500 bytes in 50 ms.
        let cases: [(&[(u64, u64)], i32); 6] = [
            (&[], SLOW_LINE),
            (&[(62_500, 50), (62_500, 50)], SLOW_LINE),
            (&[(500_000, 400), (125_000, 1)], SLOW_LINE),
            (&[(62_500, 50), (400_000, 50), (0, 50)], FAST_LINE),
            (&[(1_700_000, 50)], FASTEST_LINE),
            (&[(1_700_000, 0)], FASTEST_LINE),
        ];
        for (words, level) in cases {
            let hearing = Hearing::default();
            words
                .iter()
                .for_each(|(bytes, millis)| hearing.went_over(*bytes, Duration::from_millis(*millis)));
            assert_eq!(hearing.level(), level, "{words:?}");
        }
    }
}
