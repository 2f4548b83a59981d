//! What the operator wants of a deploy, and what the operator is asked.

use std::num::NonZeroU32;
use std::time::Duration;

use order::{HostName, Mode, SystemPath};
use report::Extent;

/// What a deploy is to do, for the hosts that were selected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The hosts; those that are not in the fleet are passed over.
    pub hosts: Vec<HostName>,
    /// Whether the operator named them. If not, images, virtual machines, containers and hosts that pull are left
    /// out, and the operator is asked before the first activation (but see [`Request::yes`]).
    pub named: bool,
    /// Whether every question is answered with yes beforehand.
    pub yes: bool,
    /// How far to go.
    pub goal: Goal,
    /// At most so many hosts at a time, of those that prepare and of those that activate; none is the fleet's setting.
    pub parallel: Option<NonZeroU32>,
    /// Activate in groups of this size, each when the one before has ended.
    pub batch: Option<NonZeroU32>,
    /// Begin no further activation once so many hosts have failed.
    pub stop_after: Option<NonZeroU32>,
    /// How activations are gone about.
    pub manner: Manner,
}

/// How far a deploy goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goal {
    /// The system is built.
    Build,
    /// The system is in the host's store.
    Push,
    /// The system becomes what this mode says.
    Activate(Mode),
    /// The machine is restarted; nothing is evaluated, built or sent.
    Reboot,
}

impl Goal {
    /// The mode that reports name.
    #[must_use]
    pub fn mode(self) -> Mode {
        match self {
            Self::Activate(mode) => mode,
            Self::Build | Self::Push | Self::Reboot => Mode::DryActivate,
        }
    }

    /// How far reports say it was to go.
    #[must_use]
    pub fn extent(self) -> Extent {
        match self {
            Self::Activate(_) => Extent::Activate,
            Self::Build => Extent::Build,
            Self::Push => Extent::Push,
            Self::Reboot => Extent::Reboot,
        }
    }
}

/// How activations are gone about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Manner {
    /// Leave the confirmation to `lockstep confirm`.
    pub hold: bool,
    /// Keep a system that does not hold.
    pub no_rollback: bool,
    /// Instead of each host's own time to confirm.
    pub confirm_timeout: Option<Duration>,
    /// With mode `switch`: reboot a host into its new system where that refuses a switch.
    pub reboot: bool,
    /// Reboots that are not guarded are wanted, too.
    pub unguarded: bool,
    /// Instead of each host's own time to come back from a reboot.
    pub reboot_timeout: Option<Duration>,
}

/// The person or program at the operator's end. Called from threads of several hosts.
pub trait Ask: Send + Sync {
    /// The password that lets this user become root there; none if there is nobody to ask. It is remembered for the
    /// rest of the run, and asked for again if it was wrong.
    fn password(&self, request: &PasswordRequest) -> Option<String>;

    /// Whether to go on. Asked at most once for a run, when every host is ready or has failed.
    fn proceed(&self, question: &Question) -> bool;
}

/// Whose password is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasswordRequest {
    /// The host.
    pub host: HostName,
    /// Where it is reached, as `user@address`.
    pub address: String,
    /// The command line that needs it.
    pub command: String,
    /// Whether a password was given before and was wrong.
    pub again: bool,
}

/// A host that is ready for what is asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The host.
    pub host: HostName,
    /// Its new system, or the one that it would boot; none if nobody knows.
    pub system: Option<SystemPath>,
    /// What is to become of it otherwise than of the others, and why, a sentence each.
    pub remarks: Vec<String>,
    /// Why nothing brings the host back if it does not come up, where that is so.
    pub unguarded: Option<String>,
}

/// The question before the first activation or reboot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// What is to be done.
    pub goal: Goal,
    /// Whether a reboot belongs to it.
    pub reboots: bool,
    /// The hosts that are ready, sorted. Hosts that have their new system already are not among them.
    pub ready: Vec<Candidate>,
    /// What was left out, each with the reason, sorted.
    pub left_out: Vec<(String, String)>,
    /// Hosts that have failed already, sorted.
    pub failed: Vec<HostName>,
    /// Why the activations are not guarded, if they are not: mode `boot`.
    pub unguarded: Option<&'static str>,
}
