//! A full log for each host and run.

use std::fs::{self, File};
use std::path::PathBuf;

use order::HostName;

use super::{State, StateError, files};
use crate::RunId;

/// Runs whose logs are kept.
const RUNS: usize = 50;

impl State {
    /// The log of this host in this run, to be written.
    pub(crate) fn log(&self, run: &RunId, host: &HostName) -> Result<(File, PathBuf), StateError> {
        let directory = self.directory.join("logs").join(run.as_str());
        files::make_directory(&directory)?;
        let path = directory.join(format!("{host}.log"));
        Ok((files::append(&path)?, path))
    }

    /// Removes the logs of old runs. What cannot be removed stays.
    pub(crate) fn prune_logs(&self) {
        let directory = self.directory.join("logs");
        let runs = files::names(&directory);
        for run in &runs[..surplus(runs.len())] {
            let _kept = fs::remove_dir_all(directory.join(run));
        }
    }

    /// How many runs there are whose logs [`State::prune_logs`] would remove.
    pub(crate) fn surplus_logs(&self) -> usize {
        surplus(files::names(&self.directory.join("logs")).len())
    }
}

/// How many of so many runs are too many.
fn surplus(runs: usize) -> usize {
    runs.saturating_sub(RUNS)
}
