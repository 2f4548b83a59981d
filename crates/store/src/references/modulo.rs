//! Hashes of things that mention their own name.

use thiserror::Error;

use super::{DigitWindows, HashText, WINDOW, hash_text};
use crate::{
    hash::{Sha256, Sha256Hasher},
    store_path::HashPart,
};

/// Most occurrences whose offsets are held, 8 bytes each. They can only be hashed after everything else, so that
/// without a limit 1 byte would be held for every 4 of a stream that is made for it.
pub const MAX_OCCURRENCES: usize = 1 << 20;

/// How much is held at once; a hash part that spans two pieces is found all the same.
const PIECE: usize = 64 * 1024;

/// What a [`ModuloHasher`] found. The two hashes differ if and only if the path refers to itself.
///
/// Nix itself changed its mind: versions 2.17 to 2.34 leave the offsets out, all others hash them, so that a
/// path with references to itself has two content addresses that both are right somewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ModuloHash {
    /// The hash with the offsets of the occurrences, as Nix has it from 2.35 on.
    pub with_offsets: Sha256,
    /// The hash without them, as Nix had it from 2.17 to 2.34.
    pub without_offsets: Sha256,
}

impl ModuloHash {
    /// Whether the hash part was there at all.
    #[must_use]
    pub fn refers_to_self(&self) -> bool {
        self.with_offsets != self.without_offsets
    }
}

/// Why there is no hash modulo.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("it mentions its own name more than {MAX_OCCURRENCES} times, the first beyond that at byte {offset}")]
pub struct TooManyOccurrences {
    /// Where in the stream the first one beyond the limit begins.
    pub offset: u64,
}

/// SHA-256 of a stream in which one hash part, usually that of the path itself, counts for nothing.
///
/// Each occurrence counts as zeros, and its offset may be hashed after everything else, so that two paths
/// that are equal but for their own name have one hash. This is how a path with references to itself is
/// [content-addressed](crate::content_address::ContentAddress::Nar) (`HashModuloSink` in Nix).
#[derive(Debug, Clone)]
pub struct ModuloHasher {
    own: HashText,
    hasher: Sha256Hasher,
    /// What was not hashed yet because an occurrence may begin in it.
    held: Vec<u8>,
    /// Offsets of the occurrences in the stream.
    occurrences: Vec<u64>,
    /// The first occurrence beyond the limit.
    excess: Option<TooManyOccurrences>,
}

impl ModuloHasher {
    /// A hasher that has seen nothing.
    #[must_use]
    pub fn new(own: HashPart) -> Self {
        Self {
            own: hash_text(own),
            hasher: Sha256Hasher::new(),
            held: Vec::new(),
            occurrences: Vec::new(),
            excess: None,
        }
    }

    /// Takes in the next piece.
    pub fn update(&mut self, data: &[u8]) {
        for piece in data.chunks(PIECE) {
            self.held.extend_from_slice(piece);
            self.blank();
            let settled = self.held.len().saturating_sub(WINDOW - 1);
            self.hasher.update(&self.held[..settled]);
            self.held.drain(..settled);
        }
    }

    /// The hash of all that was seen.
    pub fn finish(mut self) -> Result<ModuloHash, TooManyOccurrences> {
        if let Some(excess) = self.excess {
            return Err(excess);
        }
        self.hasher.update(&self.held);
        let without_offsets = self.hasher.clone().finish();
        for offset in &self.occurrences {
            self.hasher.update(format!("|{offset}").as_bytes());
        }
        Ok(ModuloHash { with_offsets: self.hasher.finish(), without_offsets })
    }

    /// Turns each occurrence in what is held into zeros, from left to right, none overlapping another.
    fn blank(&mut self) {
        let mut free_from = 0;
        let mut places = Vec::new();
        for (place, window) in DigitWindows::new(&self.held) {
            if place >= free_from && *window == self.own {
                free_from = place + WINDOW;
                places.push(place);
            }
        }
        for place in places {
            self.held[place..place + WINDOW].fill(0);
            let offset = self.hasher.length() + place as u64;
            if self.occurrences.len() < MAX_OCCURRENCES {
                self.occurrences.push(offset);
            } else {
                self.excess.get_or_insert(TooManyOccurrences { offset });
            }
        }
    }
}
