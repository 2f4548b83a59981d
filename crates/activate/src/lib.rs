//! The state machine of one activation: what is done next, and what is done when anything fails.
//!
//! Pure: [`step`] takes a [`Record`], an [`Event`], an [`Observation`] and a [`Moment`] and says what to write, what
//! to answer and what to do next. The driver loop is generic over three traits, so that a real machine (crate `host`)
//! and an exhaustive exploration run the same code.
//!
//! How crates `host` and `agent` use it:
//!
//! - **The owner** holds the lock, takes the snapshot ([`Before`]), makes a [`Record`] and calls [`begin`]. It returns
//!   when the activation has ended. Its exit ends nothing that matters: the journal has the end.
//! - **Whoever finds an unfinished record** while the lock is free (the next session before it takes an order, the
//!   start of the host) takes the lock and calls [`resume`].
//! - **The guard** is started by [`Effect::Arm`]. It loads the journal once, keeps that record in memory, reports that
//!   it is ready, and calls [`guard`], which sleeps, and takes over when the owner is dead or late.
//! - **Sessions** never touch a record. They deliver [`Event::Confirm`] and [`Event::Abort`] to the owner's
//!   [`Host::wait`], which hands them to the machine one by one; [`Host::reply`] answers. That the deadline and a
//!   confirmation cannot both win follows from this: both are events of one process.
//!
//! Every state that announces a change of the host is in the journal before the change is made; only a rollback goes
//! on when the journal cannot be written.
//!
//! In mode `reboot` the new system is booted once, and the boot default stays the old one until it was confirmed: a
//! host that is cut off, panics or hangs comes back with the old system at its next boot.

mod cause;
mod drive;
mod event;
#[cfg(test)]
mod explore;
mod moment;
mod record;
mod state;
mod step;
mod wire;

pub use cause::{Cause, Remedy};
pub use drive::{Clock, Ended, Host, Journal, LoadError, Owner, Watch, begin, guard, resume};
pub use event::{Effect, Event, Observation, Once, Reply, SwitchResult, SwitchUnit};
pub use moment::{BootId, BootIdError, Moment};
pub use record::{Before, BootDefault, Fault, NotActivated, Record, Transition};
pub use state::{
    Aftermath, CheckPart, CommitPart, Contact, EntryPart, Lasting, Phase, Reach, RebootPart, RevertPart,
    Reverting, State,
};
pub use step::{Next, Save, Step, Vigil, step, vigil};
pub use wire::{MAX_RECORD, RecordError};
