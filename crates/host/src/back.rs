//! The way back, and the boot default: `switch-to-configuration` of a system, in a unit that outlives us.

use std::{
    fs,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use activate::{Aftermath, Fault, Record};
use order::{OrderId, SystemPath};

use crate::{
    holders,
    job::{Job, JobEnd, Purpose},
    links, lock, log, manager, network, paths, started, units,
};

/// How long the lock of `switch-to-configuration` may stay taken after its control group is empty.
const LOCK_PATIENCE: Duration = Duration::from_secs(30);
/// How long what is left of an ended activation may keep the lock before it is ended too.
const HEIR_GRACE: Duration = Duration::from_secs(2);
/// How long a boot back into the old system is given before it is compared.
const BOOT_PATIENCE: Duration = Duration::from_secs(300);
/// How often that lock is looked at.
const LOOK: Duration = Duration::from_millis(100);
/// The lists that a run leaves for the next one (`switch-to-configuration-ng`, `main.rs`).
const LISTS: [&str; 3] = ["start-list", "restart-list", "reload-list"];

/// Ends the activation of the new system and whatever else of this order still runs.
pub(crate) fn end_switch(order: &OrderId) -> Result<(), Fault> {
    Job::new(order, Purpose::Test).kill()?;
    Job::new(order, Purpose::Back).kill()?;
    let start = Instant::now();
    loop {
        match lock::is_free(Path::new(paths::SWITCH_LOCK)) {
            Ok(true) => return Ok(()),
            Ok(false) if start.elapsed() < LOCK_PATIENCE => {
                if start.elapsed() >= HEIR_GRACE {
                    holders::end_heirs(Path::new(paths::SWITCH_LOCK));
                }
                thread::sleep(LOOK);
            }
            Ok(false) => return Err(still_locked()),
            Err(error) => return Err(Fault::new(format!("{}: {error}", paths::SWITCH_LOCK))),
        }
    }
}

fn still_locked() -> Fault {
    let holders = holders::of(Path::new(paths::SWITCH_LOCK));
    let holders: Vec<String> = holders.iter().map(ToString::to_string).collect();
    Fault::new(format!("{} is still locked, by {}", paths::SWITCH_LOCK, holders.join(", ")))
}

/// Makes the system run, by its own `switch-to-configuration test`.
pub(crate) fn back(record: &Record, system: &SystemPath, limit: Duration) -> Result<(), Fault> {
    let order = &record.order.id;
    // Without systemd and D-Bus it would only use up time.
    manager::trouble().map_or(Ok(()), Err)?;
    drop_foreign_names(system);
    let job = Job::new(order, Purpose::Back);
    job.kill()?;
    job.start(system, system)?;
    match job.wait_at_most(limit) {
        Ok(JobEnd::Exited(0 | 4)) => Ok(()),
        Ok(JobEnd::Exited(code)) => Err(failed(order, &format!("exited with {code}"))),
        Ok(JobEnd::Lost) => Err(failed(order, "ended without a result")),
        Err(why) => {
            job.kill()?;
            Err(failed(order, why.as_str()))
        }
    }
}

/// Makes the system what is booted, by its own `switch-to-configuration boot`: without a limit, because a boot
/// loader's installer that is killed may leave no entry at all.
pub(crate) fn set_default(record: &Record, system: &SystemPath) -> Result<(), Fault> {
    let order = &record.order.id;
    let job = Job::new(order, Purpose::Boot);
    // One that a dead owner left behind comes to its end first.
    job.wait_gone();
    job.start(system, &record.before.running)?;
    match job.wait() {
        JobEnd::Exited(0) => Ok(()),
        JobEnd::Exited(code) => Err(failed(order, &format!("boot exited with {code}"))),
        JobEnd::Lost => Err(failed(order, "boot ended without a result")),
    }
}

fn failed(order: &OrderId, what: &str) -> Fault {
    let tail = log::tail(order);
    Fault::new(format!("switch-to-configuration {what}:\n{tail}"))
}

/// Names of units that the system does not have go from the lists that a killed run has left; the others stay, for
/// they name what that run had stopped.
fn drop_foreign_names(system: &SystemPath) {
    let units = format!("{}/etc/systemd/system", links::folder(system));
    for list in LISTS {
        let path = format!("{}/{list}", paths::SWITCH_LISTS);
        let Ok(text) = fs::read_to_string(&path) else { continue };
        let kept = text.lines().filter(|unit| has_unit(Path::new(&units), unit));
        let kept: String = kept.flat_map(|unit| [unit, "\n"]).collect();
        if kept != text {
            // Without the change the old system tries to start units that it lacks, and says 4.
            let _as_it_was = fs::write(&path, kept);
        }
    }
}

/// Whether a system's folder of units has a unit, or the template of an instance. Mounts come from `fstab`, which has
/// no files there.
fn has_unit(units: &Path, unit: &str) -> bool {
    let from_fstab = [".mount", ".swap", ".automount"].iter().any(|suffix| unit.ends_with(suffix));
    let template = unit.split_once('@').and_then(|(name, instance)| {
        let (_, suffix) = instance.rsplit_once('.')?;
        Some(format!("{name}@.{suffix}"))
    });
    let exists = |name: &str| units.join(name).symlink_metadata().is_ok();
    !unit.is_empty()
        && !unit.contains('/')
        && (from_fstab || exists(unit) || template.is_some_and(|name| exists(&name)))
}

/// The host against the snapshot.
pub(crate) fn compare(record: &Record) -> Aftermath {
    let mut aftermath = Aftermath::default();
    let begun = Instant::now();
    // A boot that does not come to its end is told below: by its units, and by systemd's own trouble.
    let _told = started::wait(record, &mut || begun.elapsed() >= BOOT_PATIENCE);
    let trouble = manager::lasting_trouble();
    aftermath.manager = trouble.clone();
    // What systemd does not bring back does not come back.
    let patience = if trouble.is_some() { Duration::ZERO } else { network::RETURN };
    let network = network::return_to(&record.before.network, patience);
    aftermath.network = network::differs(&network);
    aftermath.notes.extend(network.doubts().map(Fault::new));
    match trouble.is_none().then(|| units::broken(record)) {
        Some(Ok(broken)) => aftermath.units = broken,
        Some(Err(fault)) => aftermath.notes.push(fault),
        None => {}
    }
    aftermath
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_a_system_lacks_are_known() {
        let units = std::env::temp_dir().join(format!("lockstep-units-{}", std::process::id()));
        fs::create_dir_all(&units).expect("a folder");
        for name in ["web.service", "worker@.service"] {
            fs::write(units.join(name), "").expect("a unit");
        }
        std::os::unix::fs::symlink("/dev/null", units.join("masked.service")).expect("a link");
        for (unit, expected) in [
            ("web.service", true),
            ("worker@7.service", true),
            ("worker@a@b.service", true),
            ("masked.service", true),
            ("data.mount", true),
            ("gone.service", false),
            ("gone@7.service", false),
            ("../units/web.service", false),
            ("", false),
        ] {
            assert_eq!(has_unit(&units, unit), expected, "{unit}");
        }
        fs::remove_dir_all(&units).expect("the folder");
    }
}
