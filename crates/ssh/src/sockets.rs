//! The private directory of one run, where the sockets of its connections lie.

use std::env;
use std::fs::{self, DirBuilder, File};
use std::io;
use std::mem::MaybeUninit;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::process::geteuid;
use rustix::rand::{GetRandomFlags, getrandom};

/// A socket's path fits into 104 bytes on every system, its final zero included.
const SUN_PATH: usize = 104;
/// `ssh` binds a name with `.` and 16 characters more and renames it.
const SSH_SUFFIX: usize = 17;
/// Room for `/` and the number of a connection.
const NUMBER: usize = 5;

/// Directories of runs are called so, and 8 hexadecimal digits.
const PREFIX: &str = "lockstep-";
/// Locked as long as the run lives.
const LOCK: &str = "lock";
/// See [`PREFIX`].
const DIGITS: usize = 8;

/// A directory that only we can enter; removed with everything in it when the last user of this value is gone. That of
/// a run that was killed is removed by the next run.
#[derive(Clone, Debug)]
pub struct Sockets(Arc<Dir>);

#[derive(Debug)]
struct Dir {
    path: PathBuf,
    next: AtomicU32,
    _lock: File,
}

/// There is no place for the sockets.
#[derive(Debug, thiserror::Error)]
pub enum NoSockets {
    /// The directory's path leaves no room for a socket's name.
    #[error(
        "{} is too long for sockets: {length} of {} bytes; set XDG_RUNTIME_DIR or TMPDIR to a shorter path",
        path.display(), SUN_PATH - SSH_SUFFIX - NUMBER - 1
    )]
    TooLong {
        /// The directory that would be made.
        path: PathBuf,
        /// Its length, in bytes.
        length: usize,
    },
    /// The path is no text that ssh takes as it is.
    #[error("{} cannot hold sockets: its path has control characters or `${{`, or is not UTF-8; set TMPDIR", .0.display())]
    NotPlain(PathBuf),
    /// The directory cannot be made.
    #[error("cannot make {}, a private directory for sockets", path.display())]
    Create {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The system has no random numbers to give.
    #[error("cannot get random numbers for a private name")]
    Random(#[source] io::Error),
}

impl Sockets {
    /// Makes the directory in `$XDG_RUNTIME_DIR`, else in the directory for temporary files, else in `/tmp`: where it
    /// can be made and its path is short enough.
    pub fn create() -> Result<Self, NoSockets> {
        let runtime = env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|path| path.is_absolute());
        for base in runtime.into_iter().chain([env::temp_dir()]) {
            if let Ok(sockets) = Self::create_in(&base) {
                return Ok(sockets);
            }
        }
        Self::create_in(Path::new("/tmp"))
    }

    /// Makes the directory in `base`.
    pub fn create_in(base: &Path) -> Result<Self, NoSockets> {
        sweep(base);
        let path = base.join(format!("{PREFIX}{}", &random_hex()?[..DIGITS]));
        let length = path.as_os_str().len();
        if length + NUMBER + SSH_SUFFIX >= SUN_PATH {
            return Err(NoSockets::TooLong { path, length });
        }
        if path.to_str().is_none_or(|text| text.contains("${") || text.chars().any(char::is_control)) {
            return Err(NoSockets::NotPlain(path));
        }
        match create_locked(base, &path) {
            Ok(lock) => Ok(Self(Arc::new(Dir { path, next: AtomicU32::new(0), _lock: lock }))),
            Err(source) => Err(NoSockets::Create { path, source }),
        }
    }

    /// The directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0.path
    }

    /// A name that no connection has yet.
    pub(crate) fn next(&self) -> PathBuf {
        let number = self.0.next.fetch_add(1, Ordering::Relaxed) % 10_000;
        self.0.path.join(number.to_string())
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        // What cannot be removed is empty sockets of ours; the next boot clears both places.
        let _left = fs::remove_dir_all(&self.path);
    }
}

/// Makes the directory under a hidden name first: whoever sees the real one finds it locked.
fn create_locked(base: &Path, path: &Path) -> io::Result<File> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let hidden = base.join(format!(".{name}"));
    DirBuilder::new().mode(0o700).create(&hidden)?;
    let lock = File::create(hidden.join(LOCK))?;
    lock.lock()?;
    fs::rename(&hidden, path)?;
    Ok(lock)
}

/// Removes what killed runs of this user left. Others are in nobody's way.
fn sweep(base: &Path) {
    for entry in fs::read_dir(base).into_iter().flatten().flatten() {
        let path = entry.path();
        let ours = entry.metadata().is_ok_and(|meta| meta.is_dir() && meta.uid() == geteuid().as_raw());
        let name = entry.file_name();
        let digits = name.to_str().and_then(|name| name.strip_prefix(PREFIX)).unwrap_or_default();
        let named = digits.len() == DIGITS && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        if ours && named && File::open(path.join(LOCK)).is_ok_and(|lock| lock.try_lock().is_ok()) {
            // The next run tries again.
            let _left = fs::remove_dir_all(&path);
        }
    }
}

/// 32 digits that nobody can guess.
pub(crate) fn random_hex() -> Result<String, NoSockets> {
    let mut bytes = [MaybeUninit::uninit(); 16];
    let (filled, missing) =
        getrandom(&mut bytes, GetRandomFlags::empty()).map_err(|error| NoSockets::Random(error.into()))?;
    if !missing.is_empty() {
        return Err(NoSockets::Random(io::ErrorKind::UnexpectedEof.into()));
    }
    Ok(filled.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;
    use std::{env, fs};

    use super::{NoSockets, Sockets};

    #[test]
    fn the_directory_is_private_and_goes_with_its_last_user() {
        let sockets = Sockets::create_in(&env::temp_dir()).unwrap();
        let (path, other) = (sockets.path().to_owned(), sockets.clone());
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o700);
        assert_ne!(sockets.next(), other.next());
        fs::write(sockets.next(), "").unwrap();
        drop(sockets);
        assert!(path.exists());
        drop(other);
        assert!(!path.exists());
    }

    #[test]
    fn what_a_killed_run_left_goes_with_the_next() {
        let base = Sockets::create_in(&env::temp_dir()).unwrap();
        let left = ["lockstep-0123abcd", "lockstep-0123abcg", "lockstep-0123abcde", "other"];
        for name in left {
            fs::create_dir(base.path().join(name)).unwrap();
            fs::write(base.path().join(name).join("lock"), "").unwrap();
        }
        let alive = Sockets::create_in(base.path()).unwrap();
        let second = Sockets::create_in(base.path()).unwrap();
        assert!(alive.path().exists() && second.path().exists());
        let there = left.map(|name| base.path().join(name).exists());
        assert_eq!(there, [false, true, true, true], "only what a run of ours left");
    }

    #[test]
    fn a_path_that_leaves_no_room_is_an_error_before_anything_is_made() {
        let base = env::temp_dir().join("x".repeat(70));
        assert!(matches!(Sockets::create_in(&base), Err(NoSockets::TooLong { .. })));
        assert!(matches!(Sockets::create_in("/does/not/exist".as_ref()), Err(NoSockets::Create { .. })));
    }
}
