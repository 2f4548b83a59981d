//! The links that name systems.

use std::fs;

use order::SystemPath;
use store::store_path::StoreDir;

use crate::paths;

/// The system that a link names, followed to the end; none if it names none.
#[must_use]
pub fn system_at(link: &str) -> Option<SystemPath> {
    let target = fs::canonicalize(link).ok()?;
    SystemPath::parse(&StoreDir::default(), target.to_str()?).ok()
}

/// The system that runs.
#[must_use]
pub fn running() -> Option<SystemPath> {
    system_at(paths::RUNNING)
}

/// The system that was booted.
#[must_use]
pub fn booted() -> Option<SystemPath> {
    system_at(paths::BOOTED)
}

/// The system that the profile names.
#[must_use]
pub fn profile() -> Option<SystemPath> {
    system_at(paths::PROFILE)
}

/// The system's directory.
#[must_use]
pub(crate) fn folder(system: &SystemPath) -> String {
    system.in_store(&StoreDir::default())
}

/// A program of the system that runs, by an absolute path that stays the same program whatever is activated later.
#[must_use]
pub fn program_of(system: &SystemPath, inside: &str) -> String {
    format!("{}/{inside}", folder(system))
}

/// A program of the system that runs, or was booted, whichever is known.
pub(crate) fn running_program(inside: &str) -> String {
    let system = running().or_else(booted);
    system.map_or_else(|| format!("{}/{inside}", paths::RUNNING), |system| program_of(&system, inside))
}
