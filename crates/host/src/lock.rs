//! The owner's lock: a `flock` that dies with its holder.

use std::{
    fs::{File, TryLockError},
    io::{self, Read, Write},
    path::Path,
};

use crate::{paths, runtime::make_runtime};

/// The right to change this host. Dropping it, or dying, gives it up.
#[derive(Debug)]
pub struct Lock {
    file: File,
}

impl Lock {
    /// Takes the lock if it is free; `None` if somebody holds it.
    ///
    /// # Errors
    /// If the lock's file cannot be opened.
    pub fn take() -> io::Result<Option<Self>> {
        make_runtime()?;
        let file = open()?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self { file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// Whether somebody holds it.
    #[must_use]
    pub fn is_held() -> bool {
        File::open(paths::LOCK).is_ok_and(|file| matches!(file.try_lock(), Err(TryLockError::WouldBlock)))
    }

    /// Writes down who holds it: for people, and for the guard, which ends an owner that is late.
    ///
    /// # Errors
    /// If it cannot be written; the lock is held all the same.
    pub fn sign(&mut self) -> io::Result<()> {
        self.file.set_len(0)?;
        self.file.write_all(format!("{}\n", std::process::id()).as_bytes())
    }

    /// The process that signed last.
    #[must_use]
    pub fn signer() -> Option<u32> {
        let mut text = String::new();
        File::open(paths::LOCK).ok()?.take(20).read_to_string(&mut text).ok()?;
        text.trim().parse().ok()
    }
}

/// Whether the lock that this file stands for is free; a file that is not there is.
///
/// # Errors
/// If the file cannot be opened.
pub(crate) fn is_free(path: &Path) -> io::Result<bool> {
    match File::open(path) {
        Ok(file) => match file.try_lock_shared() {
            Ok(()) => Ok(true),
            Err(TryLockError::WouldBlock) => Ok(false),
            Err(TryLockError::Error(error)) => Err(error),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(error),
    }
}

fn open() -> io::Result<File> {
    File::options().read(true).write(true).create(true).truncate(false).open(paths::LOCK)
}
