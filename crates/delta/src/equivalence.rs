//! Paths that are equal but for the hashes of what they refer to.
//!
//! A build depends on the hashes of all that went into it, so one changed library gives new names to everything above
//! it, though most of it comes out the same. The *identity* of a path leaves the names out: it is a hash of the name,
//! of the NAR in which each reference is replaced by the identity of what is referred to and the own hash by zeros, of
//! the offsets of the own hash (a path that refers to itself is not one that has zeros there), and of the identities of
//! all references. Two paths of one identity do the same, as far as the store can tell.

mod compare;
mod known;

use std::{
    collections::{BTreeMap, BTreeSet},
    error::Error,
    fmt,
    io::{self, Write},
};

use store::{
    base32,
    closure::Closure,
    hash::{Sha256, Sha256Hasher},
    path_info::PathInfo,
    store_path::{HashPart, StorePath},
};
use thiserror::Error;

pub use compare::{Comparison, Verdict, compare};
pub use known::{Key, Known};

use crate::rewrite::{HashText, Rewriter, Stream, hash_text};

/// What the own hash is replaced by; no hash part has such a text.
const OWN: HashText = [0; 32];

/// How much is looked at at once.
const PIECE: usize = 64 * 1024;

/// What a path is, whatever the hashes in its name and in those of its references. 160 bits, as a hash part has.
///
/// Identities of another version of Lockstep may be other ones: what is kept of them is kept by its [`Key`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identity(pub [u8; HashPart::LEN]);

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&base32::encode(&self.0))
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identity({self})")
    }
}

/// Why a path has no identity.
#[derive(Debug, Error)]
pub enum IdentityError<E: Error + 'static> {
    /// The identity of a reference is not known; a closure has references before what refers to them.
    #[error("the identity of {path} needs that of {reference} first")]
    Reference {
        /// The path.
        path: StorePath,
        /// What it refers to.
        reference: StorePath,
    },
    /// The NAR is not what the store says of it.
    #[error(
        "the NAR of {path} is not the one that the store knows: its hash is {found}, expected {expected}"
    )]
    Nar {
        /// The path.
        path: StorePath,
        /// The hash that the store knows.
        expected: Sha256,
        /// The hash of what was read.
        found: Sha256,
    },
    /// The NAR cannot be read.
    #[error(transparent)]
    Read(E),
}

/// The identities of all paths of a closure, bottom up. `read` writes the NAR of a path; it is called for those paths
/// only that are not `known`, and what it writes must have the path's NAR hash.
///
/// # Errors
/// If a NAR cannot be read, or is not the one that the store knows.
pub fn identities<E: Error + 'static>(
    closure: &Closure,
    known: &mut dyn Known,
    read: &mut dyn FnMut(&PathInfo, &mut dyn Write) -> Result<(), E>,
) -> Result<BTreeMap<StorePath, Identity>, IdentityError<E>> {
    let mut identities = BTreeMap::new();
    for info in closure {
        let others = others(info, &identities)?;
        let key = Key::new(info, &others);
        let identity = match known.get(&key) {
            Some(identity) => identity,
            None => {
                let identity = identity(info, others, read)?;
                known.put(key, identity);
                identity
            }
        };
        identities.insert(info.path.clone(), identity);
    }
    Ok(identities)
}

/// What a path refers to besides itself.
fn others<E: Error + 'static>(
    info: &PathInfo,
    identities: &BTreeMap<StorePath, Identity>,
) -> Result<BTreeMap<HashPart, Identity>, IdentityError<E>> {
    let missing = |reference: &StorePath| IdentityError::Reference {
        path: info.path.clone(),
        reference: reference.clone(),
    };
    let others = info.references.iter().filter(|reference| **reference != info.path);
    let others = others.map(|reference| {
        let identity = identities.get(reference).ok_or_else(|| missing(reference))?;
        Ok((reference.hash_part(), *identity))
    });
    others.collect()
}

fn identity<E: Error + 'static>(
    info: &PathInfo,
    others: BTreeMap<HashPart, Identity>,
    read: &mut dyn FnMut(&PathInfo, &mut dyn Write) -> Result<(), E>,
) -> Result<Identity, IdentityError<E>> {
    let mut hasher = IdentityHasher::new(&info.path, others);
    read(info, &mut hasher).map_err(IdentityError::Read)?;
    let (identity, found) = hasher.finish();
    let expected = info.nar_hash;
    if found != expected {
        return Err(IdentityError::Nar { path: info.path.clone(), expected, found });
    }
    Ok(identity)
}

/// Makes an identity of a NAR that comes in pieces.
struct IdentityHasher {
    rewriter: Rewriter,
    stream: Stream,
    /// Of the name and the identities of the references.
    head: Sha256Hasher,
    /// Of the NAR as it came.
    nar: Sha256Hasher,
    /// Of the NAR with the hashes replaced.
    content: Sha256Hasher,
    /// Of the offsets of the own hash.
    offsets: Sha256Hasher,
}

impl IdentityHasher {
    /// For the NAR of `path`, which refers to `others`.
    fn new(path: &StorePath, others: BTreeMap<HashPart, Identity>) -> Self {
        let name = path.name().as_str();
        let mut head = Sha256Hasher::new();
        head.update(&(name.len() as u64).to_le_bytes());
        head.update(name.as_bytes());
        let distinct: BTreeSet<_> = others.values().collect();
        distinct.into_iter().for_each(|identity| head.update(&identity.0));
        let own = (hash_text(path.hash_part()), OWN);
        let others =
            others.into_iter().map(|(part, identity)| (hash_text(part), hash_text(HashPart(identity.0))));
        Self {
            rewriter: Rewriter::of_texts(others.chain([own])),
            stream: Stream::default(),
            head,
            nar: Sha256Hasher::new(),
            content: Sha256Hasher::new(),
            offsets: Sha256Hasher::new(),
        }
    }

    /// The identity, and the hash of the NAR.
    fn finish(mut self) -> (Identity, Sha256) {
        self.content.update(self.stream.rest());
        let mut all = Sha256Hasher::new();
        for part in [self.head, self.content, self.offsets] {
            all.update(&part.finish().0);
        }
        let [identity @ .., _, _, _, _, _, _, _, _, _, _, _, _] = all.finish().0;
        (Identity(identity), self.nar.finish())
    }
}

impl Write for IdentityHasher {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let piece = &bytes[..bytes.len().min(PIECE)];
        self.nar.update(piece);
        let offsets = &mut self.offsets;
        let found = |offset: u64, new: &HashText| {
            if *new == OWN {
                offsets.update(&offset.to_le_bytes());
            }
        };
        self.content.update(self.stream.settle(piece, &self.rewriter, found));
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
