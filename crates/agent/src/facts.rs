//! What this host says of itself.

use std::{fs, time::SystemTime};

use activate::{Journal, Once, Record};
use host::{BootClock, FileJournal, Files};
use order::SystemPath;
use report::{HostStatus, Timestamp};
use session::{Hello, Survey};
use store::store_path::StorePath;
use system::{System, reboot_reasons};

use crate::{history, words};

/// The record of the journal, if there is one that can be read.
pub(crate) fn record() -> Option<Record> {
    FileJournal.load().ok().flatten()
}

/// Said at the beginning of every session: quick, without asking systemd.
pub(crate) fn hello() -> Hello {
    let record = record();
    let last = record.as_ref().map(|record| record.order.id.clone());
    let unfinished = record.filter(|record| !record.state.phase().is_end());
    Hello {
        oldest: session::OLDEST,
        newest: session::VERSION,
        agent: env!("CARGO_PKG_VERSION").to_owned(),
        path: host::own_path(),
        platform: host::host_platform(),
        free_store: host::free_bytes("/nix/store").unwrap_or(0),
        free_boot: host::free_boot(),
        running: host::running(),
        profile: host::profile(),
        default: words::loader(host::boot_default()),
        last,
        pending: unfinished.map(|record| record.order.id),
    }
}

/// All that can be said.
pub(crate) fn status() -> HostStatus {
    let clock = BootClock::new();
    let now = clock.moment();
    let record = record();
    let unfinished = record.as_ref().filter(|record| !record.state.phase().is_end());
    let running = host::running();
    HostStatus {
        at: Timestamp::from(SystemTime::now()),
        boot_id: clock.boot().to_string(),
        up_millis: u64::try_from(now.since_boot.as_millis()).unwrap_or(u64::MAX),
        version: version(),
        running,
        booted: host::booted(),
        profile: history::current_generation(),
        default: words::loader(host::boot_default()),
        once: once(),
        starting: host::units::starting().unwrap_or_default(),
        failed: host::units::failed().unwrap_or_default(),
        reboot: reboot(),
        pending: unfinished.map(|record| words::pending(record, now)),
        last: record.as_ref().and_then(words::last).or_else(|| history::read().pop()),
    }
}

/// What speaks against an order for this system.
pub(crate) fn survey(system: &StorePath) -> Survey {
    let host::Survey { refused, unguarded } = host::survey(&SystemPath::from(system.clone()));
    Survey { refused, unguarded: unguarded.map(|why| why.to_string()) }
}

/// What the boot loader boots once.
fn once() -> Option<SystemPath> {
    match host::once::read() {
        Once::Set(system) => Some(system),
        Once::Absent | Once::Unreadable { .. } => None,
    }
}

fn version() -> Option<String> {
    let text = fs::read_to_string(format!("{}/nixos-version", host::paths::RUNNING)).ok()?;
    Some(text.trim().to_owned())
}

/// Why the running system is whole only after a reboot.
fn reboot() -> Vec<String> {
    let read = |path| System::read(&Files, path).ok();
    match (read(host::paths::BOOTED), read(host::paths::RUNNING)) {
        (Some(booted), Some(running)) => {
            reboot_reasons(&booted, &running).reasons.iter().map(ToString::to_string).collect()
        }
        _ => Vec::new(),
    }
}
