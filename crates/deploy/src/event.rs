//! What happens during an operation, told to whoever renders it.
//!
//! Events come over a bounded channel ([`std::sync::mpsc::sync_channel`]; [`BACKLOG`] is a good bound): who does not
//! take them slows the operation, who hangs up stops nothing. Every text is one line without control characters.

use order::{HostName, SystemPath};
use report::{Deployed, Stage, Timestamp};

use crate::RunId;

/// A good bound for the channel of events.
pub const BACKLOG: usize = 4096;

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// When, by the clock of this machine.
    pub at: Timestamp,
    /// To whom; none if it is about the whole run.
    pub host: Option<HostName>,
    /// What.
    pub what: News,
}

/// What happened. More kinds may come.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum News {
    /// First of all: the run begins, with these hosts.
    Began {
        /// The run, which names its logs.
        run: RunId,
        /// Every host that takes part, sorted.
        hosts: Vec<HostName>,
    },
    /// A stage of the host begins. Connecting goes on beside evaluating and building.
    StageBegan(Stage),
    /// A stage of the host ended.
    StageEnded {
        /// Which.
        stage: Stage,
        /// Whether it did what it should.
        good: bool,
        /// How long it took, in milliseconds.
        millis: u64,
    },
    /// The host waits: for a place, for other hosts, for an answer.
    Waits {
        /// For what.
        what: String,
    },
    /// How far a stage is; at most some ten for each host and second.
    Progress(Progress),
    /// The system that the host is to run is known.
    System(SystemPath),
    /// A line that a program printed.
    Line {
        /// Which program.
        from: Voice,
        /// The line.
        text: String,
    },
    /// Something that the operator should know, though it stops nothing.
    Note(String),
    /// The end of the host's part.
    Result(Box<Deployed>),
    /// Last of all: the run has ended.
    Ended {
        /// The exit code that its results ask for.
        exit_code: u8,
    },
}

/// Who printed a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Voice {
    /// Nix here, while it evaluates or builds.
    Nix,
    /// The Nix daemon of the host, while it builds or fetches.
    Store,
    /// What runs during the host's activation.
    Activation,
    /// Standard output of a command on the host, or of a dry run.
    Out,
    /// Standard error of a command on the host, or of a dry run.
    Err,
}

/// How far a stage is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// Which stage.
    pub stage: Stage,
    /// What happens now, a few words; empty if nothing is to be added to the stage.
    pub text: String,
    /// Steps that are done, and all as far as is known: derivations of a build, paths of a copy.
    pub steps: Option<(u64, u64)>,
    /// Bytes that are done, and all: NAR bytes of a copy.
    pub bytes: Option<(u64, u64)>,
}
