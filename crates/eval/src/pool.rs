//! How much runs at the same time.

use std::{
    sync::{Condvar, Mutex, PoisonError},
    time::Duration,
};

use crate::cancel::Cancel;

/// How often somebody who waits looks whether the wait was cancelled.
const LOOK: Duration = Duration::from_millis(50);

/// A bounded number of places, shared by any number of threads.
#[derive(Debug)]
pub struct Pool {
    free: Mutex<usize>,
    freed: Condvar,
}

/// One place of a [`Pool`], given back when it is dropped.
#[derive(Debug)]
pub struct Permit<'a>(&'a Pool);

impl Pool {
    /// A pool with so many places, at least one.
    #[must_use]
    pub fn new(places: usize) -> Self {
        Self { free: Mutex::new(places.max(1)), freed: Condvar::new() }
    }

    /// Waits for a place; none if it was cancelled meanwhile.
    #[must_use]
    pub fn enter(&self, cancel: &Cancel) -> Option<Permit<'_>> {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        while *free == 0 {
            if cancel.is_cancelled() {
                return None;
            }
            free = self.freed.wait_timeout(free, LOOK).unwrap_or_else(PoisonError::into_inner).0;
        }
        if cancel.is_cancelled() {
            return None;
        }
        *free -= 1;
        Some(Permit(self))
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        *self.0.free.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.0.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicUsize, Ordering},
        thread,
    };

    use super::*;

    #[test]
    fn no_more_than_the_places_are_taken_and_all_get_one() {
        let (pool, inside, most) = (Pool::new(3), AtomicUsize::new(0), AtomicUsize::new(0));
        thread::scope(|scope| {
            for _ in 0..20 {
                scope.spawn(|| {
                    let _permit = pool.enter(&Cancel::default()).unwrap();
                    most.fetch_max(inside.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    thread::yield_now();
                    inside.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        assert!(most.into_inner() <= 3);
        assert_eq!(pool.free.into_inner().unwrap(), 3);
    }

    #[test]
    fn who_waits_can_be_called_off() {
        let (pool, cancel) = (Pool::new(0), Cancel::default());
        let only = pool.enter(&cancel).unwrap();
        thread::scope(|scope| {
            let waiting = scope.spawn(|| pool.enter(&cancel).is_none());
            cancel.cancel();
            assert!(waiting.join().unwrap());
        });
        drop(only);
        assert!(pool.enter(&cancel).is_none(), "a free place is no use to who was called off");
        assert!(pool.enter(&Cancel::default()).is_some());
    }
}
