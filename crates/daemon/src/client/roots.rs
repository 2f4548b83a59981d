//! What keeps paths from being collected as garbage.

use std::{
    ffi::OsString,
    os::unix::ffi::{OsStrExt as _, OsStringExt as _},
    path::{Path, PathBuf},
};

use store::store_path::StorePath;

use super::Client;
use crate::{error::Error, limits, operation::Operation, wire::WireReader};

/// Something that protects a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root {
    /// Where it was found: a symbolic link, a file of a running process such as `/proc/7/exe`, or a
    /// placeholder such as `{censored}` if the client may not know.
    pub link: PathBuf,
    /// What it protects.
    pub path: StorePath,
}

impl Client {
    /// Protects `path` until this connection ends. The path need not be valid yet.
    pub fn add_temp_root(&mut self, path: &StorePath) -> Result<(), Error> {
        self.ask(Operation::AddTempRoot, |request| request.path(path), WireReader::acknowledgement)
    }

    /// Protects what the symbolic link at `link` points to, as long as it does. `link` is absolute and
    /// outside the store; it is the caller who makes the link.
    ///
    /// A relative one is refused here, for the daemon would take it from where the daemon stands.
    pub fn add_indirect_root(&mut self, link: &Path) -> Result<(), Error> {
        let operation = Operation::AddIndirectRoot;
        self.check_usable(operation)?;
        if !link.is_absolute() {
            return Err(Error::RelativePath { operation, path: link.to_owned() });
        }
        self.ask(
            operation,
            |request| request.string(link.as_os_str().as_bytes()),
            WireReader::acknowledgement,
        )
    }

    /// All that protects a path now. Clients that are not trusted do not learn where.
    pub fn find_roots(&mut self) -> Result<Vec<Root>, Error> {
        self.ask(
            Operation::FindRoots,
            |_| {},
            |answer| {
                answer.list("a list of roots", limits::PATHS, |answer| {
                    let link = OsString::from_vec(answer.string("a root", limits::PATH)?).into();
                    Ok(Root { link, path: answer.path("what a root protects")? })
                })
            },
        )
    }
}
