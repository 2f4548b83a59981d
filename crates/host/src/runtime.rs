//! Our own folders: for root alone, and bounded.

use std::{
    fs::{self, DirBuilder, File, Permissions},
    io::{self, Read, Seek, SeekFrom, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    time::SystemTime,
};

use atomic_write_file::{AtomicWriteFile, unix::OpenOptionsExt as _};
use order::OrderId;

use crate::{job::Job, paths};

/// Who may enter our folders.
const MODE: u32 = 0o700;
/// How many logs are kept.
const LOGS: usize = 20;
/// Most bytes of a log that are kept, from its end.
const MAX_LOG: u64 = 1 << 20;
/// How many files of ended activations stay in `/run`.
const FILES: usize = 60;

/// Makes the folder for what belongs to this boot.
///
/// # Errors
/// If it cannot be had.
pub fn make_runtime() -> io::Result<()> {
    make_private(paths::RUN)
}

/// Makes a folder that only root may enter; one that is there becomes so.
pub(crate) fn make_private(path: &str) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(MODE).create(path)?;
    if fs::metadata(path)?.permissions().mode() & 0o777 == MODE {
        return Ok(());
    }
    fs::set_permissions(path, Permissions::from_mode(MODE))
}

/// Replaces a file as a whole, synced with its folder, for root alone: journals and orders hold a nonce.
///
/// # Errors
/// If it cannot be written; the old one is then still there, or this one is.
pub fn write_private(path: impl AsRef<Path>, bytes: &[u8]) -> io::Result<()> {
    let mut options = AtomicWriteFile::options();
    options.mode(0o600);
    options.preserve_mode(false);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.commit()
}

/// Keeps the end of an activation's log where it survives a reboot, and lets go of the oldest logs.
///
/// # Errors
/// If it cannot be written.
pub fn keep_log(order: &OrderId) -> io::Result<()> {
    let Some(mut from) = missing_is_none(File::open(Job::log(order)))? else { return Ok(()) };
    make_private(paths::STATE)?;
    make_private(paths::LOGS)?;
    let length = from.metadata()?.len();
    from.seek(SeekFrom::Start(length.saturating_sub(MAX_LOG)))?;
    let mut bytes = Vec::new();
    from.take(MAX_LOG).read_to_end(&mut bytes)?;
    let to = Path::new(paths::LOGS).join(format!("{order}.log"));
    let mut to = File::options().create(true).truncate(true).write(true).mode(0o600).open(to)?;
    to.write_all(&bytes)?;
    keep_newest(paths::LOGS, LOGS, |_| true);
    Ok(())
}

/// Removes what ended activations have left in `/run`, except what belongs to `order`.
pub fn tidy_runtime(order: &OrderId) {
    let own = order.to_string();
    let kinds = ["log", "order", "taken", "withdrawn", "verdict", "result", "guard", "part"];
    keep_newest(paths::RUN, FILES, |path| {
        let is_kind = path.extension().is_some_and(|kind| kinds.iter().any(|known| kind == *known));
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        is_kind && !name.starts_with(&own) && name != "services.log"
    });
}

/// Removes all but the newest files that are chosen.
fn keep_newest(folder: &str, keep: usize, choose: impl Fn(&Path) -> bool) {
    let files = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut dated: Vec<(SystemTime, PathBuf)> = files
        .filter(|path| choose(path))
        .filter_map(|path| Some((fs::metadata(&path).ok()?.modified().ok()?, path)))
        .collect();
    dated.sort_unstable();
    let old = dated.len().saturating_sub(keep);
    for (_, path) in dated.into_iter().take(old) {
        // One that cannot be removed now is tried again after the next activation.
        let _kept = fs::remove_file(path);
    }
}

fn missing_is_none<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        other => other.map(Some),
    }
}
