//! How far an activation is. Each state that announces a change of the host is written before the change.

use order::UnitName;

use crate::{BootId, Cause, Fault, Moment, Remedy};

/// How far an activation is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// The systems are being rooted; nothing else is touched.
    Prepared,
    /// The guard is being started.
    Armed,
    /// `switch-to-configuration test` of the new system runs, or is about to, in a unit of its own.
    Switching {
        /// When the activation and its checks must have ended.
        until: Moment,
        /// When it must have shown progress.
        idle: Moment,
    },
    /// The boot loader learns of the new system, beside the old one, which stays its default (mode `reboot`).
    Entry {
        /// What is being made.
        part: EntryPart,
    },
    /// The host is about to boot the new system once, or does.
    Rebooting {
        /// What is being done.
        part: RebootPart,
        /// A reboot that has not begun by then does not begin any more.
        until: Moment,
    },
    /// The host has booted the new system; the guard is being started in this boot too.
    Landed,
    /// The new system runs and is looked at.
    Checking {
        /// When the activation and its checks must have ended.
        until: Moment,
        /// What is looked at.
        part: CheckPart,
    },
    /// The new system runs and holds; the operator has to say so over a new connection.
    AwaitingConfirm {
        /// Without a confirmation by then the old system comes back.
        deadline: Moment,
    },
    /// Decided for the new system: only forward.
    Committing {
        /// What is being set.
        part: CommitPart,
        /// How often it was tried before.
        tries: u32,
    },
    /// Decided for the old system: only back.
    Reverting(Reverting),
    /// End: the new system runs.
    Confirmed {
        /// For how long.
        lasting: Lasting,
    },
    /// End: the old system runs and boots.
    RolledBack {
        /// Why.
        cause: Cause,
        /// What is not as it was.
        aftermath: Aftermath,
    },
    /// End: nothing was switched.
    Unchanged {
        /// Why not.
        cause: Cause,
    },
    /// End: a person has to look.
    Stuck {
        /// What happened.
        cause: Cause,
        /// What is wrong now and what to do.
        remedy: Remedy,
    },
}

/// What [`State::Entry`] makes, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EntryPart {
    /// The trial profile, so that the loader's installer lists the new system.
    Trial,
    /// The entries, by the installer of the system that is and stays the default.
    Entries,
}

/// What [`State::Rebooting`] does, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RebootPart {
    /// The loader is told to boot the new system once.
    Once,
    /// The host reboots.
    Reboot,
}

/// What [`State::Checking`] looks at, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CheckPart {
    /// The failed and the protected units against the snapshot.
    Units,
    /// The network facts hold still.
    Settle,
    /// The checks of the order.
    Checks,
}

/// What [`State::Committing`] sets, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CommitPart {
    /// The system profile.
    Profile,
    /// The trial profile is dropped (mode `reboot`).
    Trial,
    /// The boot default, read back afterwards.
    Default,
}

/// What [`State::Reverting`] does, in this order: first what decides about the next boot, then what runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RevertPart {
    /// End the unit of the new system's activation.
    End,
    /// The loader boots the new system once no more.
    Once,
    /// The profile as it was.
    Profile,
    /// The boot default as it was.
    Default,
    /// The old system runs again.
    Back,
    /// The host reboots into its boot default, which is the old system: where the new one was booted, and where
    /// nothing else helps.
    Reboot,
    /// The trial profile is dropped.
    Trial,
    /// The loader's entries without it.
    Entries,
    /// The host against the snapshot.
    Compare,
    /// All is back but the network: somebody comes and says that the host is reachable, or it is rebooted.
    Contact,
}

/// A way back: rounds of the same parts, until the host is as it was or [`State::Stuck`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reverting {
    /// Why.
    pub cause: Cause,
    /// What the new system may have touched.
    pub reach: Reach,
    /// What is being done.
    pub part: RevertPart,
    /// How many rounds have failed before this one.
    pub tries: u32,
    /// A live owner that is still here by then is late, except while it restores the boot default.
    pub until: Moment,
    /// What went wrong in this round with what runs.
    pub running: Option<Fault>,
    /// What went wrong in this round with profile and boot default.
    pub boot: Option<Fault>,
    /// The boot in which a reboot was asked for. It is asked for again in that boot only.
    pub left: Option<BootId>,
    /// The host could not be made to reboot.
    pub stays: bool,
    /// Whether somebody came after the old system ran again.
    pub contact: Contact,
}

/// Whether somebody was in contact with the host after the way back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Contact {
    /// Nobody has waited for it.
    #[default]
    Unknown,
    /// Somebody was.
    Made,
    /// Nobody came in time.
    Missed,
}

/// What the new system may have touched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Reach {
    /// What runs: its activation was started.
    pub running: bool,
    /// Profile and boot default: its commit was begun.
    pub boot: bool,
    /// The trial profile, its entries and the one-time entry.
    pub trial: bool,
}

/// For how long a confirmed system runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lasting {
    /// It runs now and at every boot; the boot default was read back.
    Always,
    /// It runs now and at every boot, if the boot loader's installer is right: the default cannot be read.
    Unread,
    /// It runs now; the next boot is the old system's (mode `test`).
    UntilReboot,
    /// It runs from the next boot on (mode `boot`).
    FromNextBoot,
}

/// What is not as it was after a rollback. Empty: all is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Aftermath {
    /// Units that have failed now and had not before, or were active and protected before and are not now.
    pub units: Vec<UnitName>,
    /// What differs in the network, in the host's words.
    pub network: Option<Fault>,
    /// What is wrong with systemd itself: its bus is gone, it is silent, it is in emergency mode.
    pub manager: Option<Fault>,
    /// Whether the host was rebooted into its boot default.
    pub rebooted: bool,
    /// The comparison itself, if it failed, or what else is to be known.
    pub notes: Vec<Fault>,
}

impl Aftermath {
    /// Whether all is as it was.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.units.is_empty() && self.network.is_none() && self.manager.is_none() && self.notes.is_empty()
    }
}

/// A state without its details.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the variants are those of `State`")]
pub enum Phase {
    Prepared,
    Armed,
    Switching,
    Entry,
    Rebooting,
    Landed,
    Checking,
    AwaitingConfirm,
    Committing,
    Reverting,
    Confirmed,
    RolledBack,
    Unchanged,
    Stuck,
}

impl Phase {
    /// Every phase, in the order of a life.
    pub const ALL: [Self; 14] = [
        Self::Prepared,
        Self::Armed,
        Self::Switching,
        Self::Entry,
        Self::Rebooting,
        Self::Landed,
        Self::Checking,
        Self::AwaitingConfirm,
        Self::Committing,
        Self::Reverting,
        Self::Confirmed,
        Self::RolledBack,
        Self::Unchanged,
        Self::Stuck,
    ];

    /// The word for it in journals and for people.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Prepared => "prepared",
            Self::Armed => "armed",
            Self::Switching => "switching",
            Self::Entry => "entry",
            Self::Rebooting => "rebooting",
            Self::Landed => "landed",
            Self::Checking => "checking",
            Self::AwaitingConfirm => "awaiting-confirm",
            Self::Committing => "committing",
            Self::Reverting => "reverting",
            Self::Confirmed => "confirmed",
            Self::RolledBack => "rolled-back",
            Self::Unchanged => "unchanged",
            Self::Stuck => "stuck",
        }
    }

    /// Whether an activation ends with it.
    #[must_use]
    pub fn is_end(self) -> bool {
        self >= Self::Confirmed
    }
}

impl State {
    /// The state without its details.
    #[must_use]
    pub fn phase(&self) -> Phase {
        match self {
            Self::Prepared => Phase::Prepared,
            Self::Armed => Phase::Armed,
            Self::Switching { .. } => Phase::Switching,
            Self::Entry { .. } => Phase::Entry,
            Self::Rebooting { .. } => Phase::Rebooting,
            Self::Landed => Phase::Landed,
            Self::Checking { .. } => Phase::Checking,
            Self::AwaitingConfirm { .. } => Phase::AwaitingConfirm,
            Self::Committing { .. } => Phase::Committing,
            Self::Reverting(_) => Phase::Reverting,
            Self::Confirmed { .. } => Phase::Confirmed,
            Self::RolledBack { .. } => Phase::RolledBack,
            Self::Unchanged { .. } => Phase::Unchanged,
            Self::Stuck { .. } => Phase::Stuck,
        }
    }

    /// What the history says about the entry into this state.
    pub(crate) fn note(&self) -> Option<String> {
        match self {
            Self::Reverting(Reverting { cause, .. })
            | Self::RolledBack { cause, .. }
            | Self::Unchanged { cause }
            | Self::Stuck { cause, .. } => Some(cause.to_string()),
            _ => None,
        }
    }

    /// Whether the activation has ended.
    #[must_use]
    pub fn is_end(&self) -> bool {
        self.phase().is_end()
    }
}
