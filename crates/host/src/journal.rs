//! The journal's file: replaced as a whole, synced with its folder.

use std::{
    fs::{self, File},
    io::{self, Read, Write},
};

use activate::{Fault, Journal, LoadError, MAX_RECORD, Record};
use atomic_write_file::AtomicWriteFile;

use crate::{chain, paths};

/// The journal of this host.
#[derive(Debug, Clone, Copy, Default)]
pub struct FileJournal;

impl Journal for FileJournal {
    fn load(&mut self) -> Result<Option<Record>, LoadError> {
        match read() {
            Ok(bytes) => Ok(Some(Record::from_json(&bytes)?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(LoadError::Read(Fault::new(format!("{}: {error}", paths::JOURNAL)))),
        }
    }

    fn store(&mut self, record: &Record) -> Result<(), Fault> {
        write(&record.to_json())
            .map_err(|error| Fault::new(format!("{} cannot be written: {}", paths::JOURNAL, chain(&error))))
    }
}

fn read() -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let bound = u64::try_from(MAX_RECORD).unwrap_or(u64::MAX).saturating_add(1);
    File::open(paths::JOURNAL)?.take(bound).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn write(bytes: &[u8]) -> io::Result<()> {
    fs::create_dir_all(paths::STATE)?;
    let mut file = AtomicWriteFile::open(paths::JOURNAL)?;
    file.write_all(bytes)?;
    file.commit()
}
