//! What a session does beside listening: threads that are told when nobody waits for them any more.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// How long a session that ends waits for them; then the kernel ends what they have started.
const GRACE: Duration = Duration::from_secs(2);
/// How often they are looked at then.
const LOOK: Duration = Duration::from_millis(10);

/// The jobs of a session.
#[derive(Debug, Default)]
pub(crate) struct Jobs {
    running: Vec<JoinHandle<()>>,
    stop: Arc<AtomicBool>,
}

impl Jobs {
    /// Starts one; it looks at the flag and ends soon after it is set.
    pub(crate) fn start(&mut self, job: impl FnOnce(&AtomicBool) + Send + 'static) {
        let stop = Arc::clone(&self.stop);
        self.running.push(thread::spawn(move || job(&stop)));
    }

    /// How many have not ended.
    pub(crate) fn count(&mut self) -> usize {
        self.running.retain(|thread| !thread.is_finished());
        self.running.len()
    }

    /// Ends them all.
    pub(crate) fn end(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let start = Instant::now();
        while self.running.iter().any(|thread| !thread.is_finished()) && start.elapsed() < GRACE {
            thread::sleep(LOOK);
        }
    }
}
