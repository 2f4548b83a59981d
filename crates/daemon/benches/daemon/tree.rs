//! Trees in a file system in memory.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::measure::Random;

/// A directory in memory that is removed in the end.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new() -> Self {
        let path = PathBuf::from(format!("/dev/shm/bench-daemon-{}", std::process::id()));
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

/// A tree of about 100 MiB in 4,096 files and 64 directories: most files are small, a few hold most of the
/// bytes.
pub(crate) fn make_tree(path: &Path) {
    let mut random = Random(1);
    for index in 0..4096_usize {
        let directory = path.join(format!("directory-{:02}", index % 64));
        fs::create_dir_all(&directory).unwrap();
        let size = if index.is_multiple_of(43) { 1 << 20 } else { 1 << (index % 14) };
        fs::write(directory.join(format!("file-{index:06}")), random.bytes(size)).unwrap();
    }
}
