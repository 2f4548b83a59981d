//! Hearing the receiver while the stream goes to it.

use std::{
    io::Read,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use super::{FAST_LINE, FASTEST_LINE, SLOW_LINE};
use crate::{
    answer::{Said, Verdict},
    watch::Pulse,
    wire::Malformed,
};

/// Bytes that only a fast line carries between two words of the receiver, which are 50 ms apart at least: 40 Mbit/s.
const FAST: u64 = 256 << 10;
/// The same for a line that is faster than one processor compresses: 250 Mbit/s.
const FASTEST: u64 = 3 << 19;

/// What the receiver has said.
#[derive(Default)]
pub(super) struct Hearing {
    /// Most bytes that went over between two words.
    most: AtomicU64,
    over: AtomicBool,
    end: Mutex<Option<Result<Verdict, Malformed>>>,
}

impl Hearing {
    /// Listens until the receiver has ended.
    pub(super) fn listen(&self, mut from: impl Read, pulse: &Pulse) {
        let mut before = 0;
        let end = loop {
            match Said::read(&mut from) {
                Ok(Said::GoingOn { received }) => {
                    self.most.fetch_max(received.saturating_sub(before), Ordering::Relaxed);
                    before = received;
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
