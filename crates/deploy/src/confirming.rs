//! The confirmation: checks from here, then everything that the next deploy will need, over a new login.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use order::{Check, Order};
use report::{Cause, Ending};
use session::Answer;

use crate::check;
use crate::connect::Connector;
use crate::patience::pause;
use crate::tell::Teller;

/// Longest pause between two tries.
const LONGEST: Duration = Duration::from_secs(8);
/// How often somebody who pauses looks whether it still matters.
const LOOK: Duration = Duration::from_millis(100);

/// What a confirmation came to.
#[derive(Debug)]
pub(crate) enum Confirmed {
    /// The activation has ended.
    Ended(Ending),
    /// A check from here does not hold, so nothing was confirmed.
    CheckFailed(Cause),
    /// It was not confirmed, with the last reason.
    GaveUp(String),
}

/// What one try came to.
enum Attempt {
    Over(Confirmed),
    /// Not yet, for this reason.
    Again(String),
}

/// A confirmation that goes on in a thread of its own. Dropping it makes the thread end soon.
pub(crate) struct Confirming {
    result: Receiver<Confirmed>,
    last: Arc<Mutex<Option<String>>>,
    quit: Arc<AtomicBool>,
}

/// What a confirmation needs.
pub(crate) struct Confirmation {
    pub(crate) connector: Arc<Connector>,
    pub(crate) teller: Arc<Teller>,
    pub(crate) order: Order,
    pub(crate) checks: Vec<Check>,
    pub(crate) deadline: Instant,
}

impl Confirming {
    pub(crate) fn start(confirmation: Confirmation) -> Self {
        let quit = Arc::new(AtomicBool::new(false));
        let (sender, result) = channel();
        let quits = Arc::clone(&quit);
        let last = Arc::new(Mutex::new(None));
        let lasts = Arc::clone(&last);
        thread::spawn(move || {
            let quit = || quits.load(Ordering::SeqCst);
            // Nobody waits for it any more: then it does not matter.
            let _gone = sender.send(confirmation.run(&quit, &|why| {
                *lasts.lock().unwrap_or_else(PoisonError::into_inner) = Some(why.to_owned());
            }));
        });
        Self { result, last, quit }
    }

    /// Why it did not work the last time that it was tried.
    pub(crate) fn last(&self) -> Option<String> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What it came to, if it has.
    pub(crate) fn poll(&self) -> Option<Confirmed> {
        self.result.try_recv().ok()
    }
}

impl Drop for Confirming {
    fn drop(&mut self) {
        self.quit.store(true, Ordering::SeqCst);
    }
}

impl Confirmation {
    /// Checks, then tries to confirm until the deadline. `failed` is told why a try did not work.
    fn run(&self, quit: &dyn Fn() -> bool, failed: &dyn Fn(&str)) -> Confirmed {
        let late = || quit() || Instant::now() >= self.deadline;
        if let Err(cause) = check::all(&self.checks, &late, failed) {
            return Confirmed::CheckFailed(cause);
        }
        let mut last = "the time to confirm was over before the first try".to_owned();
        for number in 0.. {
            let left = self.deadline.saturating_duration_since(Instant::now());
            let Some(time) = pause(number, LONGEST, left) else { break };
            sleep(time, quit);
            if quit() {
                break;
            }
            match self.attempt() {
                Ok(Attempt::Over(confirmed)) => return confirmed,
                Ok(Attempt::Again(why)) => last = why,
                Err(cause) => last = cause.text,
            }
            failed(&last);
            if number == 0 {
                self.teller.note(format!("not confirmed at once: {last}"));
            }
        }
        Confirmed::GaveUp(last)
    }

    /// A new login, elevation, the agent, the confirmation.
    fn attempt(&self) -> Result<Attempt, Cause> {
        let contact = self.connector.fresh_before(self.deadline)?;
        let answer = contact.talk.confirm(&self.order.id, &self.order.nonce);
        let answer = answer.map_err(|error| contact.cause(&error))?;
        contact.talk.end();
        Ok(match answer {
            Answer::Done(ending) | Answer::TooLate(Some(ending)) => Attempt::Over(Confirmed::Ended(ending)),
            Answer::TooLate(None) => {
                Attempt::Over(Confirmed::GaveUp("the confirmation came too late".to_owned()))
            }
            Answer::Aborting => Attempt::Over(Confirmed::GaveUp("the order was taken back".to_owned())),
            Answer::Refused { why } => Attempt::Again(crate::text::plain(&why)),
        })
    }
}

/// Comes to a host over a new connection until it was reached or the time is over: it counts that somebody came.
pub(crate) fn come(connector: Arc<Connector>, until: Instant) {
    thread::spawn(move || {
        for number in 0.. {
            let left = until.saturating_duration_since(Instant::now());
            let Some(time) = pause(number, LONGEST, left) else { return };
            thread::sleep(time);
            if let Ok(contact) = connector.fresh_before(until) {
                contact.talk.end();
                return;
            }
        }
    });
}

/// Sleeps, unless it no longer matters.
pub(crate) fn sleep(time: Duration, quit: &dyn Fn() -> bool) {
    let until = Instant::now() + time;
    while !quit() {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return;
        }
        thread::sleep(left.min(LOOK));
    }
}
