//! The firmware's variables, as the kernel shows them in `efivarfs`.
//!
//! They are written by the kernel's own format and not with `bootctl`: the format is stable, nothing can hang that
//! would have to be ended, and it works before anything is started. Sources: the kernel's `efivarfs.rst` (one file for
//! each variable, four bytes of attributes before the value, each write sets all of it) and `fs/efivarfs/inode.c`
//! (files of variables that the firmware itself does not need are immutable against mistakes).

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

use rustix::{
    fs::{IFlags, StatVfsMountFlags, fsync, ioctl_getflags, ioctl_setflags, statvfs},
    io::Errno,
};
use system::{
    ReadError,
    boot::{EfiVariables, variable_bytes, variable_file},
    tree::Below,
};

use crate::{paths, tree::Files};

/// The loader's variables; none where there is no such firmware.
pub(crate) fn read() -> Result<EfiVariables, ReadError> {
    EfiVariables::read(&Below::new(&Files, paths::EFIVARS))
}

/// Whether they can be written: nothing if there are none.
pub(crate) fn is_writable() -> Option<bool> {
    let found = statvfs(Path::new(paths::EFIVARS)).ok()?;
    Some(!found.f_flag.contains(StatVfsMountFlags::RDONLY))
}

/// Sets a variable of the loader, to last without power.
pub(crate) fn set(variable: &str, text: &str) -> io::Result<()> {
    set_in(Path::new(paths::EFIVARS), variable, text)
}

/// Removes a variable of the loader; that it is not there is as good.
pub(crate) fn remove(variable: &str) -> io::Result<()> {
    remove_in(Path::new(paths::EFIVARS), variable)
}

/// What is there is removed first: a crash in between leaves none, and then the default boots. What is there already
/// is not written again, because the firmware's memory wears.
fn set_in(folder: &Path, variable: &str, text: &str) -> io::Result<()> {
    let file = file_of(folder, variable);
    let bytes = variable_bytes(text);
    if fs::read(&file).is_ok_and(|found| found == bytes) {
        return Ok(());
    }
    remove_in(folder, variable)?;
    // One write sets the whole variable; a file that is made now stays open for it though it is made immutable.
    let mut made = OpenOptions::new().write(true).create_new(true).open(&file)?;
    let wrote = made.write(&bytes)?;
    if wrote != bytes.len() {
        return Err(io::Error::new(io::ErrorKind::WriteZero, "the kernel took a part of it only"));
    }
    sync(&made)?;
    sync(&File::open(folder)?)
}

fn remove_in(folder: &Path, variable: &str) -> io::Result<()> {
    let file = file_of(folder, variable);
    match File::open(&file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        opened => make_mutable(&opened?)?,
    }
    fs::remove_file(&file)?;
    sync(&File::open(folder)?)
}

fn file_of(folder: &Path, variable: &str) -> PathBuf {
    folder.join(variable_file(variable))
}

/// Where there are no such flags, nothing has to be done.
fn make_mutable(file: &File) -> io::Result<()> {
    let flags = match ioctl_getflags(file) {
        Ok(flags) => flags,
        Err(Errno::NOTTY | Errno::OPNOTSUPP) => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    if flags.contains(IFlags::IMMUTABLE) {
        ioctl_setflags(file, flags - IFlags::IMMUTABLE)?;
    }
    Ok(())
}

/// The kernel's own file system has nothing to sync and says so.
fn sync(file: &File) -> io::Result<()> {
    match fsync(file) {
        Err(Errno::INVAL) | Ok(()) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_set_again_and_removed() {
        let folder = std::env::temp_dir().join(format!("lockstep-efivars-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("made");
        let text = || {
            let bytes = fs::read(file_of(&folder, "LoaderEntryOneShot")).ok()?;
            system::boot::variable_text(&bytes).ok()
        };
        for value in ["a-rather-long-name.conf", "b.conf", "b.conf"] {
            set_in(&folder, "LoaderEntryOneShot", value).expect("set");
            assert_eq!(text().as_deref(), Some(value));
        }
        for _ in 0..2 {
            remove_in(&folder, "LoaderEntryOneShot").expect("removed");
            assert_eq!(text(), None);
        }
        fs::remove_dir(&folder).expect("nothing is left");
        assert!(set_in(&folder, "LoaderEntryOneShot", "a").is_err(), "no firmware");
        remove_in(&folder, "LoaderEntryOneShot").expect("there is none");
    }
}
