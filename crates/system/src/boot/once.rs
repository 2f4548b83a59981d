//! Boots that happen once: which entry boots a system, and what the loader was asked to boot next.
//!
//! Sources: the Boot Loader Interface of systemd (`LoaderEntryOneShot`), the GRUB manual ("next_entry"); for the
//! entries' names `systemd-boot-builder.py` (`nixos-PROFILE-generation-N.conf`) and `install-grub.pl` (a submenu for
//! each profile) of nixpkgs.

use std::fmt;

use super::{
    BootDefault, EfiVariables, Loader, Unreadable, boot_default, grub, present_or_started, systemd_boot,
};
use crate::{
    text::listed,
    tree::{ReadError, Tree},
};

/// What a loader must be told so that it boots a certain system at the next boot only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnceEntry {
    /// The loader.
    pub loader: Loader,
    /// Its name for the entry: for `LoaderEntryOneShot`, or for GRUB's `next_entry`.
    pub entry: String,
}

/// Why a system cannot be booted once. Prints as a clause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoEntry {
    /// No loader that is known has left its files.
    NoLoader,
    /// Several have, and it is not known which of them is started.
    Several(Vec<Loader>),
    /// The loader, or its configuration, knows no entry for one boot.
    NeverOnce(Loader),
    /// The default is a pattern, or what was booted last: an entry that is tried would become the default.
    Moving {
        /// The loader.
        loader: Loader,
        /// What it names.
        names: String,
    },
    /// The loader does not list the system.
    NotListed(Loader),
    /// It does, and could not start it.
    Broken(Unreadable),
}

impl fmt::Display for NoEntry {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoLoader => write!(out, "no boot loader was found"),
            Self::Several(loaders) => write!(
                out,
                "several boot loaders have left their files ({}), and none has said that it started this boot",
                listed(loaders)
            ),
            Self::NeverOnce(Loader::Grub) => {
                write!(out, "GRUB's configuration here does not look at next_entry")
            }
            Self::NeverOnce(loader) => write!(out, "{loader} has no entry for one boot only"),
            Self::Moving { loader, names } => {
                write!(out, "the default of {loader} is '{names}', so what is tried would become the default")
            }
            Self::NotListed(loader) => write!(out, "{loader} does not list the system"),
            Self::Broken(why) => write!(out, "its entry would not start: {why}"),
        }
    }
}

/// What the loader was asked to boot at the next boot only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Once {
    /// Nothing that it would start: the default is next.
    Absent,
    /// This system: `/nix/store/<hash>-<name>`, perhaps with `/specialisation/<name>` behind it.
    Set(String),
    /// Something that cannot be told.
    Unreadable(Unreadable),
}

/// What is booted next and once, as [`boot_default`] reads it.
///
/// # Errors
/// As of [`boot_default`].
pub fn one_shot(boot: &dyn Tree, variables: &EfiVariables) -> Result<Once, ReadError> {
    let found = boot_default(boot, variables)?;
    Ok(match (found.one_shot, found.default) {
        (Some(BootDefault::System { system, .. }), _) => Once::Set(system),
        // Loaders that do not agree on the default may differ in this, too.
        (Some(BootDefault::Unreadable { why }), _)
        | (None, BootDefault::Unreadable { why: why @ Unreadable::Disagree(_) }) => Once::Unreadable(why),
        (Some(BootDefault::NoLoader) | None, _) => Once::Absent,
    })
}

/// What boots `system` (as in [`BootDefault::System`]) once, without becoming the default.
///
/// # Errors
/// If a file cannot be read; that there is no such entry is a [`NoEntry`].
pub fn entry_for(
    boot: &dyn Tree,
    variables: &EfiVariables,
    system: &str,
) -> Result<Result<OnceEntry, NoEntry>, ReadError> {
    match once_loader(boot, variables)? {
        Err(none) => Ok(Err(none)),
        Ok(Loader::Grub) => grub::entry_for(boot, system),
        Ok(_) => systemd_boot::entry_for(boot, system),
    }
}

/// The loader that takes an entry for one boot, whichever system is meant: [`Loader::SystemdBoot`] or [`Loader::Grub`].
///
/// # Errors
/// If a file cannot be read; that there is none is a [`NoEntry`].
pub fn once_loader(boot: &dyn Tree, variables: &EfiVariables) -> Result<Result<Loader, NoEntry>, ReadError> {
    let loaders = present_or_started(boot, variables)?;
    let loader = match loaders.as_slice() {
        [] => return Ok(Err(NoEntry::NoLoader)),
        [loader] => *loader,
        _ => return Ok(Err(NoEntry::Several(loaders))),
    };
    Ok(match loader {
        Loader::SystemdBoot => match systemd_boot::moving_default(boot, variables)? {
            Some(names) => Err(NoEntry::Moving { loader, names }),
            None => Ok(loader),
        },
        Loader::Grub if grub::takes_once(boot)? => Ok(loader),
        Loader::Grub | Loader::Extlinux | Loader::Limine | Loader::Refind | Loader::RaspberryPi => {
            Err(NoEntry::NeverOnce(loader))
        }
    })
}

#[cfg(test)]
mod tests;
