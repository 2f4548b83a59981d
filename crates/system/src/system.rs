//! A system's directory as NixOS builds it (`nixos/modules/system/activation/top-level.nix` of nixpkgs).

mod etc;
mod read;
mod unit;

use std::collections::BTreeMap;

pub use etc::EtcEntry;
pub use unit::{DropIn, Unit, UnitFile};

/// What one NixOS system says about itself.
///
/// What is `None` is not there: a container has no kernel, an older release no `switch-inhibitors`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct System {
    /// The directory it was read from, links followed: `/nix/store/<hash>-<name>`.
    pub path: String,
    /// The kernel's file in the store.
    pub kernel: Option<String>,
    /// The initial ramdisk's file in the store.
    pub initrd: Option<String>,
    /// The kernel modules' folder in the store.
    pub kernel_modules: Option<String>,
    /// The firmware's folder in the store.
    pub firmware: Option<String>,
    /// The words of `kernel-params`, in order.
    pub kernel_params: Option<Vec<String>>,
    /// `init-interface-version`, such as `systemd 2`: two systems of different versions cannot be switched.
    pub init_interface: Option<String>,
    /// `nixos-version`.
    pub nixos_version: Option<String>,
    /// The platform, `x86_64-linux`.
    pub platform: Option<String>,
    /// systemd's folder in the store.
    pub systemd: Option<String>,
    /// Whether `bin/switch-to-configuration` is there.
    pub switchable: bool,
    /// `switch-inhibitors`: key and value, or path and empty value in the first form of that file.
    pub switch_inhibitors: Option<BTreeMap<String, String>>,
    /// `reboot-triggers`: key and value.
    pub reboot_triggers: Option<BTreeMap<String, String>>,
    /// The units below `etc/systemd/system`, by name.
    pub units: BTreeMap<String, Unit>,
    /// The files below `etc`, by path in it, without `systemd/system`.
    pub etc: BTreeMap<String, EtcEntry>,
    /// What `activate` does, without the system's own path in it.
    pub activation: Option<store::hash::Sha256>,
    /// The names of the specialisations, and the systems that they are.
    pub specialisations: BTreeMap<String, String>,
}

#[cfg(test)]
pub(crate) mod tests;
