//! What a file lies on: its file system, and the device below it.

use std::{fs, path::Path};

use system::{Tree, TreeError};

use crate::tree::Files;

/// Longest `mountinfo` that is read; hosts with many containers have thousands of lines.
const MAX_MOUNTS: usize = 16 << 20;

/// A mounted file system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mount {
    /// The number of its device, as `259:1`; `0:40` where there is none.
    pub(crate) device: String,
    /// The name of its type: `ext4`.
    pub(crate) kind: String,
}

/// The file system of a path.
pub(crate) fn of(path: &str) -> Result<Option<Mount>, TreeError> {
    let bytes = Files.read_file("/proc/self/mountinfo", MAX_MOUNTS)?;
    Ok(find(&String::from_utf8_lossy(&bytes), path))
}

/// Where the device is in sysfs, without links: `/sys/devices/.../block/sda/sda1`.
pub(crate) fn device_folder(device: &str) -> Option<String> {
    let path = fs::canonicalize(Path::new("/sys/dev/block").join(device)).ok()?;
    path.into_os_string().into_string().ok()
}

/// The last mount of the longest mount point above the path. Format: `proc_pid_mountinfo(5)`.
fn find(mountinfo: &str, path: &str) -> Option<Mount> {
    let mut found: Option<(usize, Mount)> = None;
    for line in mountinfo.lines() {
        let Some((above, below)) = line.split_once(" - ") else { continue };
        let fields: Vec<&str> = above.split(' ').collect();
        let (Some(device), Some(point), Some(kind)) = (fields.get(2), fields.get(4), below.split(' ').next())
        else {
            continue;
        };
        let point = plain(point);
        if Path::new(path).starts_with(&point) && found.as_ref().is_none_or(|(best, _)| *best <= point.len())
        {
            let mount = Mount { device: (*device).to_owned(), kind: kind.to_owned() };
            found = Some((point.len(), mount));
        }
    }
    found.map(|(_, mount)| mount)
}

/// Spaces, tabs, line breaks and backslashes are written as `\040` and the like.
fn plain(field: &str) -> String {
    let marks = [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")];
    marks.iter().fold(field.to_owned(), |text, (mark, c)| text.replace(mark, c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_mount_that_is_not_covered_counts() {
        const TABLE: &str = "\
            22 1 259:2 / / rw,noatime shared:1 - ext4 /dev/nvme0n1p2 rw\n\
            30 22 0:40 /@boot /boot rw - btrfs /dev/sda2 rw\n\
            31 22 8:1 / /boot rw master:4 propagate_from:2 - vfat /dev/sda1 rw\n\
            32 22 8:5 / /with\\040space rw - xfs /dev/sda5 rw\n\
            nonsense\n33 - x\n";
        for (path, device, kind) in [
            ("/boot/grub/grubenv", "8:1", "vfat"),
            ("/boot", "8:1", "vfat"),
            ("/boots", "259:2", "ext4"),
            ("/with space/a", "8:5", "xfs"),
        ] {
            let expected = Mount { device: device.to_owned(), kind: kind.to_owned() };
            assert_eq!(find(TABLE, path), Some(expected), "{path}");
        }
        assert_eq!(find("", "/"), None);
    }
}
