//! What the receiver tells: its answer, now and then that it goes on, and its verdict.

use std::{
    io::{self, Read, Write},
    sync::{
        Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use crate::answer::{Answer, Said, Verdict};

/// How often it is looked whether there is something to tell.
const LOOK: Duration = Duration::from_millis(50);

/// The way back to the sender.
pub(super) struct Voice<W> {
    to: Mutex<W>,
    received: AtomicU64,
    /// What else shows that something goes on.
    beats: AtomicU64,
    over: Mutex<bool>,
    told: Condvar,
}

impl<W: Write + Send> Voice<W> {
    pub(super) fn new(to: W) -> Self {
        let (received, beats) = (AtomicU64::new(0), AtomicU64::new(0));
        Self { to: Mutex::new(to), received, beats, over: Mutex::new(false), told: Condvar::new() }
    }

    pub(super) fn answer(&self, answer: Answer) -> io::Result<()> {
        self.say(&Said::Answer(answer))
    }

    pub(super) fn end(&self, verdict: Verdict) {
        // If it cannot be said, nobody is there to hear it.
        let _gone = self.say(&Said::Verdict(verdict));
    }

    /// Something goes on that is not seen in what comes.
    pub(super) fn beat(&self) {
        self.beats.fetch_add(1, Ordering::Relaxed);
    }

    /// Tells how far it is while `work` goes on.
    pub(super) fn while_it_speaks<T>(&self, work: impl FnOnce() -> T) -> T {
        thread::scope(|scope| {
            scope.spawn(|| self.tell());
            let done = work();
            *lock(&self.over) = true;
            self.told.notify_all();
            done
        })
    }

    fn tell(&self) {
        let mut last = (0, 0);
        let mut over = lock(&self.over);
        while !*over {
            over = self.told.wait_timeout(over, LOOK).unwrap_or_else(PoisonError::into_inner).0;
            let now = (self.received.load(Ordering::Relaxed), self.beats.load(Ordering::Relaxed));
            if now != last && !*over {
                last = now;
                if self.say(&Said::GoingOn { received: now.0 }).is_err() {
                    return;
                }
            }
        }
    }

    fn say(&self, said: &Said) -> io::Result<()> {
        said.write(&mut *lock(&self.to))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Counts what comes.
pub(super) struct Counted<'v, R, W> {
    from: R,
    voice: &'v Voice<W>,
}

impl<'v, R, W> Counted<'v, R, W> {
    pub(super) fn new(from: R, voice: &'v Voice<W>) -> Self {
        Self { from, voice }
    }
}

impl<R: Read, W> Read for Counted<'_, R, W> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.from.read(into)?;
        self.voice.received.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}
