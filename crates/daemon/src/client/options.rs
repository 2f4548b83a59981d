//! The options of a connection.

use std::{collections::BTreeMap, fmt};

use super::Client;
use crate::{error::Error, log::Verbosity, operation::Operation};

/// How the daemon shall work for this connection. Without any the daemon's own settings hold.
#[derive(Clone, PartialEq, Eq)]
pub struct Options {
    /// Whether the directory of a failed build is kept.
    pub keep_failed: bool,
    /// Whether the other builds go on when one has failed.
    pub keep_going: bool,
    /// Whether to build what should have been substituted but could not be.
    pub try_fallback: bool,
    /// How much the daemon tells.
    pub verbosity: Verbosity,
    /// Builds at the same time.
    pub max_jobs: u64,
    /// Seconds that a build may print nothing; 0 for any.
    pub max_silent_seconds: u64,
    /// Processors that one build may use; 0 for all.
    pub build_cores: u64,
    /// Whether to substitute.
    pub use_substitutes: bool,
    /// Any settings of `nix.conf`. From a client that is not trusted the daemon takes few, and warns of the
    /// others. The values may be secrets, so [`Debug`](fmt::Debug) shows the names only.
    pub overrides: BTreeMap<String, String>,
}

impl Default for Options {
    /// The defaults of `nix.conf`.
    fn default() -> Self {
        Self {
            keep_failed: false,
            keep_going: false,
            try_fallback: false,
            verbosity: Verbosity::Info,
            max_jobs: 1,
            max_silent_seconds: 0,
            build_cores: 0,
            use_substitutes: true,
            overrides: BTreeMap::new(),
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("keep_failed", &self.keep_failed)
            .field("keep_going", &self.keep_going)
            .field("try_fallback", &self.try_fallback)
            .field("verbosity", &self.verbosity)
            .field("max_jobs", &self.max_jobs)
            .field("max_silent_seconds", &self.max_silent_seconds)
            .field("build_cores", &self.build_cores)
            .field("use_substitutes", &self.use_substitutes)
            .field("overrides", &fmt::from_fn(|f| f.debug_set().entries(self.overrides.keys()).finish()))
            .finish()
    }
}

impl Client {
    /// Sets the options of this connection, all of them.
    pub fn set_options(&mut self, options: &Options) -> Result<(), Error> {
        self.ask(
            Operation::SetOptions,
            |request| {
                request.flag(options.keep_failed);
                request.flag(options.keep_going);
                request.flag(options.try_fallback);
                request.number(options.verbosity.number());
                request.number(options.max_jobs);
                request.number(options.max_silent_seconds);
                let use_build_hook = true;
                request.flag(use_build_hook);
                // At which verbosity build logs are printed besides being told as news: at none that is asked
                // for.
                request.number(Verbosity::Vomit.number());
                let (log_type, print_build_trace) = (0, 0);
                request.number(log_type);
                request.number(print_build_trace);
                request.number(options.build_cores);
                request.flag(options.use_substitutes);
                request.list(&options.overrides, |request, (name, value)| {
                    request.text(name);
                    request.text(value);
                });
            },
            |_| Ok(()),
        )
    }
}
