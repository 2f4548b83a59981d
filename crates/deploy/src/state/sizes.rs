//! How large what is remembered has become.

use std::fs;
use std::path::Path;

use super::{State, files};

/// How much is remembered of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stored {
    /// How many there are: runs with logs, hosts with reports.
    pub count: usize,
    /// Bytes of the files.
    pub bytes: u64,
}

impl State {
    /// The logs of all runs.
    pub(crate) fn stored_logs(&self) -> Stored {
        stored(&self.directory.join("logs"))
    }

    /// What is remembered of all hosts. It has its bounds whenever it grows, so nothing of it is ever beyond.
    pub(crate) fn stored_reports(&self) -> Stored {
        stored(&self.directory.join("hosts"))
    }
}

/// The directories in a directory, and the bytes of the files in each.
fn stored(directory: &Path) -> Stored {
    let names = files::names(directory);
    let bytes = names.iter().map(|name| bytes_in(&directory.join(name))).fold(0, u64::saturating_add);
    Stored { count: names.len(), bytes }
}

fn bytes_in(directory: &Path) -> u64 {
    let names = files::names(directory);
    let sizes = names.iter().filter_map(|name| fs::symlink_metadata(directory.join(name)).ok());
    sizes.map(|about| about.len()).fold(0, u64::saturating_add)
}
