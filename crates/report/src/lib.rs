//! What happened to a host, append-only; what a host says of itself; and the fold of both into what is known.
//!
//! Pure: values in, values out. A [`Report`] is one line in a file that only grows; [`Known::fold`] reads such lines.

mod ending;
mod fold;
mod status;
mod time;
mod wire;

use order::{HostName, Mode, OrderId, SystemPath};

pub use ending::{Cause, CauseKind, Ending};
pub use fold::Known;
pub use status::{Generation, HostStatus, LastActivation, LoaderDefault, Pending};
pub use time::Timestamp;
pub use wire::{MAX_REPORT, ReportError};

/// One thing that was learned about a host, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// When, by the clock of who wrote it.
    pub at: Timestamp,
    /// Whom it is about.
    pub host: HostName,
    /// What was learned.
    pub what: What,
}

/// What a report says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// The host answered and said this of itself.
    Seen(Box<HostStatus>),
    /// The host could not be reached.
    Unreachable {
        /// Why, in one line.
        why: String,
    },
    /// A deploy of this host ended.
    Deployed(Deployed),
}

/// How the deploy of one host ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deployed {
    /// The order, if it came that far.
    pub order: Option<OrderId>,
    /// The system that was to run, if it was known.
    pub system: Option<SystemPath>,
    /// What was to become of it: `dry-activate` if it was not to be activated at all.
    pub mode: Mode,
    /// How far it was to go.
    pub extent: Extent,
    /// How it ended.
    pub result: HostResult,
    /// From the start of the deploy to its end on this host, in milliseconds.
    pub millis: u64,
    /// NAR bytes sent to the host.
    pub bytes: u64,
}

/// How far a deploy was to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Extent {
    /// The system is built.
    Build,
    /// The system is in the host's store.
    Push,
    /// The system becomes what the mode says.
    #[default]
    Activate,
    /// The machine is restarted, and its systems stay what they are.
    Reboot,
}

/// Where one host stands at the end of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HostResult {
    /// It runs (or ran already) what was asked for; nothing had to be done.
    AlreadyThere,
    /// No activation was asked for (`build`, `push`, `dry-activate`, a reboot) and all else was done.
    Done,
    /// An activation ended.
    Activated(Ending),
    /// Something failed before the host was changed.
    Failed {
        /// Where.
        stage: Stage,
        /// Why.
        cause: Cause,
    },
    /// The activation goes on, or waits for a confirmation, and this run no longer follows it.
    Pending {
        /// What it waits for and what to do, in one sentence.
        why: String,
    },
    /// It was left out.
    Skipped {
        /// Why, in one line.
        why: String,
    },
}

/// A part of a deploy, in the order in which a host goes through them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Stage {
    /// From the description to a derivation.
    Evaluate,
    /// From the derivation to a system.
    Build,
    /// To the host: ssh, elevation, agent.
    Connect,
    /// The system's closure to the host's store.
    Ship,
    /// The system becomes the one that runs.
    Activate,
    /// The machine goes down and comes back.
    Reboot,
    /// The new system is reached over a new connection.
    Confirm,
}

impl Stage {
    /// Every stage in its order.
    pub const ALL: [Self; 7] =
        [Self::Evaluate, Self::Build, Self::Connect, Self::Ship, Self::Activate, Self::Reboot, Self::Confirm];

    /// The word for it in tables and stored forms.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Evaluate => "evaluate",
            Self::Build => "build",
            Self::Connect => "connect",
            Self::Ship => "ship",
            Self::Activate => "activate",
            Self::Reboot => "reboot",
            Self::Confirm => "confirm",
        }
    }

    /// The stage of a word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.word() == word)
    }
}

impl HostResult {
    /// The exit code that this result asks for; the worst of all hosts wins (see [`worst_exit_code`]).
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::AlreadyThere | Self::Done | Self::Activated(Ending::Confirmed { .. }) => 0,
            Self::Activated(Ending::Stuck { .. }) => 4,
            Self::Activated(Ending::RolledBack { .. }) => 3,
            Self::Failed { cause, .. } if cause.kind == CauseKind::NotBack => 4,
            Self::Failed { cause, .. } if cause.kind == CauseKind::Offline => 5,
            Self::Activated(Ending::Unchanged { .. }) | Self::Failed { .. } => 1,
            Self::Pending { .. } | Self::Skipped { .. } => 5,
        }
    }
}

/// The worst of exit codes: 4 a host needs a person, 3 one was rolled back, 1 one failed and is unchanged, 5 not
/// every host is done, 0 all as asked. (2, usage, is decided before anything begins.)
#[must_use]
pub fn worst_exit_code(codes: impl IntoIterator<Item = u8>) -> u8 {
    const BY_WEIGHT: [u8; 5] = [4, 3, 1, 5, 0];
    let weight = |code: &u8| BY_WEIGHT.iter().position(|known| known == code).unwrap_or(0);
    codes.into_iter().min_by_key(weight).unwrap_or(0)
}
