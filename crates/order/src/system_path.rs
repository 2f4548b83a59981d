//! Where a system lies: a store path, or a specialisation inside one.

use std::fmt;

use store::store_path::{StoreDir, StorePath, StorePathError};
use thiserror::Error;

/// A NixOS system as links name it: `/nix/store/<hash>-<name>`, perhaps with `/specialisation/<name>` behind it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SystemPath {
    /// The system's store path.
    pub path: StorePath,
    /// The specialisation that is meant, if it is not the system itself.
    pub specialisation: Option<Box<str>>,
}

/// Why a path is not a system's.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SystemPathError {
    /// The part below the store is no store path.
    #[error("not a system")]
    Path(#[from] StorePathError),
    /// Behind the store path stands something else than a specialisation.
    #[error("'{0}' is neither a store path nor a specialisation of one")]
    Inside(String),
}

impl SystemPath {
    /// Reads `/nix/store/<hash>-<name>[/specialisation/<name>]`.
    ///
    /// # Errors
    /// If it is anything else.
    pub fn parse(store_dir: &StoreDir, text: &str) -> Result<Self, SystemPathError> {
        let inside = || SystemPathError::Inside(text.chars().take(256).collect());
        let below = text.strip_prefix(store_dir.as_str()).and_then(|rest| rest.strip_prefix('/'));
        let (base, rest) = below.ok_or_else(inside)?.split_once('/').unzip();
        let base = base.unwrap_or_else(|| below.unwrap_or_default());
        let path = StorePath::from_base_name(base.as_bytes())?;
        let specialisation = match rest.map(|rest| rest.strip_prefix("specialisation/")) {
            None => None,
            Some(Some(name)) if !name.is_empty() && !name.contains('/') && name != ".." && name != "." => {
                Some(name.into())
            }
            Some(_) => return Err(inside()),
        };
        Ok(Self { path, specialisation })
    }

    /// The path in this store, for programs and people.
    #[must_use]
    pub fn in_store(&self, store_dir: &StoreDir) -> String {
        let base = store_dir.display(&self.path);
        match &self.specialisation {
            None => base.to_string(),
            Some(name) => format!("{base}/specialisation/{name}"),
        }
    }
}

impl From<StorePath> for SystemPath {
    fn from(path: StorePath) -> Self {
        Self { path, specialisation: None }
    }
}

impl fmt::Display for SystemPath {
    /// The base name of the store path, with the specialisation behind it.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.specialisation {
            None => write!(out, "{}", self.path),
            Some(name) => write!(out, "{}/specialisation/{name}", self.path),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str = "/nix/store/0bkfhz0v2jcyj2m7hwzdzmywav298dl2-nixos-system-web";

    #[test]
    fn systems_and_specialisations_are_read_and_written_back() {
        for text in [BASE.to_owned(), format!("{BASE}/specialisation/x y")] {
            let system = SystemPath::parse(&StoreDir::default(), &text).expect("a system");
            assert_eq!(system.in_store(&StoreDir::default()), text);
        }
        for bad in ["", "/nix/store", "/nix/store/", "/tmp/x", "/nix/storex/y"] {
            assert!(SystemPath::parse(&StoreDir::default(), bad).is_err(), "{bad}");
        }
        for bad in
            ["/", "/bin", "/specialisation", "/specialisation/", "/specialisation/..", "/specialisation/a/b"]
        {
            assert!(SystemPath::parse(&StoreDir::default(), &format!("{BASE}{bad}")).is_err(), "{bad}");
        }
    }
}
