//! Collecting garbage.

use std::{collections::BTreeSet, ffi::OsString, os::unix::ffi::OsStringExt as _, path::PathBuf};

use store::store_path::StorePath;

use super::Client;
use crate::{error::Error, limits, operation::Operation};

/// What to do about garbage, that is, paths that no root protects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GarbageAction {
    /// List what is protected.
    ListLive,
    /// List what could be deleted.
    ListDead,
    /// Delete what nothing protects.
    DeleteDead {
        /// Stop when this many bytes were freed.
        max_freed: u64,
    },
    /// Delete these paths; the daemon fails at one that is protected.
    Delete(BTreeSet<StorePath>),
}

/// What came of a collection of garbage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collected {
    /// The listed or deleted files of the store's directory. What was left over there by an accident need not
    /// have the name of a store path, and may be any bytes.
    pub paths: Vec<PathBuf>,
    /// Bytes that were freed.
    pub bytes_freed: u64,
}

impl Client {
    /// Lists or deletes garbage.
    pub fn collect_garbage(&mut self, action: &GarbageAction) -> Result<Collected, Error> {
        let nothing = BTreeSet::new();
        let (number, paths, max_freed) = match action {
            GarbageAction::ListLive => (0, &nothing, u64::MAX),
            GarbageAction::ListDead => (1, &nothing, u64::MAX),
            GarbageAction::DeleteDead { max_freed } => (2, &nothing, *max_freed),
            GarbageAction::Delete(paths) => (3, paths, u64::MAX),
        };
        self.ask(
            Operation::CollectGarbage,
            |request| {
                request.number(number);
                request.paths(paths);
                let ignore_liveness = false;
                request.flag(ignore_liveness);
                request.number(max_freed);
                let obsolete = [0; 3];
                obsolete.into_iter().for_each(|number| request.number(number));
            },
            |answer| {
                let paths = answer.list("a list of garbage", limits::PATHS, |answer| {
                    Ok(OsString::from_vec(answer.string("a file of the store", limits::PATH)?).into())
                })?;
                let bytes_freed = answer.number("bytes that were freed")?;
                let _obsolete = answer.number("an obsolete number")?;
                Ok(Collected { paths, bytes_freed })
            },
        )
    }
}
