//! The system profile.

use std::time::Duration;

use activate::{Fault, Record};
use order::SystemPath;
use run::Command;

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
    command.run().map(drop).map_err(|error| Fault::new(chain(&error)))
}
