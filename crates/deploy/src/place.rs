//! Where the agent is started from, and what follows when it is not there: decided without effects.

use ssh::{Elevation, Error, Refusal};
use store::store_path::{StoreDir, StorePath};

/// A place on the host that an agent may be started from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// Our own agent, where adding it to the store would put it.
    Ours(StorePath),
    /// The agent that the host's own system has.
    System,
}

/// What was learned of a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Miss {
    /// There is nothing, or nothing that runs there or speaks as we do.
    Absent,
    /// This user may not run it as root; perhaps another.
    Forbidden,
}

impl Place {
    /// The program's path.
    pub(crate) fn program(&self) -> String {
        match self {
            Self::Ours(path) => format!("{}/bin/lockstep-agent", StoreDir::default().display(path)),
            Self::System => "/run/current-system/sw/bin/lockstep-agent".to_owned(),
        }
    }
}

/// Where to look, in this order. A host's own agent comes first where root must be asked for, since a narrow rule of
/// sudo can only name that one.
pub(crate) fn places(ours: Option<StorePath>, elevation: Elevation) -> Vec<Place> {
    let ours = ours.map(Place::Ours);
    if elevation != Elevation::None {
        [Place::System].into_iter().chain(ours).collect()
    } else {
        ours.into_iter().chain([Place::System]).collect()
    }
}

/// Whether another place may do where this one did not.
pub(crate) fn miss(error: &Error) -> Option<Miss> {
    match error {
        Error::NotFound(_) | Error::NotExecutable(_) => Some(Miss::Absent),
        Error::Refused { refusal: Refusal::NotAllowed | Refusal::PasswordNeeded, .. } => {
            Some(Miss::Forbidden)
        }
        _ => None,
    }
}

/// Whether the agent should be added to the host's store after these places did not do: not if ours was only forbidden.
pub(crate) fn should_add(misses: &[(Place, Miss)]) -> bool {
    !misses.iter().any(|(place, miss)| matches!(place, Place::Ours(_)) && *miss == Miss::Forbidden)
}

/// The system of this machine, in Nix's words.
pub(crate) fn own_system() -> String {
    system_of_arch(std::env::consts::ARCH)
}

/// Nix's word for a Linux machine that Rust names so.
fn system_of_arch(arch: &str) -> String {
    let machine = match arch {
        "x86" => "i686",
        "arm" => "armv7l",
        same => same,
    };
    format!("{machine}-linux")
}

/// The system of what `uname -sm` printed, in Nix's words.
pub(crate) fn system_of_uname(text: &str) -> Option<String> {
    let (kernel, machine) = text.trim().split_once(' ')?;
    let machine = match machine.trim() {
        "i386" | "i586" | "i686" => "i686",
        "armv8l" => "armv7l",
        machine => machine,
    };
    let known = ["x86_64", "aarch64", "i686", "armv7l", "armv6l", "riscv64"];
    (kernel == "Linux" && known.contains(&machine)).then(|| format!("{machine}-linux"))
}

#[cfg(test)]
mod tests;
