//! Which system the boot loader itself names as its default.
//!
//! Boot loaders are known by the files that they leave on the boot file system. Which of several the firmware starts
//! cannot be known from files, so they must agree, unless the loader that started this boot has said its name.
//!
//! Sources: the Boot Loader Specification (type 1, "Sorting"), `src/boot/boot.c` of systemd, the GRUB manual ("default",
//! "next_entry", "The GRUB environment block"), and what the installers of nixpkgs write.

mod efi;
mod extlinux;
mod glob;
mod grub;
mod init;
mod once;
mod systemd_boot;

use std::fmt;

pub use efi::{
    EfiError, EfiVariables, LOADER_VENDOR, ONE_SHOT, variable_bytes, variable_file, variable_text,
};
pub use grub::next_entry;
pub use once::{NoEntry, Once, OnceEntry, entry_for, once_loader, one_shot};

use crate::{
    text::listed,
    tree::{ReadError, Tree, TreeError, at, join, list_names},
};

/// Longest file of a loader's configuration.
const MAX_CONFIG: usize = 4 << 20;
/// Most files in one folder of the boot file system.
const MAX_FILES: usize = 20_000;

/// A boot loader that this crate can tell by its files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Loader {
    /// systemd-boot, also with unified kernel images (lanzaboote).
    SystemdBoot,
    /// GRUB.
    Grub,
    /// U-Boot or another reader of `extlinux.conf`.
    Extlinux,
    /// Limine.
    Limine,
    /// rEFInd.
    Refind,
    /// The firmware of a Raspberry Pi by itself.
    RaspberryPi,
}

/// What a boot file system says of the next boots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Boot {
    /// What is booted, again and again, if nobody intervenes.
    pub default: BootDefault,
    /// What is booted once, next, if that was asked for; then comes the default.
    pub one_shot: Option<BootDefault>,
}

impl Boot {
    /// What the next boot starts.
    #[must_use]
    pub fn next(&self) -> &BootDefault {
        self.one_shot.as_ref().unwrap_or(&self.default)
    }
}

/// What a loader names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BootDefault {
    /// A system.
    System {
        /// The system's path: `/nix/store/<hash>-<name>`, perhaps with `/specialisation/<name>` behind it; what stands
        /// before `/init` in the entry's `init=`.
        system: String,
        /// The loader.
        loader: Loader,
        /// The loader's own name for the entry: a file, a position such as `1>0`, a label.
        entry: String,
    },
    /// There is a loader, but what it starts cannot be told, or it would start nothing.
    Unreadable {
        /// Why.
        why: Unreadable,
    },
    /// No loader that is known has left its files here: a container, a machine that boots over the network, or a boot
    /// file system that is not mounted.
    NoLoader,
}

impl BootDefault {
    /// The system's path, if one is named.
    #[must_use]
    pub fn system(&self) -> Option<&str> {
        match self {
            Self::System { system, .. } => Some(system),
            Self::Unreadable { .. } | Self::NoLoader => None,
        }
    }
}

impl fmt::Display for BootDefault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System { system, loader, entry } => write!(out, "{system} ({loader}, entry {entry})"),
            Self::Unreadable { why } => write!(out, "the boot default cannot be told: {why}"),
            Self::NoLoader => write!(out, "no boot loader was found"),
        }
    }
}

/// Why a default cannot be told. Prints as a clause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unreadable {
    /// No reader exists for this loader's configuration.
    Unsupported(Loader),
    /// The loader has no entry that it could start.
    NoEntries(Loader),
    /// The default is, or may be, a unified kernel image, whose command line lies inside of it.
    UnifiedImage {
        /// Its file name, one of them if there are several.
        image: String,
    },
    /// The default is what was last booted, and the variable that says so is not there.
    LastBootedUnknown,
    /// The default is an entry that does not exist, or that holds further entries.
    BadDefault {
        /// The loader.
        loader: Loader,
        /// What it names.
        names: String,
    },
    /// The entry needs a file that is not on the boot file system.
    MissingFile {
        /// The loader's name of the entry.
        entry: String,
        /// The file.
        file: String,
    },
    /// The entry has no `init=` in the store.
    NoInit {
        /// The loader's name of the entry.
        entry: String,
    },
    /// The entry has several different `init=`.
    SeveralInits {
        /// The loader's name of the entry.
        entry: String,
    },
    /// The configuration does something that only the loader can work out.
    Computed {
        /// The loader.
        loader: Loader,
        /// What it does.
        what: String,
    },
    /// Several loaders have left their files, and they do not name the same system.
    Disagree(
        /// What each of them names.
        Vec<(Loader, String)>,
    ),
}

impl fmt::Display for Unreadable {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsupported(loader) => write!(out, "the configuration of {loader} is not read"),
            Self::NoEntries(loader) => write!(out, "{loader} has no entry that it could start"),
            Self::UnifiedImage { image } => write!(out, "it may be the unified kernel image {image}"),
            Self::LastBootedUnknown => {
                write!(out, "it is what was booted last, and LoaderEntryLastBooted is not set")
            }
            Self::BadDefault { loader, names } => write!(out, "{loader} names '{names}', which is no entry"),
            Self::MissingFile { entry, file } => {
                write!(out, "entry {entry} needs {file}, which is not there")
            }
            Self::NoInit { entry } => write!(out, "entry {entry} has no init= in the store"),
            Self::SeveralInits { entry } => write!(out, "entry {entry} has several init="),
            Self::Computed { loader, what } => write!(out, "{loader} works it out at boot ({what})"),
            Self::Disagree(found) => {
                let each = found.iter().map(|(loader, names)| format!("{loader} names {names}"));
                write!(out, "several boot loaders have left their files: {}", listed(each))
            }
        }
    }
}

impl Loader {
    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::SystemdBoot => "systemd-boot",
            Self::Grub => "GRUB",
            Self::Extlinux => "extlinux",
            Self::Limine => "Limine",
            Self::Refind => "rEFInd",
            Self::RaspberryPi => "the Raspberry Pi's firmware",
        }
    }
}

impl fmt::Display for Loader {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

/// What the boot loader names, from the boot file system (`boot`, its root is `/boot` of the host) and the EFI
/// variables.
///
/// # Errors
/// If a file cannot be read, or is longer than any loader's; what is merely odd is [`BootDefault::Unreadable`].
pub fn boot_default(boot: &dyn Tree, variables: &EfiVariables) -> Result<Boot, ReadError> {
    let mut answers = Vec::new();
    for loader in present_or_started(boot, variables)? {
        let answer = match loader {
            Loader::SystemdBoot => systemd_boot::read(boot, variables)?,
            Loader::Grub => grub::read(boot)?,
            Loader::Extlinux => extlinux::read(boot)?,
            Loader::Limine | Loader::Refind | Loader::RaspberryPi => {
                Boot::unreadable(Unreadable::Unsupported(loader))
            }
        };
        answers.push((loader, answer));
    }
    Ok(agreement(answers))
}

impl Boot {
    pub(crate) fn unreadable(why: Unreadable) -> Self {
        Self { default: BootDefault::Unreadable { why }, one_shot: None }
    }
}

/// The loaders whose files are there; only the one that has started this boot if it has said its name.
fn present_or_started(boot: &dyn Tree, variables: &EfiVariables) -> Result<Vec<Loader>, ReadError> {
    let loaders = present(boot)?;
    let started = variables.started_by().filter(|started| loaders.contains(started));
    Ok(started.map_or(loaders, |started| vec![started]))
}

/// The loaders whose files are there, in the order of [`Loader`].
fn present(boot: &dyn Tree) -> Result<Vec<Loader>, ReadError> {
    let has = |folder: &str, name: &str| -> Result<bool, ReadError> {
        Ok(list_names(boot, folder, MAX_FILES)?.is_some_and(|names| names.iter().any(|found| found == name)))
    };
    let mut found = Vec::new();
    if has("/loader", "loader.conf")? || has("/loader", "entries")? {
        found.push(Loader::SystemdBoot);
    }
    let files = [
        (Loader::Grub, &[("/grub", "grub.cfg")][..]),
        (Loader::Extlinux, &[("/extlinux", "extlinux.conf")]),
        (Loader::Limine, &[("/limine", "limine.conf"), ("/", "limine.conf"), ("/EFI/limine", "limine.conf")]),
        (Loader::Refind, &[("/EFI/refind", "refind.conf")]),
    ];
    for (loader, places) in files {
        for (folder, name) in places {
            if has(folder, name)? && !found.contains(&loader) {
                found.push(loader);
            }
        }
    }
    // The Pi's firmware starts U-Boot in most installations, so its own files alone say little.
    if found.is_empty() && (has("/", "config.txt")? || has("/firmware", "config.txt")?) {
        found.push(Loader::RaspberryPi);
    }
    Ok(found)
}

/// Whether the file that an entry names, seen from `folder`, is on the boot file system. As on FAT, letters of both
/// cases are alike.
fn exists(boot: &dyn Tree, folder: &str, file: &str) -> Result<bool, ReadError> {
    let path = join(folder, file);
    let Some((folder, name)) = path.rsplit_once('/') else { return Ok(false) };
    let folder = if folder.is_empty() { "/" } else { folder };
    match boot.list(folder) {
        Ok(names) => Ok(names.iter().any(|found| found.eq_ignore_ascii_case(name))),
        Err(TreeError::NotFound | TreeError::WrongKind { .. }) => Ok(false),
        Err(source) => Err(at(folder)(source)),
    }
}

/// One answer of several loaders'.
fn agreement(answers: Vec<(Loader, Boot)>) -> Boot {
    let differ = |pick: fn(&Boot) -> &BootDefault| {
        answers.windows(2).any(|pair| match pair {
            [(_, one), (_, other)] => {
                pick(one).system().is_none() || pick(one).system() != pick(other).system()
            }
            _ => false,
        })
    };
    if differ(|boot| &boot.default) || differ(Boot::next) {
        let named = |boot: &Boot| match (&boot.default, &boot.one_shot) {
            (BootDefault::System { system, .. }, None) => system.clone(),
            (BootDefault::System { system, .. }, Some(once)) => {
                format!("{system} (once: {})", once.system().unwrap_or("something unknown"))
            }
            (BootDefault::Unreadable { why }, _) => format!("nothing that can be read ({why})"),
            (BootDefault::NoLoader, _) => "nothing".to_owned(),
        };
        let named = answers.iter().map(|(loader, boot)| (*loader, named(boot))).collect();
        return Boot::unreadable(Unreadable::Disagree(named));
    }
    let first = answers.into_iter().next().map(|(_, boot)| boot);
    first.unwrap_or(Boot { default: BootDefault::NoLoader, one_shot: None })
}

#[cfg(test)]
mod tests;
