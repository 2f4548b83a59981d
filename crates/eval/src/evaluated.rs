//! What the evaluation of one host gives.

use store::store_path::StorePath;

/// What the evaluation of one host gives. The derivation is in the store, nothing is built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evaluated {
    /// The derivation of `config.system.build.toplevel`, the same that nixos-rebuild builds.
    pub derivation: StorePath,
    /// Its output: the host's new system once it is built.
    pub system: StorePath,
    /// What the host must be to run it, in Nix's words: `x86_64-linux`.
    pub platform: String,
    /// Whether it is a system for a machine.
    pub kind: Kind,
    /// Warnings and traces that the evaluation printed, cut and bounded.
    pub warnings: Vec<String>,
}

/// What a configuration is made for. All but [`Kind::System`] say by what that was known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A machine.
    System,
    /// An image that installs or is booted once: an ISO, a netboot image, an installer.
    Installer {
        /// By what it was known.
        reason: String,
    },
    /// A virtual machine that its own host starts from the store.
    Vm {
        /// By what it was known.
        reason: String,
    },
    /// A container of another system.
    Container {
        /// By what it was known.
        reason: String,
    },
}

impl Kind {
    /// By what it was known that it is something else than a system for a machine.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::System => None,
            Self::Installer { reason } | Self::Vm { reason } | Self::Container { reason } => Some(reason),
        }
    }
}
