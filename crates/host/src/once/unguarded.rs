//! Whether a reboot into a system would be guarded: tried once, with somebody in it who goes back.

use std::{fmt, fs, path::Path};

use activate::{BootDefault, Fault};
use order::SystemPath;
use system::{
    boot::{self, EfiVariables, Loader, NoEntry},
    tree::Below,
};
use thiserror::Error;

use super::EDITENV;
use crate::{chain, efivars, links, loader, mounts, paths, tree::Files};

/// File systems whose files GRUB writes at boot: it overwrites the blocks of a file, so the file system must not check,
/// compress, move or copy them (`grub-core/commands/loadenv.c`, `check_blocklists`).
const WRITABLE: [&str; 6] = ["vfat", "msdos", "ext2", "ext3", "ext4", "xfs"];
/// Where a unit counts beside `/etc/systemd/system` of the system (a path that NixOS adds to systemd's).
const PROFILE_UNITS: &str = "/nix/var/nix/profiles/default/lib/systemd/system";
/// What pulls the start unit in at every boot.
const PULLS: &str = "sysinit.target.wants";

/// Why a reboot into a system would be unguarded on this host.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Unguarded {
    /// A container, for example.
    #[error("there is no boot loader that could boot a system once")]
    NoLoader,
    /// Nobody can say what would be booted after a failure.
    #[error("what this host boots by itself cannot be told: {0}")]
    Default(Fault),
    /// The loader cannot boot anything once.
    #[error("{0}")]
    NoOnce(Clause),
    /// The firmware started another loader than the one whose files are here, or does not say.
    #[error(
        "systemd-boot's files are on the boot file system, but this boot was started by {0}; nobody would look at \
         the entry for one boot"
    )]
    StartedBy(String),
    /// There are no variables of a firmware.
    #[error("the firmware's variables are not there ({0} is missing)")]
    NoVariables(&'static str),
    /// They are mounted read-only.
    #[error("the firmware's variables are mounted read-only at {0}")]
    ReadOnlyVariables(&'static str),
    /// GRUB could read the environment block and not change it.
    #[error(
        "GRUB cannot write {file} when it boots ({why}), so an entry for one boot would be booted for ever; a /boot \
         on an ext4 or vfat partition of its own would do"
    )]
    Environment {
        /// The block's file.
        file: String,
        /// Why.
        why: Unwritable,
    },
    /// The running system has no program to set GRUB's entry for one boot.
    #[error("{0} is missing")]
    NoProgram(String),
    /// Nobody would be there after the reboot.
    #[error(
        "the new system has no {unit}, so nobody would bring the old one back; set services.lockstep.enable = true \
         in its configuration",
        unit = paths::START_UNIT
    )]
    NoStartUnit,
}

/// Why the loader has no entry for one boot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clause(pub NoEntry);

impl fmt::Display for Clause {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

/// Why GRUB cannot write a file. Prints as a clause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unwritable {
    /// A file system of this type.
    FileSystem(String),
    /// A device that is made of others, such as RAID, LVM or an encrypted one: its folder in sysfs.
    Device(String),
    /// A link.
    Link,
    /// What it lies on cannot be told.
    Unknown,
}

impl fmt::Display for Unwritable {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FileSystem(kind) => write!(out, "it lies on {kind}"),
            Self::Device(folder) => {
                let name = folder.rsplit('/').next().unwrap_or(folder);
                write!(out, "it lies on {name}, which is made of other devices (RAID, LVM, encryption)")
            }
            Self::Link => write!(out, "it is a link"),
            Self::Unknown => write!(out, "what it lies on cannot be told"),
        }
    }
}

/// Whether this host would try the system once and come back by itself.
///
/// Whether the loader will *list* the system is not asked here: each profile has its own limit of generations and the
/// trial's has only one, and [`super::set`] finds the entry or says that there is none before anything is rebooted.
///
/// # Errors
/// The first reason why not.
pub fn support(new: &SystemPath) -> Result<(), Unguarded> {
    let unreadable = |error| Unguarded::Default(Fault::new(chain(&error)));
    match loader::boot_default() {
        BootDefault::System(_) => {}
        BootDefault::Unreadable { why } => return Err(Unguarded::Default(why)),
        BootDefault::None => return Err(Unguarded::NoLoader),
    }
    let variables = efivars::read().map_err(unreadable)?;
    let place = loader::place(&variables).map_err(Unguarded::Default)?.ok_or(Unguarded::NoLoader)?;
    let once = boot::once_loader(&Below::new(&Files, place), &variables).map_err(unreadable)?;
    match once.map_err(|none| Unguarded::NoOnce(Clause(none)))? {
        Loader::Grub => grub(place)?,
        _ => systemd_boot(&variables)?,
    }
    if has_start_unit(new) { Ok(()) } else { Err(Unguarded::NoStartUnit) }
}

fn systemd_boot(variables: &EfiVariables) -> Result<(), Unguarded> {
    match efivars::is_writable() {
        None => return Err(Unguarded::NoVariables(paths::EFIVARS)),
        Some(false) => return Err(Unguarded::ReadOnlyVariables(paths::EFIVARS)),
        Some(true) => {}
    }
    match &variables.loader_info {
        Some(info) if info.starts_with("systemd-boot") => Ok(()),
        info => Err(Unguarded::StartedBy(
            info.clone().unwrap_or_else(|| "something that does not say its name".into()),
        )),
    }
}

fn grub(place: &str) -> Result<(), Unguarded> {
    let program = format!("{}/{EDITENV}", paths::RUNNING);
    if !Path::new(&program).exists() {
        return Err(Unguarded::NoProgram(program));
    }
    let file = format!("{place}/grub/grubenv");
    let why = match fs::symlink_metadata(&file) {
        Ok(found) if found.is_symlink() => Some(Unwritable::Link),
        _ => match mounts::of(&file) {
            Ok(Some(mount)) => unwritable(&mount.kind, mounts::device_folder(&mount.device)),
            Ok(None) | Err(_) => Some(Unwritable::Unknown),
        },
    };
    why.map_or(Ok(()), |why| Err(Unguarded::Environment { file, why }))
}

/// Whether GRUB cannot write to a file system of this type on the device with this folder in sysfs.
///
/// It writes to the disks that the firmware shows. Linux's own block devices are made of those, and their blocks lie
/// elsewhere or many times; only a loop device has them in place.
fn unwritable(kind: &str, device: Option<String>) -> Option<Unwritable> {
    if !WRITABLE.contains(&kind) {
        return Some(Unwritable::FileSystem(kind.to_owned()));
    }
    let Some(folder) = device else { return Some(Unwritable::Unknown) };
    let made =
        folder.split_once("/devices/virtual/block/").is_some_and(|(_, name)| !name.starts_with("loop"));
    made.then_some(Unwritable::Device(folder))
}

/// Whether something in the system takes up at boot what was begun before.
fn has_start_unit(new: &SystemPath) -> bool {
    let folders = [format!("{}/etc/systemd/system", links::folder(new)), PROFILE_UNITS.to_owned()];
    // A unit that is masked is a link to /dev/null, which is no file with something in it.
    let is_unit = |path: String| fs::metadata(path).is_ok_and(|found| found.is_file());
    folders.iter().any(|folder| {
        is_unit(format!("{folder}/{}", paths::START_UNIT))
            && is_unit(format!("{folder}/{PULLS}/{}", paths::START_UNIT))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grub_writes_to_plain_disks_only() {
        let on = |folder: &str| Some(format!("/sys/devices/{folder}"));
        let disk = || on("pci0000:00/0000:00:04.0/virtio1/block/vda/vda1");
        let cases = [
            ("ext4", disk(), None),
            ("vfat", disk(), None),
            ("xfs", on("virtual/nvme-subsystem/nvme-subsys0/nvme0n1/nvme0n1p1"), None),
            ("ext4", on("virtual/block/loop3"), None),
            ("btrfs", disk(), Some("it lies on btrfs")),
            ("zfs", None, Some("it lies on zfs")),
            ("f2fs", disk(), Some("it lies on f2fs")),
            ("overlay", None, Some("it lies on overlay")),
            (
                "ext4",
                on("virtual/block/dm-0"),
                Some("it lies on dm-0, which is made of other devices (RAID, LVM, encryption)"),
            ),
            (
                "vfat",
                on("virtual/block/md127/md127p1"),
                Some("it lies on md127p1, which is made of other devices (RAID, LVM, encryption)"),
            ),
            ("ext4", None, Some("what it lies on cannot be told")),
        ];
        for (kind, device, expected) in cases {
            let shown = unwritable(kind, device.clone()).map(|why| why.to_string());
            assert_eq!(shown.as_deref(), expected, "{kind} on {device:?}");
        }
    }
}
