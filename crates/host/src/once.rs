//! The loader's entry for one boot only: set, taken back, read, and whether this host has such a thing.

mod unguarded;

use std::{fs::File, path::Path, time::Duration};

use activate::{Fault, Once};
use order::SystemPath;
use run::Command;
use rustix::fs::syncfs;
use store::store_path::StoreDir;
use system::{
    ReadError,
    boot::{self, EfiVariables, Loader, OnceEntry},
    tree::Below,
};

use crate::{chain, efivars, links, loader, paths, tree::Files};

pub use unguarded::{Unguarded, Unwritable, support};

/// How long GRUB's tool may take for its one kilobyte.
const LIMIT: Duration = Duration::from_secs(60);
/// GRUB's tool for its environment block, in a system.
const EDITENV: &str = "sw/bin/grub-editenv";

/// What is booted next and once, by the loader's own files and variables.
#[must_use]
pub fn read() -> Once {
    let answer = (|| {
        let variables = efivars::read().map_err(fault)?;
        let Some(place) = loader::place(&variables)? else { return Ok(Once::Absent) };
        match boot::one_shot(&Below::new(&Files, place), &variables).map_err(fault)? {
            boot::Once::Absent => Ok(Once::Absent),
            boot::Once::Unreadable(why) => Err(Fault::new(why.to_string())),
            boot::Once::Set(system) => SystemPath::parse(&StoreDir::default(), &system)
                .map(Once::Set)
                .map_err(|error| Fault::new(chain(&error))),
        }
    })();
    answer.unwrap_or_else(|why| Once::Unreadable { why })
}

/// Asks the loader to boot the system at the next boot only. Whether it took is for [`read`] to say.
///
/// # Errors
/// If the loader lists no such entry, or cannot be asked.
pub fn set(system: &SystemPath) -> Result<(), Fault> {
    let variables = efivars::read().map_err(fault)?;
    let place = loader::place(&variables)?.ok_or_else(|| Fault::new("there is no boot loader"))?;
    let OnceEntry { loader, entry } = find(place, &variables, system)?;
    match loader {
        Loader::Grub => edit_grub(place, &["set", &format!("next_entry={entry}")]),
        _ => efivars::set(boot::ONE_SHOT, &entry).map_err(|error| of_variable(&error)),
    }
}

fn find(place: &str, variables: &EfiVariables, system: &SystemPath) -> Result<OnceEntry, Fault> {
    let folder = links::folder(system);
    let found = boot::entry_for(&Below::new(&Files, place), variables, &folder).map_err(fault)?;
    found.map_err(|none| Fault::new(format!("{folder} cannot be booted once: {none}")))
}

/// Takes back what any loader here was asked to boot once. Nothing to take back is as good.
///
/// # Errors
/// If it stays.
pub fn clear() -> Result<(), Fault> {
    efivars::remove(boot::ONE_SHOT).map_err(|error| of_variable(&error))?;
    for place in loader::distinct(&paths::BOOTS) {
        if boot::next_entry(&Below::new(&Files, place)).map_err(fault)?.is_some() {
            edit_grub(place, &["unset", "next_entry"])?;
        }
    }
    Ok(())
}

/// Runs GRUB's tool of the running system on the environment block of a boot file system.
fn edit_grub(place: &str, words: &[&str]) -> Result<(), Fault> {
    let command = Command::new(format!("{}/{EDITENV}", paths::RUNNING))
        .arg(format!("{place}/grub/grubenv"))
        .args(words)
        .timeout(LIMIT);
    command.run().map_err(|error| Fault::new(chain(&error)))?;
    // A power cut between this and the reboot must find it.
    let synced = File::open(Path::new(place)).and_then(|folder| Ok(syncfs(&folder)?));
    synced.map_err(|error| Fault::new(format!("{place} cannot be synced: {error}")))
}

#[expect(clippy::needless_pass_by_value, reason = "it stands in `map_err`")]
fn fault(error: ReadError) -> Fault {
    Fault::new(chain(&error))
}

fn of_variable(error: &std::io::Error) -> Fault {
    Fault::new(format!("the variable {} in {} cannot be changed: {error}", boot::ONE_SHOT, paths::EFIVARS))
}
