//! The operator's wish to stop, said once or twice.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use eval::Cancel;

/// The wish to stop an operation, shared with whoever hears the operator's ctrl-C.
#[derive(Debug, Clone, Default)]
pub struct Stop {
    times: Arc<AtomicU8>,
    nix: Cancel,
}

/// How urgently to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Urgency {
    /// Not at all.
    No,
    /// Begin nothing more; activations under way go back.
    Stop,
    /// Leave now; the hosts' guards see to what is under way.
    Leave,
}

impl Stop {
    /// The operator wants to stop; the second time, to leave.
    pub fn wish(&self) {
        // It never wraps: 255 is reached by nobody's fingers, and more is the same.
        let _before =
            self.times.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |times| times.checked_add(1));
        self.nix.cancel();
    }

    /// How urgently.
    #[must_use]
    pub fn urgency(&self) -> Urgency {
        match self.times.load(Ordering::SeqCst) {
            0 => Urgency::No,
            1 => Urgency::Stop,
            _ => Urgency::Leave,
        }
    }

    /// Whether to begin nothing more.
    #[must_use]
    pub fn is_wished(&self) -> bool {
        self.urgency() > Urgency::No
    }

    /// What evaluations and builds look at.
    #[must_use]
    pub fn nix(&self) -> &Cancel {
        &self.nix
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wishes_add_up() {
        let stop = Stop::default();
        let other = stop.clone();
        let mut seen = vec![stop.urgency()];
        for _ in 0..3 {
            other.wish();
            seen.push(stop.urgency());
        }
        assert_eq!(seen, [Urgency::No, Urgency::Stop, Urgency::Leave, Urgency::Leave]);
        assert!(stop.nix().is_cancelled());
    }
}
