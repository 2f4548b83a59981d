//! Free space.

use std::{fs, os::unix::fs::MetadataExt, path::Path};

use rustix::fs::statvfs;

use crate::paths;

/// Bytes that root may still write to the file system of a path.
#[must_use]
pub fn free_bytes(path: &str) -> Option<u64> {
    let found = statvfs(Path::new(path)).ok()?;
    Some(found.f_bavail.saturating_mul(found.f_frsize))
}

/// The same of the boot file system, if it is one of its own.
#[must_use]
pub fn free_boot() -> Option<u64> {
    let device = |path: &str| fs::metadata(path).ok().map(|found| found.dev());
    if device(paths::BOOT) == device("/") { None } else { free_bytes(paths::BOOT) }
}
