//! One question, one stream: what a host lacks of a closure goes to its daemon.
//!
//! The two stores are two [`daemon::Client`]s that the caller brings; what carries their bytes is not known
//! here. [`send`] does all of it. Its parts can be called by themselves:
//!
//! | part | what |
//! |---|---|
//! | [`ask`] | which paths of the closure the target has, or gets from caches by itself |
//! | [`need`] | how many paths and bytes are missing then: is there room for them? |
//! | [`stream`] | the missing paths go over, in one stream, read from the local store as they are sent |
//!
//! **Trust.** The target's daemon must trust us: a daemon that does (root's, or that of a trusted user) takes
//! paths without signatures, any other one wants the signature of a key it trusts. [`Error::Refused`] says
//! which.
//!
//! **Broken connections.** The target adds each path when it has all of it. So after an error that
//! [can be resumed](Error::can_resume) the caller makes new connections and calls [`send`] again, which asks
//! again and goes on where it stopped.
//!
//! **Memory.** A NAR is never held: what the local daemon gives is passed on as it comes.

mod announcement;
mod answer;
mod ask;
#[cfg(test)]
mod cases;
mod error;
mod lanes;
mod progress;
mod question;
mod receiver;
mod record;
mod send;
mod sender;
#[doc(hidden)]
pub mod walk;
mod watch;
mod wire;

pub use self::{
    answer::Verdict,
    ask::{Answer, Need, ask, need},
    error::{Error, Refusal, Side},
    lanes::{Join, LanesReader, LanesWriter},
    progress::Progress,
    question::MAX_PATHS,
    receiver::{Connect, Place, receive},
    send::{Request, Sent, send, stream},
    sender::{Again, Asked, Bases, Behind, Given, Offer, OnDisk, Outcome, Source, SourceError, Streams},
    watch::Pulse,
    wire::Malformed,
};
