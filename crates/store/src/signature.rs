//! Signatures of store paths: ed25519 with named keys, in the text forms Nix keeps them in.
//!
//! | what | form |
//! |---|---|
//! | [`SecretKey`] | `name:base64(seed and public key, 64 bytes)`, written by `nix key generate-secret` |
//! | [`PublicKey`] | `name:base64(32 bytes)`, as in `trusted-public-keys` |
//! | [`Signature`] | `name:base64(64 bytes)`, as in the `Sig` lines of a narinfo |

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    str::FromStr,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};
use thiserror::Error;

/// Longest key name in bytes that is accepted; Nix has no limit, host names (253 bytes) fit.
const MAX_KEY_NAME: usize = 512;

/// Why a text is not a key, its name or a signature, and where. No error holds what was read, for it may be
/// secret.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("key or signature, byte {offset}")]
pub struct ParseKeyError {
    /// Where: the character of the name at fault, the beginning of the base-64, or the end of what is too short.
    pub offset: usize,
    /// What is wrong there.
    #[source]
    pub kind: ParseKeyErrorKind,
}

/// Why a text is not a key, its name or a signature.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ParseKeyErrorKind {
    /// There is no `:`.
    #[error("expected `<key name>:<base-64>`, found no ':'")]
    NoName,
    /// The key's name is empty or too long.
    #[error("expected a key name of 1 to {MAX_KEY_NAME} bytes")]
    NameLength,
    /// The key's name has a colon, white space or a control character.
    #[error("expected a key name without colons, white space and control characters")]
    NameCharacter,
    /// What follows the name is not canonical base-64 of the right length.
    #[error("expected {expected} bytes in base-64 after the key name")]
    Data {
        /// How many bytes were wanted.
        expected: usize,
    },
    /// The bytes are no point of the curve.
    #[error("the bytes are no ed25519 public key")]
    PublicKey,
    /// The public half of a secret key does not belong to its secret half.
    #[error("the two halves of the secret key do not belong together")]
    Mismatch,
}

use ParseKeyErrorKind as Kind;

impl Kind {
    fn at(self, offset: usize) -> ParseKeyError {
        ParseKeyError { offset, kind: self }
    }
}

/// The name of a key, such as `cache.example.org-1`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyName(Box<str>);

impl KeyName {
    /// Checks and takes `name`: not empty, without `:`, white space and control characters.
    pub fn new(name: &str) -> Result<Self, ParseKeyError> {
        let forbidden = |c: char| c == ':' || c.is_whitespace() || c.is_control();
        if name.is_empty() || name.len() > MAX_KEY_NAME {
            return Err(Kind::NameLength.at(name.len().min(MAX_KEY_NAME)));
        }
        match name.find(forbidden) {
            Some(offset) => Err(Kind::NameCharacter.at(offset)),
            None => Ok(Self(name.into())),
        }
    }

    /// The name's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A signature and the name of its key. It says nothing until it is [verified](TrustedKeys::verify).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Signature {
    /// Name of the key.
    pub key_name: KeyName,
    /// The 64 bytes of the ed25519 signature.
    pub bytes: [u8; 64],
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_named(f, &self.key_name, &self.bytes)
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signature({self})")
    }
}

impl FromStr for Signature {
    type Err = ParseKeyError;

    fn from_str(text: &str) -> Result<Self, ParseKeyError> {
        let (key_name, bytes) = parse_named(text)?;
        Ok(Self { key_name, bytes })
    }
}

/// A public key that signatures are checked with.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey {
    name: KeyName,
    key: VerifyingKey,
}

impl PublicKey {
    /// The key's name.
    #[must_use]
    pub fn name(&self) -> &KeyName {
        &self.name
    }

    /// The key's 32 bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8; 32] {
        self.key.as_bytes()
    }

    /// Whether `signature` bears this key's name and is its signature of `message`.
    ///
    /// The strict check: keys of small order and signatures that are not in their canonical form are refused.
    #[must_use]
    pub fn verify(&self, message: &[u8], signature: &Signature) -> bool {
        let bytes = ed25519_dalek::Signature::from_bytes(&signature.bytes);
        signature.key_name == self.name && self.key.verify_strict(message, &bytes).is_ok()
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_named(f, &self.name, self.key.as_bytes())
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({self})")
    }
}

impl FromStr for PublicKey {
    type Err = ParseKeyError;

    fn from_str(text: &str) -> Result<Self, ParseKeyError> {
        let (name, bytes) = parse_named(text)?;
        let wrong = |_| Kind::PublicKey.at(data_offset(&name));
        let key = VerifyingKey::from_bytes(&bytes).map_err(wrong)?;
        Ok(Self { name, key })
    }
}

/// A secret key that signs. It is wiped when dropped, and only [`SecretKey::to_key_file`] reveals it.
pub struct SecretKey {
    name: KeyName,
    key: SigningKey,
}

impl SecretKey {
    /// The key grown from 32 secret random bytes.
    #[must_use]
    pub fn from_seed(name: KeyName, seed: &[u8; 32]) -> Self {
        Self { name, key: SigningKey::from_bytes(seed) }
    }

    /// Reads the text of a key file, with or without white space after it.
    pub fn parse(text: &str) -> Result<Self, ParseKeyError> {
        let (name, bytes) = parse_named(text.trim_ascii_end())?;
        let wrong = |_| Kind::Mismatch.at(data_offset(&name));
        let key = SigningKey::from_keypair_bytes(&bytes).map_err(wrong)?;
        Ok(Self { name, key })
    }

    /// The text of a key file. It is the secret itself.
    #[must_use]
    pub fn to_key_file(&self) -> String {
        format!("{}:{}", self.name, STANDARD.encode(self.key.to_keypair_bytes()))
    }

    /// The key's name.
    #[must_use]
    pub fn name(&self) -> &KeyName {
        &self.name
    }

    /// The public half.
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        PublicKey { name: self.name.clone(), key: self.key.verifying_key() }
    }

    /// Signs `message`. The same message always gets the same signature.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Signature {
        Signature { key_name: self.name.clone(), bytes: self.key.sign(message).to_bytes() }
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretKey").field("name", &self.name).finish_non_exhaustive()
    }
}

/// The public keys whose signatures count, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustedKeys(BTreeMap<KeyName, PublicKey>);

impl TrustedKeys {
    /// Whether one of these keys made `signature` of `message`.
    #[must_use]
    pub fn verify(&self, message: &[u8], signature: &Signature) -> bool {
        self.0.get(&signature.key_name).is_some_and(|key| key.verify(message, signature))
    }

    /// How many different keys have a valid signature of `message` among `signatures`.
    pub fn count_valid<'a>(
        &self,
        message: &[u8],
        signatures: impl IntoIterator<Item = &'a Signature>,
    ) -> usize {
        let valid = signatures.into_iter().filter(|signature| self.verify(message, signature));
        let names: BTreeSet<_> = valid.map(|signature| &signature.key_name).collect();
        names.len()
    }
}

impl FromIterator<PublicKey> for TrustedKeys {
    /// Of several keys with one name the first counts, as in Nix.
    fn from_iter<I: IntoIterator<Item = PublicKey>>(keys: I) -> Self {
        let mut by_name = BTreeMap::new();
        for key in keys {
            by_name.entry(key.name.clone()).or_insert(key);
        }
        Self(by_name)
    }
}

fn write_named(f: &mut fmt::Formatter<'_>, name: &KeyName, bytes: &[u8]) -> fmt::Result {
    write!(f, "{name}:{}", STANDARD.encode(bytes))
}

/// Reads `name:base64` of exactly `N` bytes.
fn parse_named<const N: usize>(text: &str) -> Result<(KeyName, [u8; N]), ParseKeyError> {
    let (name, data) = text.split_once(':').ok_or(Kind::NoName.at(text.len()))?;
    let name = KeyName::new(name)?;
    let wrong = Kind::Data { expected: N }.at(data_offset(&name));
    if data.len() != N.div_ceil(3) * 4 {
        return Err(wrong);
    }
    let decoded = STANDARD.decode(data).ok().and_then(|data| data.try_into().ok());
    Ok((name, decoded.ok_or(wrong)?))
}

/// Where the base-64 behind a key's name begins.
fn data_offset(name: &KeyName) -> usize {
    name.as_str().len() + 1
}

#[cfg(test)]
mod tests;
