//! What every operation is given: the operator's side.

use std::env;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;

use thiserror::Error;

use crate::{Ask, Event, State, StateError, Stop};

/// The operator's side of every operation. Clones are the same.
#[derive(Clone)]
pub struct Operator {
    /// What is remembered.
    pub state: State,
    /// Who is told what happens.
    pub events: SyncSender<Event>,
    /// Who answers questions.
    pub ask: Arc<dyn Ask>,
    /// The wish to stop.
    pub stop: Stop,
    /// Whether ssh itself may ask on the terminal: for passphrases, and for trust in host keys.
    pub ssh_may_ask: bool,
    /// Directories with static agents, looked through before the usual ones.
    pub agents: Vec<PathBuf>,
}

/// Why an operation did not begin.
#[derive(Debug, Error)]
pub enum BeginError {
    /// What is remembered cannot be reached.
    #[error(transparent)]
    State(#[from] StateError),
    /// There is no place for the sockets of connections.
    #[error(transparent)]
    Sockets(#[from] ssh::NoSockets),
    /// The system has no random numbers.
    #[error("the system gives no random numbers")]
    Random(#[source] getrandom::Error),
    /// Nothing is to be done: no host was selected.
    #[error("no host is selected")]
    NoHost,
}

impl Operator {
    /// An operator with the usual places.
    #[must_use]
    pub fn new(state: State, events: SyncSender<Event>, ask: Arc<dyn Ask>) -> Self {
        let agents = env::var_os("LOCKSTEP_AGENTS").map(|paths| env::split_paths(&paths).collect());
        Self {
            state,
            events,
            ask,
            stop: Stop::default(),
            ssh_may_ask: true,
            agents: agents.unwrap_or_default(),
        }
    }
}
