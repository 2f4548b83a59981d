//! The only door to the `nix` program: what a description names, what a host's system is, and its build.
//!
//! The user's own Nix (2.18 or later) evaluates and builds, with the user's settings and builders. A [`Nix`]
//! is one description ([`Source`]) read with one set of [`Options`]; it is what conductors use through the
//! trait [`Evaluate`], from as many threads as they like: a [`Pool`] bounds how many evaluations and builds
//! run at the same time.
//!
//! ```no_run
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use eval::{BuildRequest, Cancel, Evaluate, Limits, Nix, Options, Source};
//!
//! let source = Source::find(&std::env::current_dir()?)?;
//! let nix = Nix::new(source, Options::default(), Limits::detect());
//! let cancel = Cancel::default();
//! let names = nix.index(&cancel)?;
//! let web1 = nix.evaluate("web1", &cancel)?;
//! let request = BuildRequest { derivation: &web1.derivation, root: None };
//! let built = nix.build(&request, &cancel, &mut |event| drop(event))?;
//! let mut daemon = eval::local_daemon()?;
//! let closure = eval::closure(&mut daemon, &built.system)?;
//! # let _ = (names, closure.len()); Ok(()) }
//! ```
//!
//! What holds everywhere: argument vectors, never a shell; nothing of the user's lock files is written; what
//! Nix prints is foreign text, so it is bounded and free of escape codes before anybody sees it.

mod build;
mod cancel;
mod error;
mod evaluated;
mod expression;
mod invoke;
mod local;
mod log;
mod nix;
mod options;
mod pool;
mod source;
mod text;
mod wire;

pub use self::{
    build::{BuildError, BuildEvent, BuildRequest, Built},
    cancel::Cancel,
    error::{EvalError, Subject},
    evaluated::{Evaluated, Kind},
    local::{ClosureError, ConnectLocalError, closure, local_daemon},
    nix::{Evaluate, Limits, Nix},
    options::Options,
    pool::{Permit, Pool},
    source::{Source, SourceError},
    text::Words,
    wire::AnswerError,
};
