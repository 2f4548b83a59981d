//! Links that keep the last systems of each host from the garbage collector here: what is copied, and what later
//! copies are compared with.

use std::fs;
use std::path::PathBuf;

use order::HostName;

use super::{State, StateError, files};
use crate::RunId;

/// Systems of a host that are kept.
const SYSTEMS: usize = 3;

impl State {
    /// Where a build of this run for this host makes its link.
    pub(crate) fn root_for(&self, host: &HostName, run: &RunId) -> Result<PathBuf, StateError> {
        let directory = self.directory.join("roots").join(host.as_str());
        files::make_directory(&directory)?;
        Ok(directory.join(run.as_str()))
    }

    /// Removes the links of older runs. What cannot be removed stays.
    pub(crate) fn prune_roots(&self, host: &HostName) {
        let directory = self.directory.join("roots").join(host.as_str());
        let runs = files::names(&directory);
        for run in &runs[..runs.len().saturating_sub(SYSTEMS)] {
            let _kept = fs::remove_file(directory.join(run));
        }
    }
}
