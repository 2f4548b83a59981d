//! The trial profile: a system that is to be booted once, where boot loaders list it beside the others.

use std::{
    fs::{self, File},
    io,
    time::Duration,
};

use activate::{Fault, Record};
use order::SystemPath;
use run::Command;
use rustix::fs::syncfs;

use crate::{chain, links, paths};

/// How long it may take: it waits for the lock of the profile and for the garbage collector.
const LIMIT: Duration = Duration::from_secs(300);
/// The profile's own name.
const NAME: &str = "lockstep";

/// Makes the system the one generation of the trial profile, with the `nix-env` of the system that ran before.
///
/// # Errors
/// If it cannot be made, or does not last.
pub fn set(record: &Record, system: &SystemPath) -> Result<(), Fault> {
    // What an earlier trial left would be listed, too, and take room on the boot file system.
    drop_links()?;
    let made = fs::create_dir_all(paths::TRIALS);
    made.map_err(|error| Fault::new(format!("{} cannot be made: {error}", paths::TRIALS)))?;
    let command = Command::new(links::program_of(&record.before.running, "sw/bin/nix-env"))
        .args(["--profile", paths::TRIAL, "--set", &links::folder(system)])
        .env("HOME", "/root")
        .timeout(LIMIT);
    command.run().map_err(|error| Fault::new(chain(&error)))?;
    sync()
}

/// Removes the trial profile with all of its generations. The loader still lists them until its installer runs.
///
/// # Errors
/// If something stays.
pub fn drop_it() -> Result<(), Fault> {
    if drop_links()? { sync() } else { Ok(()) }
}

/// Whether there was anything. The profile goes first: its generations count only with it.
fn drop_links() -> Result<bool, Fault> {
    let mut names: Vec<String> = match fs::read_dir(paths::TRIALS) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(Fault::new(format!("{} cannot be read: {error}", paths::TRIALS))),
        Ok(entries) => entries
            .flatten()
            .filter_map(|entry| entry.file_name().into_string().ok())
            .filter(|name| is_ours(name))
            .collect(),
    };
    names.sort_unstable();
    for name in &names {
        let path = format!("{}/{name}", paths::TRIALS);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(Fault::new(format!("{path} cannot be removed: {error}")));
            }
            _ => {}
        }
    }
    Ok(!names.is_empty())
}

/// `lockstep` and `lockstep-N-link`; the profile's lock stays, as Nix leaves it.
fn is_ours(name: &str) -> bool {
    let generation =
        || name.strip_prefix(NAME)?.strip_prefix('-')?.strip_suffix("-link")?.parse::<u64>().ok();
    name == NAME || generation().is_some()
}

/// The journal will say that this is done; a power cut must not take it back.
fn sync() -> Result<(), Fault> {
    let synced = File::open(paths::TRIALS).and_then(|folder| Ok(syncfs(&folder)?));
    synced.map_err(|error| Fault::new(format!("{} cannot be synced: {error}", paths::TRIALS)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_trials_own_links_are_ours() {
        for (name, ours) in [
            ("lockstep", true),
            ("lockstep-1-link", true),
            ("lockstep-12-link", true),
            ("lockstep.lock", false),
            ("lockstep-x-link", false),
            ("lockstep-other-1-link", false),
            ("other-1-link", false),
        ] {
            assert_eq!(is_ours(name), ours, "{name}");
        }
    }
}
