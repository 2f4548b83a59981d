//! The system profile.

use std::{fs::File, time::Duration};

use activate::{Fault, Record};
use order::SystemPath;
use run::Command;
use rustix::fs::syncfs;

use crate::{chain, links, paths};

/// How long it may take: it waits for the lock of the profile and for the garbage collector.
const LIMIT: Duration = Duration::from_secs(300);

/// Makes a new generation for the system, with the `nix-env` of the system that ran before. Never `--rollback`, never
/// `--switch-generation`: boot loaders list the generations with the highest numbers.
pub(crate) fn set(record: &Record, system: &SystemPath) -> Result<(), Fault> {
    let program = links::program_of(&record.before.running, "sw/bin/nix-env");
    let command = Command::new(program)
        .args(["--profile", paths::PROFILE, "--set", &links::folder(system)])
        .env("HOME", "/root")
        .timeout(LIMIT);
    command.run().map_err(|error| Fault::new(chain(&error)))?;
    // The journal will say that this is done; a power cut must not take it back.
    let synced = File::open(paths::PROFILES).and_then(|folder| Ok(syncfs(&folder)?));
    synced.map_err(|error| Fault::new(format!("{} cannot be synced: {error}", paths::PROFILES)))
}
