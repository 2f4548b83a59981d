//! How an activation ends, and why.

use std::fmt;

/// The end of an activation on a host. Every activation has exactly one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// The new system runs and was confirmed over a new connection.
    Confirmed {
        /// Whether it is also what the host boots, as its boot loader says.
        lasting: bool,
    },
    /// The system that ran before runs again, and it is what the host boots.
    RolledBack {
        /// Why.
        cause: Cause,
        /// What is different from before all the same, a sentence each.
        aftermath: Vec<String>,
    },
    /// Nothing was changed.
    Unchanged {
        /// Why.
        cause: Cause,
    },
    /// The host needs a person.
    Stuck {
        /// Why.
        cause: Cause,
        /// What the person should do.
        remedy: String,
    },
}

impl Ending {
    /// The word for it in tables.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Confirmed { .. } => "confirmed",
            Self::RolledBack { .. } => "rolled back",
            Self::Unchanged { .. } => "unchanged",
            Self::Stuck { .. } => "stuck",
        }
    }

    /// Why it did not end well, if it did not.
    #[must_use]
    pub fn cause(&self) -> Option<&Cause> {
        match self {
            Self::Confirmed { .. } => None,
            Self::RolledBack { cause, .. } | Self::Unchanged { cause } | Self::Stuck { cause, .. } => {
                Some(cause)
            }
        }
    }
}

/// Why something failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// Its kind.
    pub kind: CauseKind,
    /// One line for people, with what to do next where that is known.
    pub text: String,
    /// The last lines of the log of what failed, oldest first.
    pub log: Vec<String>,
}

impl Cause {
    /// A cause without a log.
    #[must_use]
    pub fn new(kind: CauseKind, text: impl Into<String>) -> Self {
        Self { kind, text: text.into(), log: Vec::new() }
    }

    /// The same with the last lines of a log.
    #[must_use]
    pub fn with_log(mut self, log: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.log = log.into_iter().map(Into::into).collect();
        self
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.text)
    }
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $word:literal,)+) => {
        /// The kind of a cause: what tells failures apart for programs.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum CauseKind {
            $($(#[$doc])* $kind,)+
        }

        impl CauseKind {
            /// Every kind.
            pub const ALL: &[Self] = &[$(Self::$kind,)+];

            /// The word for it in stored forms.
            #[must_use]
            pub fn word(self) -> &'static str {
                match self {
                    $(Self::$kind => $word,)+
                }
            }
        }
    };
}

kinds! {
    /// The description does not evaluate.
    Evaluation = "evaluation",
    /// A derivation does not build.
    Build = "build",
    /// The host cannot be reached.
    Offline = "offline",
    /// ssh reached the host and was refused, or its key is not the known one.
    Ssh = "ssh",
    /// sudo, run0 or doas refused.
    Elevation = "elevation",
    /// The agent is missing, does not run, or speaks another version.
    Agent = "agent",
    /// The system is for another kind of machine.
    Architecture = "architecture",
    /// Too little space on the host.
    Space = "space",
    /// The copy to the host failed.
    Transfer = "transfer",
    /// The host does another activation.
    Busy = "busy",
    /// The host was changed since the operator last looked.
    Stale = "stale",
    /// The host refuses the order for another reason.
    Refused = "refused",
    /// The activation failed: its checks, its scripts, its limits.
    Activation = "activation",
    /// Units failed that did not fail before.
    Units = "units",
    /// A check does not hold.
    Check = "check",
    /// Nobody confirmed in time.
    Unconfirmed = "unconfirmed",
    /// The operator took the order back.
    Aborted = "aborted",
    /// The host or its owner process died on the way.
    Interrupted = "interrupted",
    /// The boot loader does not name the system that it should.
    BootLoader = "boot-loader",
    /// Somebody else switched the host meanwhile.
    TakenOver = "taken-over",
    /// The host went down for a reboot and has not come back.
    NotBack = "not-back",
    /// Something that should not happen.
    Internal = "internal",
}

impl CauseKind {
    /// The kind of a word; what a newer Lockstep calls something else is [`CauseKind::Internal`].
    #[must_use]
    pub fn from_word(word: &str) -> Self {
        Self::ALL.iter().copied().find(|kind| kind.word() == word).unwrap_or(Self::Internal)
    }
}
