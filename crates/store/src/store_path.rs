//! Store paths: the directory of a store, and the `<hash>-<name>` of a path in it.
//!
//! A [`StorePath`] does not know its directory; [`StoreDir`] joins the two and takes them apart.

use std::{cmp::Ordering, fmt, str::FromStr};

use thiserror::Error;

use crate::{base32, excerpt};

mod make;

pub(crate) use make::make_store_path;

/// Longest name of a store path in bytes (`StorePath::MaxPathLen` in Nix).
pub const MAX_NAME: usize = 211;

/// Longest store directory in bytes that is accepted; Nix has no limit but the kernel's `PATH_MAX`.
const MAX_STORE_DIR: usize = 4096;

/// Characters of the hash part.
const HASH_TEXT: usize = base32::encoded_len(HashPart::LEN);

/// Why a text is not a store path, its name, or a store directory.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum StorePathError {
    /// The path does not lie directly in the store's directory.
    #[error("'{path}' is not a path directly in the store '{store_dir}'")]
    NotInStore {
        /// The path, at most 256 bytes of it.
        path: String,
        /// The store it was looked for in.
        store_dir: String,
    },
    /// There is no dash where the hash part ends.
    #[error("'{base_name}' is not `<32 base-32 digits>-<name>`")]
    NoHashPart {
        /// The base name, at most 256 bytes of it.
        base_name: String,
    },
    /// The hash part is not base-32.
    #[error("'{base_name}' has a bad hash part")]
    HashPart {
        /// The base name, at most 256 bytes of it.
        base_name: String,
        /// What is wrong with it.
        source: base32::DecodeError,
    },
    /// The name is empty or too long.
    #[error("a store path's name has 1 to {MAX_NAME} bytes, found {length}")]
    NameLength {
        /// Bytes that were given.
        length: usize,
    },
    /// The name has a byte outside `0-9a-zA-Z+-._?=`.
    #[error("store path name '{name}' has '{}' at byte {offset}, allowed are letters, digits and +-._?=",
        .byte.escape_ascii())]
    NameByte {
        /// The name, unprintable bytes escaped.
        name: String,
        /// Where the byte stands in the name.
        offset: usize,
        /// The byte.
        byte: u8,
    },
    /// The name is `.` or `..` or begins with one of them and a dash.
    #[error("store path name '{name}' begins with the component '.' or '..'")]
    NameDots {
        /// The name.
        name: String,
    },
    /// The store directory is not absolute and canonical.
    #[error("'{path}' is not an absolute path without empty, '.' and '..' components and control characters")]
    StoreDir {
        /// What was given, at most 256 bytes of it.
        path: String,
    },
}

/// The directory of a store, `/nix/store` nearly everywhere.
///
/// Absolute, canonical, not the root directory, and without control characters, which would end lines.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StoreDir(Box<str>);

impl StoreDir {
    /// The store directory `path`.
    pub fn new(path: &str) -> Result<Self, StorePathError> {
        let canonical = path.strip_prefix('/').is_some_and(|components| {
            components.split('/').all(|component| !matches!(component, "" | "." | ".."))
        });
        if canonical && path.len() <= MAX_STORE_DIR && !path.contains(char::is_control) {
            Ok(Self(path.into()))
        } else {
            Err(StorePathError::StoreDir { path: excerpt(path.as_bytes()) })
        }
    }

    /// The directory's path.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Reads a full path such as `/nix/store/<hash>-<name>`, without anything after it.
    pub fn parse(&self, path: &[u8]) -> Result<StorePath, StorePathError> {
        let base_name = path.strip_prefix(self.0.as_bytes()).and_then(|rest| rest.strip_prefix(b"/"));
        match base_name {
            Some(base_name) if !base_name.contains(&b'/') => StorePath::from_base_name(base_name),
            _ => Err(StorePathError::NotInStore { path: excerpt(path), store_dir: self.to_string() }),
        }
    }

    /// The full path of `path` in this store, to be written or made a string.
    pub fn display<'a>(&'a self, path: &'a StorePath) -> impl fmt::Display + 'a {
        fmt::from_fn(move |f| write!(f, "{self}/{path}"))
    }
}

impl Default for StoreDir {
    /// `/nix/store`.
    fn default() -> Self {
        Self("/nix/store".into())
    }
}

impl fmt::Display for StoreDir {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for StoreDir {
    type Err = StorePathError;

    fn from_str(path: &str) -> Result<Self, StorePathError> {
        Self::new(path)
    }
}

/// The hash part of a store path, 160 bits. It orders as its text does.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct HashPart(pub [u8; Self::LEN]);

impl HashPart {
    /// Bytes of a hash part.
    pub const LEN: usize = 20;

    /// Reads the 32 base-32 digits of a hash part.
    pub fn parse(text: &[u8]) -> Result<Self, base32::DecodeError> {
        base32::decode_array(text).map(Self)
    }
}

impl Ord for HashPart {
    fn cmp(&self, other: &Self) -> Ordering {
        // The text begins with the last byte.
        let reversed = |HashPart(mut bytes): HashPart| {
            bytes.reverse();
            bytes
        };
        reversed(*self).cmp(&reversed(*other))
    }
}

impl PartialOrd for HashPart {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for HashPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&base32::encode(&self.0))
    }
}

impl fmt::Debug for HashPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HashPart({self})")
    }
}

/// The name of a store path, what follows `<hash>-`: 1 to 211 bytes of `0-9a-zA-Z+-._?=`, not beginning
/// with a component `.` or `..`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StorePathName(Box<str>);

impl StorePathName {
    /// Checks and takes `name`.
    pub fn new(name: &[u8]) -> Result<Self, StorePathError> {
        if name.is_empty() || name.len() > MAX_NAME {
            return Err(StorePathError::NameLength { length: name.len() });
        }
        if let Some(offset) = name.iter().position(|byte| !is_name_byte(*byte)) {
            return Err(StorePathError::NameByte { name: excerpt(name), offset, byte: name[offset] });
        }
        let name = String::from_utf8_lossy(name);
        if matches!(name.split('-').next(), Some("." | "..")) {
            return Err(StorePathError::NameDots { name: name.into() });
        }
        Ok(Self(name.into()))
    }

    /// The name's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for StorePathName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for StorePathName {
    type Err = StorePathError;

    fn from_str(name: &str) -> Result<Self, StorePathError> {
        Self::new(name.as_bytes())
    }
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"+-._?=".contains(&byte)
}

/// A store path without its directory. It displays as, and orders by, its base name `<hash>-<name>`,
/// which is how Nix sorts references.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StorePath {
    hash_part: HashPart,
    name: StorePathName,
}

impl StorePath {
    /// The path with this hash part and name.
    #[must_use]
    pub fn new(hash_part: HashPart, name: StorePathName) -> Self {
        Self { hash_part, name }
    }

    /// Reads `<hash>-<name>`.
    pub fn from_base_name(base_name: &[u8]) -> Result<Self, StorePathError> {
        let Some((hash_part, [b'-', name @ ..])) = base_name.split_at_checked(HASH_TEXT) else {
            return Err(StorePathError::NoHashPart { base_name: excerpt(base_name) });
        };
        let hash_part = HashPart::parse(hash_part)
            .map_err(|source| StorePathError::HashPart { base_name: excerpt(base_name), source })?;
        Ok(Self { hash_part, name: StorePathName::new(name)? })
    }

    /// The hash part.
    #[must_use]
    pub fn hash_part(&self) -> HashPart {
        self.hash_part
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &StorePathName {
        &self.name
    }

    /// Whether this is a derivation, that is, ends in `.drv`.
    #[must_use]
    pub fn is_derivation(&self) -> bool {
        self.name.0.ends_with(".drv")
    }
}

impl fmt::Display for StorePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.hash_part, self.name)
    }
}

impl fmt::Debug for StorePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StorePath({self})")
    }
}

impl FromStr for StorePath {
    type Err = StorePathError;

    /// Reads `<hash>-<name>`; for a full path see [`StoreDir::parse`].
    fn from_str(base_name: &str) -> Result<Self, StorePathError> {
        Self::from_base_name(base_name.as_bytes())
    }
}

#[cfg(test)]
mod tests;
