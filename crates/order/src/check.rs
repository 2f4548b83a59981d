//! What must hold on a host after its activation.

use std::time::Duration;

/// One thing that must hold, tried again until it does or its time is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// Its name, for people; unique within a host.
    pub name: String,
    /// What is tried.
    pub kind: CheckKind,
    /// How long to wait between two tries.
    pub period: Duration,
    /// How long it may take until the first success, all tries included.
    pub timeout: Duration,
}

/// What a check tries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CheckKind {
    /// A GET of this URL (`http://` or `https://`) is answered with this status, or any of 200 to 299.
    Http {
        /// The URL.
        url: String,
        /// The one status that counts as good.
        status: Option<u16>,
    },
    /// A connection to this `host:port` is accepted.
    Tcp {
        /// Host and port.
        address: String,
    },
    /// This argument vector, program first, ends with 0.
    Command {
        /// Program and arguments; not empty.
        words: Vec<String>,
    },
}
