//! When a host may activate: in groups (gateways alone and last, batches), after the question, and not after too many
//! failures.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use order::{HostName, SystemPath};
use thiserror::Error;

use crate::Stop;

/// How often somebody who waits looks whether the operator wants to stop.
const LOOK: Duration = Duration::from_millis(100);

/// All that decides, as values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Turns {
    /// A group begins when all hosts of the groups before it have ended.
    groups: Vec<Vec<HostName>>,
    stop_after: Option<NonZeroU32>,
    /// Hosts that wait for their turn, each with its new system.
    ready: BTreeMap<HostName, SystemPath>,
    /// Hosts that have ended, and whether they failed.
    ended: BTreeMap<HostName, bool>,
    question: Asked,
}

/// Where the question is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    /// To be asked when every host is ready or has ended.
    Open,
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
        stop_after: Option<NonZeroU32>,
        asks: bool,
    ) -> Self {
        let size = batch.map_or(usize::MAX, |batch| usize::try_from(batch.get()).unwrap_or(usize::MAX));
        let groups = waves.iter().flat_map(|wave| wave.chunks(size)).map(<[HostName]>::to_vec).collect();
        let question = if asks { Asked::Open } else { Asked::Answered(true) };
        Self { groups, stop_after, ready: BTreeMap::new(), ended: BTreeMap::new(), question }
    }

    /// What is next for this host, which has its new system at hand.
    pub(crate) fn next(&self, host: &HostName) -> Next {
        match self.question {
            Asked::Open if self.all_known() => return Next::Ask,
            Asked::Open | Asked::Asking => return Next::Wait("the answer to the question"),
            Asked::Answered(false) => return Next::Never("the operator said no".to_owned()),
            Asked::Answered(true) => {}
        }
        let failures = self.ended.values().filter(|failed| **failed).count();
        let limit = self.stop_after.map(|limit| usize::try_from(limit.get()).unwrap_or(usize::MAX));
        if limit.is_some_and(|limit| failures >= limit) {
            return Next::Never(format!("{failures} hosts have failed before its turn (--stop-after)"));
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
        (host, system): (&HostName, &SystemPath),
        stop: &Stop,
        waits: &mut dyn FnMut(&'static str),
        ask: &dyn Fn(Vec<(HostName, SystemPath)>, Vec<HostName>) -> bool,
    ) -> Result<(), NoTurn> {
        let mut turns = self.lock();
        turns.ready.insert(host.clone(), system.clone());
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
    fn asked_about(&self) -> (Vec<(HostName, SystemPath)>, Vec<HostName>) {
        let ready = self.ready.iter().map(|(host, system)| (host.clone(), system.clone())).collect();
        let failed: BTreeSet<_> =
            self.ended.iter().filter(|(_, failed)| **failed).map(|(host, _)| host.clone()).collect();
        (ready, failed.into_iter().collect())
    }
}

#[cfg(test)]
mod tests;
