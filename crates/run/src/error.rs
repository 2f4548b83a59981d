//! What can go wrong with a child process, told with the command that did it.

use std::io;
use std::process::ExitStatus;
use std::time::Duration;

/// A child process that could not be started, followed or finished as asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The program does not exist or may not be executed.
    #[error("cannot start `{command}`")]
    Start {
        /// The command line, for people.
        command: String,
        /// What the system said.
        source: io::Error,
    },
    /// The program ran and ended with another status than 0.
    #[error("`{command}` failed: {status}{}", tail(.stderr))]
    Failed {
        /// The command line, for people.
        command: String,
        /// How it ended.
        status: ExitStatus,
        /// The end of what it wrote to standard error.
        stderr: String,
    },
    /// The program was still running when its time was up, and was killed with its group.
    #[error("`{command}` was killed: it was not done after {limit:?}{}", tail(.stderr))]
    TimedOut {
        /// The command line, for people.
        command: String,
        /// The time it had.
        limit: Duration,
        /// The end of what it wrote to standard error.
        stderr: String,
    },
    /// The program wrote more to standard output than its caller is ready to hold.
    #[error("`{command}` wrote more than {limit} bytes")]
    TooMuchOutput {
        /// The command line, for people.
        command: String,
        /// The bound, in bytes.
        limit: usize,
    },
    /// Talking to the running child failed.
    #[error("lost `{command}` while it ran")]
    Lost {
        /// The command line, for people.
        command: String,
        /// What the system said.
        source: io::Error,
    },
}

fn tail(stderr: &str) -> String {
    match stderr.trim_end() {
        "" => String::new(),
        text => format!("\n{text}"),
    }
}
