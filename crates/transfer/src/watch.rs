//! Noticing that nothing goes on, and ending the connections then.

use std::{
    fmt,
    sync::{
        Arc, Condvar, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use crate::error::{Error, Side};

/// The sign that something goes on, with the longest time that may pass between two beats.
///
/// A transfer beats for every part of a NAR. Whoever sees other signs may beat too: the target's log events
/// while it substitutes ([`Client::on_log`](daemon::Client::on_log)), a builder's output.
#[derive(Clone)]
pub struct Pulse(Arc<Heart>);

struct Heart {
    limit: Option<Duration>,
    beats: AtomicU64,
}

impl Pulse {
    /// A pulse that may stop for so long, or for ever.
    #[must_use]
    pub fn new(limit: Option<Duration>) -> Self {
        Self(Arc::new(Heart { limit, beats: AtomicU64::new(0) }))
    }

    /// Something goes on.
    pub fn beat(&self) {
        self.0.beats.fetch_add(1, Ordering::Relaxed);
    }

    fn beats(&self) -> u64 {
        self.0.beats.load(Ordering::Relaxed)
    }
}

impl fmt::Debug for Pulse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pulse").field("limit", &self.0.limit).finish_non_exhaustive()
    }
}

/// Watches a pulse from a thread of its own, which ends with this value.
#[derive(Debug)]
pub(crate) struct Watch {
    limit: Duration,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    over: Mutex<bool>,
    told: Condvar,
    stalled: AtomicBool,
    /// Whether the local side is waited for.
    local: AtomicBool,
}

impl Watch {
    /// Watches until it is dropped; when the pulse stops, `hang_up` ends what is waited for.
    pub(crate) fn start(pulse: &Pulse, hang_up: impl Fn() + Send + 'static) -> Self {
        let shared = Arc::new(Shared::default());
        let (limit, thread) = match pulse.0.limit {
            None => (Duration::ZERO, None),
            Some(limit) => {
                let (pulse, shared) = (pulse.clone(), Arc::clone(&shared));
                (limit, Some(thread::spawn(move || watch(&pulse, limit, &shared, hang_up))))
            }
        };
        Self { limit, shared, thread }
    }

    /// Says who is waited for from now on.
    pub(crate) fn waits_for(&self, side: Side) {
        self.shared.local.store(side == Side::Local, Ordering::Relaxed);
    }

    /// The result; that nothing went on is the cause of whatever error came of it.
    pub(crate) fn end<T>(self, result: Result<T, Error>) -> Result<T, Error> {
        let stalled = self.shared.stalled.load(Ordering::SeqCst);
        let side = if self.shared.local.load(Ordering::Relaxed) { Side::Local } else { Side::Remote };
        match result {
            Err(_) if stalled => Err(Error::Stalled { side, limit: self.limit }),
            result => result,
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        *self.shared.over.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.shared.told.notify_all();
        if let Some(thread) = self.thread.take() {
            // A watch that panicked has nothing left to say.
            let _panicked = thread.join();
        }
    }
}

fn watch(pulse: &Pulse, limit: Duration, shared: &Shared, hang_up: impl Fn()) {
    let (mut beats, mut since) = (pulse.beats(), Instant::now());
    let mut over = shared.over.lock().unwrap_or_else(PoisonError::into_inner);
    while !*over {
        let left = limit.saturating_sub(since.elapsed());
        if left.is_zero() {
            shared.stalled.store(true, Ordering::SeqCst);
            hang_up();
            return;
        }
        over = shared.told.wait_timeout(over, left).unwrap_or_else(PoisonError::into_inner).0;
        if pulse.beats() != beats {
            (beats, since) = (pulse.beats(), Instant::now());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    fn failed() -> Result<(), Error> {
        let operation = daemon::Operation::QueryValidPaths;
        Err(Error::RemoteLost {
            source: daemon::Error::Io { operation, source: std::io::ErrorKind::Other.into() },
        })
    }

    #[test]
    fn a_pulse_that_stops_ends_what_is_waited_for() {
        for side in [Side::Local, Side::Remote] {
            let (sender, ended) = channel();
            let limit = Duration::from_millis(20);
            let watch = Watch::start(&Pulse::new(Some(limit)), move || sender.send(()).unwrap_or(()));
            watch.waits_for(side);
            ended.recv().unwrap();
            let error = watch.end(failed()).unwrap_err();
            assert!(
                matches!(error, Error::Stalled { side: stalled, limit: of } if stalled == side && of == limit)
            );
        }
    }

    #[test]
    fn what_goes_on_or_may_take_for_ever_is_left_alone() {
        for limit in [None, Some(Duration::from_secs(3600))] {
            let (sender, ended) = channel();
            let pulse = Pulse::new(limit);
            let watch = Watch::start(&pulse, move || sender.send(()).unwrap_or(()));
            pulse.beat();
            assert!(matches!(watch.end(failed()), Err(Error::RemoteLost { .. })), "its own error stays");
            assert!(ended.recv().is_err(), "nothing was ended, and the watch is over");
        }
    }
}
