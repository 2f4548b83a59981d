//! What a store knows of one of its paths, apart from its contents.

use std::collections::BTreeSet;

use thiserror::Error;

use crate::{
    content_address::{ContentAddress, References},
    hash::Sha256,
    signature::{SecretKey, Signature, TrustedKeys},
    store_path::{StoreDir, StorePath},
};

/// What a store knows of a valid path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathInfo {
    /// The path itself.
    pub path: StorePath,
    /// The derivation that made it, as far as is known. It need not exist any more.
    pub deriver: Option<StorePath>,
    /// SHA-256 of its NAR.
    pub nar_hash: Sha256,
    /// Bytes of its NAR; 0 if not known, for no NAR is empty.
    pub nar_size: u64,
    /// The paths it refers to, itself included if it does.
    pub references: BTreeSet<StorePath>,
    /// When it became valid in that store, in seconds since 1970; 0 if not known.
    pub registration_time: u64,
    /// Whether that store built it itself and so trusts it without a signature.
    pub ultimate: bool,
    /// Signatures of the [fingerprint](Self::fingerprint), checked by nobody yet.
    pub signatures: BTreeSet<Signature>,
    /// What its name was computed from, if from its content.
    pub content_address: Option<ContentAddress>,
}

/// Why a path cannot be signed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FingerprintError {
    /// The size of its NAR is 0, which stands for "not known".
    #[error("{path} cannot be signed, for the size of its NAR is not known; dump it to find out")]
    NoNarSize {
        /// The path.
        path: StorePath,
    },
}

impl PathInfo {
    /// A path of which only what its NAR is was found out: no references, no signatures, no origin.
    #[must_use]
    pub fn new(path: StorePath, nar_hash: Sha256, nar_size: u64) -> Self {
        Self {
            path,
            deriver: None,
            nar_hash,
            nar_size,
            references: BTreeSet::new(),
            registration_time: 0,
            ultimate: false,
            signatures: BTreeSet::new(),
            content_address: None,
        }
    }

    /// The text that is signed: path, NAR hash, NAR size and references. There is none without a size.
    pub fn fingerprint(&self, store_dir: &StoreDir) -> Result<String, FingerprintError> {
        if self.nar_size == 0 {
            return Err(FingerprintError::NoNarSize { path: self.path.clone() });
        }
        let path = store_dir.display(&self.path);
        let references: Vec<_> =
            self.references.iter().map(|reference| store_dir.display(reference).to_string()).collect();
        Ok(format!("1;{path};{};{};{}", self.nar_hash, self.nar_size, references.join(",")))
    }

    /// Adds the signature of `key`.
    pub fn sign(&mut self, store_dir: &StoreDir, key: &SecretKey) -> Result<(), FingerprintError> {
        let signature = key.sign(self.fingerprint(store_dir)?.as_bytes());
        self.signatures.insert(signature);
        Ok(())
    }

    /// How many of the `trusted` keys have signed this; none if it has no fingerprint.
    #[must_use]
    pub fn count_valid_signatures(&self, store_dir: &StoreDir, trusted: &TrustedKeys) -> usize {
        let count = |text: String| trusted.count_valid(text.as_bytes(), &self.signatures);
        self.fingerprint(store_dir).map_or(0, count)
    }

    /// Whether there is a content address and the path's name follows from it.
    ///
    /// The content itself has still to be hashed before it can be believed.
    #[must_use]
    pub fn is_content_addressed(&self, store_dir: &StoreDir) -> bool {
        let mut others = self.references.clone();
        let to_self = others.remove(&self.path);
        let references = References { others, to_self };
        let expected = self
            .content_address
            .and_then(|address| address.store_path(store_dir, self.path.name(), &references).ok());
        expected.as_ref() == Some(&self.path)
    }
}

#[cfg(test)]
mod tests;
