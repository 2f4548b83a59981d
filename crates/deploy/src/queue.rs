//! A bounded queue between two threads: who is too fast waits, and whoever ends it wakes the other.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A queue that holds items up to a weight.
pub(crate) struct Queue<T> {
    limit: usize,
    inner: Mutex<Inner<T>>,
    changed: Condvar,
}

struct Inner<T> {
    items: VecDeque<(T, usize)>,
    weight: usize,
    closed: bool,
}

/// What a wait for an item came to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Popped<T> {
    Item(T),
    TimedOut,
    /// Closed, and all that was in it has been taken.
    Closed,
}

impl<T> Queue<T> {
    pub(crate) fn new(limit: usize) -> Self {
        let inner = Inner { items: VecDeque::new(), weight: 0, closed: false };
        Self { limit, inner: Mutex::new(inner), changed: Condvar::new() }
    }

    /// Adds an item when there is room; false if the queue was closed. An empty queue has room for anything.
    pub(crate) fn push(&self, item: T, weight: usize) -> bool {
        let mut inner = self.lock();
        while !inner.closed && inner.weight > 0 && inner.weight.saturating_add(weight) > self.limit {
            inner = self.changed.wait(inner).unwrap_or_else(PoisonError::into_inner);
        }
        if inner.closed {
            return false;
        }
        inner.weight = inner.weight.saturating_add(weight);
        inner.items.push_back((item, weight));
        self.changed.notify_all();
        true
    }

    /// Takes the next item, waiting at most so long.
    pub(crate) fn pop(&self, limit: Duration) -> Popped<T> {
        let deadline = Instant::now().checked_add(limit);
        let mut inner = self.lock();
        loop {
            if let Some((item, weight)) = inner.items.pop_front() {
                inner.weight = inner.weight.saturating_sub(weight);
                self.changed.notify_all();
                return Popped::Item(item);
            }
            if inner.closed {
                return Popped::Closed;
            }
            let left = deadline.map_or(limit, |at| at.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                return Popped::TimedOut;
            }
            inner = self.changed.wait_timeout(inner, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Nothing more comes; what is in it can still be taken.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Inner<T>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn all_comes_in_order_through_a_narrow_queue() {
        let queue = Queue::new(3);
        thread::scope(|scope| {
            scope.spawn(|| {
                (0..100).for_each(|number| assert!(queue.push(number, 2)));
                queue.close();
            });
            (0..100).for_each(|number| assert_eq!(queue.pop(LONG), Popped::Item(number)));
            assert_eq!(queue.pop(LONG), Popped::Closed);
        });
    }

    #[test]
    fn closing_frees_who_waits() {
        let queue = Queue::new(1);
        assert!(queue.push('a', 5), "a heavy item goes into an empty queue");
        assert_eq!(Queue::<()>::new(1).pop(Duration::ZERO), Popped::TimedOut);
        thread::scope(|scope| {
            let waiting = scope.spawn(|| queue.push('b', 1));
            queue.close();
            assert!(!waiting.join().expect("no panic"));
        });
        assert_eq!(queue.pop(LONG), Popped::Item('a'));
        assert_eq!(queue.pop(LONG), Popped::Closed);
    }
}
