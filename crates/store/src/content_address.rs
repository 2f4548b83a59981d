//! Content addresses: store paths whose name follows from what they hold, so that nobody need vouch for them.

use std::{collections::BTreeSet, fmt, fmt::Write as _, str::FromStr};

use thiserror::Error;

use crate::{
    hash::{Algorithm, Hash, ParseHashError, Sha256},
    store_path::{StoreDir, StorePath, StorePathName, make_store_path},
};

/// What the name of a content-addressed path was computed from.
///
/// Displays and parses as in a narinfo's `CA` line: `text:sha256:..`, `fixed:sha256:..` or
/// `fixed:r:sha256:..`, the digest in base-32 when written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ContentAddress {
    /// The hash of the contents of a regular file that may have references, such as a derivation.
    Text(Sha256),
    /// The hash of the contents of a regular file that is not executable and has no references.
    Flat(Hash),
    /// The hash of the path's NAR; with references to itself, of its NAR with those references blanked.
    Nar(Hash),
}

/// What of a path is hashed for its content address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Method {
    /// The contents of a regular file that may have references.
    Text,
    /// The contents of a regular file.
    Flat,
    /// The NAR.
    Nar,
}

impl Method {
    /// What derivations write before the algorithm: `text:`, nothing, or `r:`.
    #[must_use]
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Text => "text:",
            Self::Flat => "",
            Self::Nar => "r:",
        }
    }
}

/// Why a text is not a content address.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ParseContentAddressError {
    /// It begins with neither `text:` nor `fixed:`.
    #[error("a content address begins with 'text:' or 'fixed:'")]
    Kind,
    /// What follows is not a hash.
    #[error("a content address ends in `<algorithm>:<digest>`")]
    Hash(#[from] ParseHashError),
    /// Text is addressed by SHA-256 only.
    #[error("text is addressed by sha256, found {algorithm}")]
    TextAlgorithm {
        /// The algorithm that was named.
        algorithm: Algorithm,
    },
}

/// The paths a content-addressed path refers to, which are part of what its name is computed from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct References {
    /// The other paths it refers to.
    pub others: BTreeSet<StorePath>,
    /// Whether it refers to itself.
    pub to_self: bool,
}

impl References {
    fn is_empty(&self) -> bool {
        self.others.is_empty() && !self.to_self
    }
}

/// Why there is no store path for a content address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ContentPathError {
    /// Only text and NARs hashed with SHA-256 may have references.
    #[error("a path addressed as {0} must have no references")]
    References(ContentAddress),
    /// Text cannot refer to itself.
    #[error("a path addressed as text must not refer to itself")]
    SelfReference,
}

impl ContentAddress {
    /// The address of what hashes to `hash`.
    pub fn new(method: Method, hash: Hash) -> Result<Self, ParseContentAddressError> {
        let algorithm = hash.algorithm();
        match method {
            Method::Text => {
                hash.as_sha256().map(Self::Text).ok_or(ParseContentAddressError::TextAlgorithm { algorithm })
            }
            Method::Flat => Ok(Self::Flat(hash)),
            Method::Nar => Ok(Self::Nar(hash)),
        }
    }

    /// What was hashed.
    #[must_use]
    pub fn method(&self) -> Method {
        match self {
            Self::Text(_) => Method::Text,
            Self::Flat(_) => Method::Flat,
            Self::Nar(_) => Method::Nar,
        }
    }

    /// The hash of it.
    #[must_use]
    pub fn hash(&self) -> Hash {
        match self {
            Self::Text(sha256) => (*sha256).into(),
            Self::Flat(hash) | Self::Nar(hash) => *hash,
        }
    }

    /// The store path of this content under `name`.
    pub fn store_path(
        &self,
        store_dir: &StoreDir,
        name: &StorePathName,
        references: &References,
    ) -> Result<StorePath, ContentPathError> {
        let (kind, digest) = match self {
            Self::Text(_) if references.to_self => return Err(ContentPathError::SelfReference),
            Self::Text(digest) => (with_references("text", store_dir, references), *digest),
            Self::Nar(hash) if let Some(digest) = hash.as_sha256() => {
                (with_references("source", store_dir, references), digest)
            }
            _ if !references.is_empty() => return Err(ContentPathError::References(*self)),
            Self::Nar(_) | Self::Flat(_) => ("output:out".to_owned(), self.fixed_output_digest()),
        };
        Ok(make_store_path(store_dir, &kind, digest, name))
    }

    /// The method and the hash as derivations write them, `r:sha256:<hexadecimal>`.
    pub(crate) fn in_derivation(&self) -> String {
        let hash = self.hash();
        format!("{}{}:{}", self.method().prefix(), hash.algorithm(), hash.to_base16())
    }

    /// What stands for the derivation of a fixed output, so that all ways to get it give one path.
    fn fixed_output_digest(&self) -> Sha256 {
        Sha256::of(format!("fixed:out:{}:", self.in_derivation()).as_bytes())
    }
}

/// `kind` with the references behind it, as [`make_store_path`] wants it.
fn with_references(kind: &str, store_dir: &StoreDir, references: &References) -> String {
    let mut kind = kind.to_owned();
    for path in &references.others {
        // Writing to a string cannot fail.
        let _ = write!(kind, ":{}", store_dir.display(path));
    }
    if references.to_self {
        kind.push_str(":self");
    }
    kind
}

impl fmt::Display for ContentAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(digest) => write!(f, "text:{digest}"),
            Self::Flat(hash) => write!(f, "fixed:{hash}"),
            Self::Nar(hash) => write!(f, "fixed:r:{hash}"),
        }
    }
}

impl FromStr for ContentAddress {
    type Err = ParseContentAddressError;

    fn from_str(text: &str) -> Result<Self, ParseContentAddressError> {
        if let Some(hash) = text.strip_prefix("text:") {
            Self::new(Method::Text, parse_hash(hash)?)
        } else if let Some(hash) = text.strip_prefix("fixed:r:") {
            Self::new(Method::Nar, parse_hash(hash)?)
        } else if let Some(hash) = text.strip_prefix("fixed:") {
            Self::new(Method::Flat, parse_hash(hash)?)
        } else {
            Err(ParseContentAddressError::Kind)
        }
    }
}

/// Reads `<algorithm>:<digest>`; the SRI form has no place in a content address.
fn parse_hash(text: &str) -> Result<Hash, ParseHashError> {
    let (algorithm, digest) = text.split_once(':').unwrap_or((text, ""));
    Hash::parse_digest(algorithm.parse()?, digest)
}

#[cfg(test)]
mod tests;
