//! The ends of past activations: a file that grows by a line and is cut from time to time.

use std::{
    fs::{self, File},
    io::Read,
};

use host::paths;
use report::{Generation, LastActivation};
use session::Reply;
use system::generations::Generations;

/// Most activations that are kept.
const KEPT: usize = 200;
/// Longest file in bytes that is read.
const MAX_FILE: u64 = 8 << 20;

/// What the host has done, newest first.
pub(crate) fn reply(limit: u32) -> Reply {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let entries = read().into_iter().rev().take(limit).collect();
    let generations = generations().into_iter().rev().take(limit).collect();
    Reply::History { entries, generations }
}

/// Adds the end of an activation. A history that cannot be written stops nothing.
pub(crate) fn add(last: &LastActivation) {
    let mut entries = read();
    if entries.last().is_some_and(|newest| newest.order == last.order) {
        entries.pop();
    }
    entries.push(last.clone());
    let skip = entries.len().saturating_sub(KEPT);
    let lines: Vec<u8> =
        entries.iter().skip(skip).flat_map(|entry| [entry.to_json(), b"\n".to_vec()].concat()).collect();
    let _unwritten = host::write_private(paths::HISTORY, &lines);
}

/// The activations that are known, oldest first; lines of a newer Lockstep are left out.
pub(crate) fn read() -> Vec<LastActivation> {
    let mut bytes = Vec::new();
    let read = File::open(paths::HISTORY).and_then(|file| file.take(MAX_FILE).read_to_end(&mut bytes));
    if read.is_err() {
        return Vec::new();
    }
    bytes.split(|byte| *byte == b'\n').filter_map(|line| LastActivation::from_json(line).ok()).collect()
}

/// The generations of the system profile, oldest first.
pub(crate) fn generations() -> Vec<Generation> {
    let all = profile_links().all.into_iter();
    all.filter_map(|generation| {
        let system = host::system_at(&format!("{}/system-{}-link", paths::PROFILES, generation.number))?;
        Some(Generation { number: generation.number, system })
    })
    .collect()
}

/// The generation that the profile names.
pub(crate) fn current_generation() -> Option<Generation> {
    let number = profile_links().current?;
    Some(Generation { number, system: host::profile()? })
}

fn profile_links() -> Generations {
    let names = fs::read_dir(paths::PROFILES).into_iter().flatten().flatten();
    let links: Vec<(String, String)> = names
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let target = fs::read_link(entry.path()).ok()?.into_os_string().into_string().ok()?;
            Some((name, target))
        })
        .collect();
    Generations::from_links("system", links.iter().map(|(name, target)| (name.as_str(), target.as_str())))
}
