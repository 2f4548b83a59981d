//! The conductor: each host from evaluation to confirmation.
//!
//! [`deploy`] takes the selected hosts of a [`Fleet`](fleet::Fleet) through the stages evaluate, build, connect, ship,
//! activate and confirm, every host by itself and all at the same time: one activates while another still evaluates,
//! and one that fails hides and stops no other. [`status`], [`history`], [`exec`], [`confirm`], [`attach`], [`abort`],
//! [`rollback`] and [`reboot`] use the same connections. What happens is told as [`Event`]s while it happens; what was learned
//! is remembered in a [`State`] directory.
//!
//! Nothing here prints or reads the terminal: who calls brings an [`Operator`], with the channel that events go to and
//! somebody to [`Ask`].

mod activation;
mod agents;
mod bases;
mod causes;
mod check;
mod conduct;
mod confirming;
mod connect;
mod deploying;
mod event;
mod garbage;
mod gate;
mod hook;
mod judge;
mod link;
mod lock;
mod operations;
mod operator;
mod orders;
mod outcome;
mod passwords;
mod patience;
mod pipeline;
mod place;
mod queue;
mod reach;
mod rebooting;
mod request;
mod run_id;
#[cfg(test)]
mod samples;
mod ship;
mod state;
mod stop;
mod talk;
mod tell;
mod text;
mod way;
mod wire;

pub use self::event::{BACKLOG, Event, News, Progress, Voice};
pub use self::garbage::{Garbage, HostRoot, garbage, trim};
pub use self::operations::{Past, abort, attach, confirm, deploy, exec, history, reboot, rollback, status};
pub use self::operator::{BeginError, Operator};
pub use self::outcome::{Answered, HostOutcome, Outcome};
pub use self::request::{Ask, Candidate, Goal, Manner, PasswordRequest, Question, Request};
pub use self::run_id::RunId;
pub use self::state::{Fate, Root, State, StateError, Stored, Why};
pub use self::stop::{Stop, Urgency};
pub use eval::{Cancel, EvalError, Evaluate, Limits, Nix, Options as NixOptions, Source, SourceError};
pub use session::{Exec, Exit};
