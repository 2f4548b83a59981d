//! The host's files as a tree that crate `system` reads.

use std::{
    fs::{self, File},
    io::{self, Read},
};

use system::{Tree, TreeError};

/// Most names in a folder.
const MAX_NAMES: usize = 100_000;

/// The host's own file system.
#[derive(Debug, Clone, Copy, Default)]
pub struct Files;

impl Tree for Files {
    fn read_file(&self, path: &str, limit: usize) -> Result<Vec<u8>, TreeError> {
        let file = File::open(path).map_err(|error| tree_error(error, "a file"))?;
        let mut bytes = Vec::new();
        let bound = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
        file.take(bound).read_to_end(&mut bytes).map_err(|error| tree_error(error, "a file"))?;
        if bytes.len() > limit { Err(TreeError::TooLong { limit }) } else { Ok(bytes) }
    }

    fn read_link(&self, path: &str) -> Result<String, TreeError> {
        let target = fs::read_link(path).map_err(|error| tree_error(error, "a link"))?;
        target.into_os_string().into_string().map_err(|_| TreeError::NotText)
    }

    fn list(&self, path: &str) -> Result<Vec<String>, TreeError> {
        let mut names = Vec::new();
        for entry in fs::read_dir(path).map_err(|error| tree_error(error, "a folder"))? {
            let name = entry.map_err(|error| tree_error(error, "a folder"))?.file_name();
            names.extend(name.into_string());
            if names.len() > MAX_NAMES {
                return Err(TreeError::TooLong { limit: MAX_NAMES });
            }
        }
        Ok(names)
    }
}

fn tree_error(error: io::Error, expected: &'static str) -> TreeError {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory if expected != "a folder" => {
            TreeError::NotFound
        }
        io::ErrorKind::NotFound => TreeError::NotFound,
        io::ErrorKind::InvalidInput | io::ErrorKind::IsADirectory | io::ErrorKind::NotADirectory => {
            TreeError::WrongKind { expected }
        }
        _ => TreeError::Failed(error),
    }
}
