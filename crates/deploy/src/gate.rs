//! When a host may activate: in groups (gateways alone and last, batches), after the question, and not after too many
//! failures.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use order::HostName;
use thiserror::Error;

use crate::{Candidate, Stop};

/// How often somebody who waits looks whether the operator wants to stop.
const LOOK: Duration = Duration::from_millis(100);

/// All that decides, as values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Turns {
    /// A group begins when all hosts of the groups before it have ended.
    groups: Vec<Vec<HostName>>,
    stop_after: Option<StopAfter>,
    /// Hosts that wait for their turn.
    ready: BTreeMap<HostName, Candidate>,
    /// Hosts that have ended, and whether they failed.
    ended: BTreeMap<HostName, bool>,
    question: Asked,
}

/// How many failures let no other host begin, and what to say of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StopAfter {
    pub(crate) failures: NonZeroU32,
    pub(crate) option: &'static str,
}

/// Whether the question is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asks {
    Never,
    /// If a host is ready of which something has to be said: a reboot that is not guarded, or another mode.
    IfNeeded,
    Always,
}

/// Where the question is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    /// To be asked, if it is, when every host is ready or has ended.
    Open(Asks),
    /// Somebody asks it.
    Asking,
    /// The answer, or that there is none to be asked.
    Answered(bool),
}

/// What is next for a host that is ready.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Next {
    /// It may activate.
    Go,
    /// It waits for this.
    Wait(&'static str),
    /// It asks the question, and then asks here again.
    Ask,
    /// It does not activate in this run.
    Never(String),
}

impl Turns {
    pub(crate) fn new(
        waves: &[Vec<HostName>],
        batch: Option<NonZeroU32>,
        stop_after: Option<StopAfter>,
        asks: Asks,
    ) -> Self {
        let size = batch.map_or(usize::MAX, |batch| usize::try_from(batch.get()).unwrap_or(usize::MAX));
        let groups = waves.iter().flat_map(|wave| wave.chunks(size)).map(<[HostName]>::to_vec).collect();
        let question = match asks {
            Asks::Never => Asked::Answered(true),
            asks => Asked::Open(asks),
        };
        Self { groups, stop_after, ready: BTreeMap::new(), ended: BTreeMap::new(), question }
    }

    /// What is next for this host, which is ready.
    pub(crate) fn next(&self, host: &HostName) -> Next {
        match self.question {
            Asked::Open(asks) if self.all_known() => {
                if asks == Asks::Always || self.ready.values().any(needs_words) {
                    return Next::Ask;
                }
            }
            Asked::Open(_) | Asked::Asking => return Next::Wait("the answer to the question"),
            Asked::Answered(false) => return Next::Never("the operator said no".to_owned()),
            Asked::Answered(true) => {}
        }
        let failures = self.ended.values().filter(|failed| **failed).count();
        if let Some(StopAfter { failures: limit, option }) = self.stop_after
            && failures >= usize::try_from(limit.get()).unwrap_or(usize::MAX)
        {
            return Next::Never(format!("{failures} hosts have failed before its turn ({option})"));
        }
        let before = self.groups.iter().take_while(|group| !group.contains(host));
        let open = before.flatten().any(|other| !self.ended.contains_key(other));
        if open { Next::Wait("the hosts before it") } else { Next::Go }
    }

    fn all_known(&self) -> bool {
        let known = |host: &HostName| self.ready.contains_key(host) || self.ended.contains_key(host);
        self.groups.iter().flatten().all(known)
    }
}

/// Whether nobody may be taken to know what is to become of the host.
fn needs_words(candidate: &Candidate) -> bool {
    !candidate.remarks.is_empty() || candidate.unguarded.is_some()
}

/// Why a host does not activate in this run.
#[derive(Debug, Error)]
#[error("{0}")]
pub(crate) struct NoTurn(String);

/// The turns, shared by the threads of all hosts.
pub(crate) struct Gate {
    turns: Mutex<Turns>,
    changed: Condvar,
}

impl Gate {
    pub(crate) fn new(turns: Turns) -> Self {
        Self { turns: Mutex::new(turns), changed: Condvar::new() }
    }

    /// Waits for this host's turn. `ask` asks the question, about these hosts and those that have failed; `waits` is
    /// told what is waited for.
    ///
    /// # Errors
    /// Why the host does not activate in this run.
    pub(crate) fn wait(
        &self,
        candidate: Candidate,
        stop: &Stop,
        waits: &mut dyn FnMut(&'static str),
        ask: &dyn Fn(Vec<Candidate>, Vec<HostName>) -> bool,
    ) -> Result<(), NoTurn> {
        let host = &candidate.host.clone();
        let mut turns = self.lock();
        turns.ready.insert(host.clone(), candidate);
        self.changed.notify_all();
        let mut told = None;
        loop {
            if stop.is_wished() {
                return Err(NoTurn("the operator stopped the run before its turn".to_owned()));
            }
            match turns.next(host) {
                Next::Go => return Ok(()),
                Next::Never(why) => return Err(NoTurn(why)),
                Next::Wait(what) => {
                    if told.replace(what) != Some(what) {
                        waits(what);
                    }
                    turns = self.changed.wait_timeout(turns, LOOK).unwrap_or_else(PoisonError::into_inner).0;
                }
                Next::Ask => {
                    turns.question = Asked::Asking;
                    let (ready, failed) = turns.asked_about();
                    drop(turns);
                    let answer = ask(ready, failed);
                    turns = self.lock();
                    turns.question = Asked::Answered(answer);
                    self.changed.notify_all();
                }
            }
        }
    }

    /// A host has ended.
    pub(crate) fn end(&self, host: &HostName, failed: bool) {
        let mut turns = self.lock();
        turns.ready.remove(host);
        turns.ended.insert(host.clone(), failed);
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Turns> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turns {
    fn asked_about(&self) -> (Vec<Candidate>, Vec<HostName>) {
        let ready = self.ready.values().cloned().collect();
        let failed: BTreeSet<_> =
            self.ended.iter().filter(|(_, failed)| **failed).map(|(host, _)| host.clone()).collect();
        (ready, failed.into_iter().collect())
    }
}

#[cfg(test)]
mod tests;
