//! Hashes and the forms Nix writes them in.
//!
//! [`struct@Hash`] is a hash of any algorithm Nix names; [`Sha256`] is the one kind everything of ours is
//! measured with (the NAR hash of a path is always SHA-256).

use std::{fmt, str::FromStr};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha2::Digest as _;
use thiserror::Error;

use crate::base32;

mod hex;

/// Length of the longest digest, that of SHA-512.
const MAX_DIGEST: usize = 64;

/// A hash algorithm that Nix knows without an experimental feature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    /// MD5; read and written, never computed.
    Md5,
    /// SHA-1; read and written, never computed.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
}

impl Algorithm {
    /// Every algorithm.
    pub const ALL: [Self; 4] = [Self::Md5, Self::Sha1, Self::Sha256, Self::Sha512];

    /// Bytes in a digest.
    #[must_use]
    pub const fn digest_len(self) -> usize {
        match self {
            Self::Md5 => 16,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }

    /// Nix's name of it, such as `sha256`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Md5 => "md5",
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Algorithm {
    type Err = ParseHashError;

    fn from_str(text: &str) -> Result<Self, ParseHashError> {
        let known = Self::ALL.into_iter().find(|algorithm| algorithm.name() == text);
        known.ok_or_else(|| ParseHashError::Algorithm { name: shortened(text) })
    }
}

/// Why a text is not a hash.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ParseHashError {
    /// The text before `:` or `-` names no known algorithm.
    #[error("unknown hash algorithm '{name}', expected md5, sha1, sha256 or sha512")]
    Algorithm {
        /// What was found, at most 32 characters of it.
        name: String,
    },
    /// A prefixed form was wanted and there is none.
    #[error("the hash '{text}' does not say its algorithm, expected `<algorithm>:<digest>` or an SRI hash")]
    NoAlgorithm {
        /// What was found, at most 32 characters of it.
        text: String,
    },
    /// The digest is neither hexadecimal, base-32 nor base-64 of the right size.
    #[error("a {algorithm} digest has {} hexadecimal, {} base-32 or {} base-64 characters, found {found}",
        .algorithm.digest_len() * 2,
        base32::encoded_len(.algorithm.digest_len()),
        base64_len(.algorithm.digest_len()))]
    Length {
        /// The algorithm that was named or wanted.
        algorithm: Algorithm,
        /// Characters that were given.
        found: usize,
    },
    /// A character that is not hexadecimal.
    #[error("byte {offset} of the digest is not a hexadecimal digit")]
    Hex {
        /// Where it stands in the digest's text.
        offset: usize,
    },
    /// The digest has the size of base-32 but is not.
    #[error("the digest is not base-32")]
    Base32(#[from] base32::DecodeError),
    /// The digest has the size of base-64 but is not, or is not in its canonical form.
    #[error("the digest is not base-64")]
    Base64(#[from] base64::DecodeError),
}

/// A digest together with its algorithm.
///
/// [`Display`](fmt::Display) writes Nix's usual form, `sha256:<base-32>`. [`FromStr`] reads any form that
/// names its algorithm.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash {
    algorithm: Algorithm,
    /// The digest, then zeros.
    bytes: [u8; MAX_DIGEST],
}

impl Hash {
    /// The hash with this digest, or nothing if the digest has not the algorithm's length.
    #[must_use]
    pub fn from_digest(algorithm: Algorithm, digest: &[u8]) -> Option<Self> {
        if digest.len() != algorithm.digest_len() {
            return None;
        }
        let mut bytes = [0; MAX_DIGEST];
        bytes[..digest.len()].copy_from_slice(digest);
        Some(Self { algorithm, bytes })
    }

    /// The algorithm.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The digest's bytes.
    #[must_use]
    pub fn digest(&self) -> &[u8] {
        &self.bytes[..self.algorithm.digest_len()]
    }

    /// The SHA-256, if it is one.
    #[must_use]
    pub fn as_sha256(&self) -> Option<Sha256> {
        let digest = self.digest().try_into().ok()?;
        (self.algorithm == Algorithm::Sha256).then_some(Sha256(digest))
    }

    /// The digest in lower-case hexadecimal.
    #[must_use]
    pub fn to_base16(&self) -> String {
        hex::encode(self.digest())
    }

    /// The digest in Nix's base-32.
    #[must_use]
    pub fn to_base32(&self) -> String {
        base32::encode(self.digest())
    }

    /// The digest in base-64.
    #[must_use]
    pub fn to_base64(&self) -> String {
        STANDARD.encode(self.digest())
    }

    /// The form of Subresource Integrity, `sha256-<base-64>`.
    #[must_use]
    pub fn to_sri(&self) -> String {
        format!("{}-{}", self.algorithm, self.to_base64())
    }

    /// Reads a bare digest; which of the three bases it is in follows from its length.
    pub fn parse_digest(algorithm: Algorithm, text: &str) -> Result<Self, ParseHashError> {
        let size = algorithm.digest_len();
        let mut hash = Self { algorithm, bytes: [0; MAX_DIGEST] };
        let target = &mut hash.bytes[..size];
        if text.len() == size * 2 {
            hex::decode(text.as_bytes(), target).map_err(|offset| ParseHashError::Hex { offset })?;
        } else if text.len() == base32::encoded_len(size) {
            target.copy_from_slice(&base32::decode(text.as_bytes())?);
        } else if text.len() == base64_len(size) {
            return Self::parse_base64(algorithm, text);
        } else {
            return Err(ParseHashError::Length { algorithm, found: text.len() });
        }
        Ok(hash)
    }

    fn parse_base64(algorithm: Algorithm, text: &str) -> Result<Self, ParseHashError> {
        let wrong_length = ParseHashError::Length { algorithm, found: text.len() };
        if text.len() != base64_len(algorithm.digest_len()) {
            return Err(wrong_length);
        }
        Self::from_digest(algorithm, &STANDARD.decode(text)?).ok_or(wrong_length)
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.algorithm, self.to_base32())
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hash({self})")
    }
}

impl FromStr for Hash {
    type Err = ParseHashError;

    /// Reads `<algorithm>:<digest in any base>` or `<algorithm>-<base-64>`.
    fn from_str(text: &str) -> Result<Self, ParseHashError> {
        if let Some((algorithm, digest)) = text.split_once(':') {
            Self::parse_digest(algorithm.parse()?, digest)
        } else if let Some((algorithm, digest)) = text.split_once('-') {
            Self::parse_base64(algorithm.parse()?, digest)
        } else {
            Err(ParseHashError::NoAlgorithm { text: shortened(text) })
        }
    }
}

/// A SHA-256, such as the NAR hash of every store path.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sha256(pub [u8; 32]);

impl Sha256 {
    /// The SHA-256 of `data`.
    #[must_use]
    pub fn of(data: &[u8]) -> Self {
        Self(sha2::Sha256::digest(data).into())
    }

    /// The digest in lower-case hexadecimal, the form the worker protocol carries NAR hashes in.
    #[must_use]
    pub fn to_base16(&self) -> String {
        hex::encode(&self.0)
    }
}

impl From<Sha256> for Hash {
    fn from(sha256: Sha256) -> Self {
        let mut bytes = [0; MAX_DIGEST];
        bytes[..32].copy_from_slice(&sha256.0);
        Self { algorithm: Algorithm::Sha256, bytes }
    }
}

impl fmt::Display for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Hash::from(*self).fmt(f)
    }
}

impl fmt::Debug for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sha256({self})")
    }
}

/// Computes a [`Sha256`] of data that comes in pieces, and counts it.
#[derive(Debug, Clone, Default)]
pub struct Sha256Hasher {
    state: sha2::Sha256,
    length: u64,
}

impl Sha256Hasher {
    /// A hasher that has seen nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in the next piece.
    pub fn update(&mut self, data: &[u8]) {
        self.state.update(data);
        self.length += data.len() as u64;
    }

    /// Bytes seen so far.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.length
    }

    /// The hash of all that was seen.
    #[must_use]
    pub fn finish(self) -> Sha256 {
        Sha256(self.state.finalize().into())
    }
}

/// Characters of `bytes` bytes in padded base-64.
const fn base64_len(bytes: usize) -> usize {
    bytes.div_ceil(3) * 4
}

/// At most 32 characters of `text`, enough for a message.
fn shortened(text: &str) -> String {
    text.chars().take(32).collect()
}

#[cfg(test)]
mod tests;
