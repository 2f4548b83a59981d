//! The journal's file: replaced as a whole, synced with its folder.
//!
//! While it cannot be written (a full disk, a read-only `/nix/var`) the newer record stands in `/run`, so that nobody
//! in this boot takes an activation for unfinished that has ended. After a power cut only the file on the disk counts.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::Path,
};

use activate::{Fault, Journal, LoadError, MAX_RECORD, Record};

use crate::{
    chain,
    lock::Lock,
    paths,
    runtime::{make_private, make_runtime, write_private},
};

/// The journal of this host.
#[derive(Debug, Clone, Copy, Default)]
pub struct FileJournal;

impl Journal for FileJournal {
    fn load(&mut self) -> Result<Option<Record>, LoadError> {
        // A shadow that cannot be read stands for nothing.
        let shadow = load(paths::JOURNAL_SHADOW).ok().flatten();
        if shadow.is_some() { Ok(shadow) } else { load(paths::JOURNAL) }
    }

    fn store(&mut self, record: &Record) -> Result<(), Fault> {
        let json = record.to_json();
        match make_private(paths::STATE).and_then(|()| write_private(paths::JOURNAL, &json)) {
            Ok(()) => {
                // What is left of it would outlive a later record.
                let _gone = fs::remove_file(paths::JOURNAL_SHADOW);
                Ok(())
            }
            Err(error) => {
                let _no_worse = make_runtime().and_then(|()| write_private(paths::JOURNAL_SHADOW, &json));
                Err(Fault::new(format!("{} cannot be written: {}", paths::JOURNAL, chain(&error))))
            }
        }
    }
}

impl FileJournal {
    /// Writes a newer record that could not be written when it was made, if there is one and nobody is at work.
    pub fn catch_up(&mut self) {
        if !Path::new(paths::JOURNAL_SHADOW).exists() {
            return;
        }
        // Only who holds the lock writes: an owner may be about to write a still newer one.
        if let Ok(Some(_lock)) = Lock::take()
            && let Ok(Some(record)) = load(paths::JOURNAL_SHADOW)
        {
            // The next contact tries again.
            let _later = self.store(&record);
        }
    }
}

fn load(path: &str) -> Result<Option<Record>, LoadError> {
    match read(path) {
        Ok(bytes) => Ok(Some(Record::from_json(&bytes)?)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(LoadError::Read(Fault::new(format!("{path}: {error}")))),
    }
}

fn read(path: &str) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let bound = u64::try_from(MAX_RECORD).unwrap_or(u64::MAX).saturating_add(1);
    File::open(path)?.take(bound).read_to_end(&mut bytes)?;
    Ok(bytes)
}
