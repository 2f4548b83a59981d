//! References: which store paths a stream of bytes mentions, found by their hash parts.
//!
//! Nix takes the text of a path's hash part anywhere in the NAR of another for a reference to it.

mod modulo;
mod windows;

use std::collections::{BTreeSet, HashSet};

pub use modulo::{MAX_OCCURRENCES, ModuloHash, ModuloHasher, TooManyOccurrences};
pub use windows::DigitWindows;
use windows::WINDOW;

use crate::store_path::HashPart;

/// The text of a hash part.
type HashText = [u8; WINDOW];

fn hash_text(hash_part: HashPart) -> HashText {
    let text = hash_part.to_string();
    text.as_bytes().try_into().expect("invariant: a hash part has 32 digits")
}

/// Looks for some hash parts in a stream that comes in pieces of any size.
///
/// ```
/// use store::{references::ReferenceScanner, store_path::HashPart};
///
/// let [present, absent] = [HashPart([1; 20]), HashPart([2; 20])];
/// let text = format!("/nix/store/{present}-glibc/lib/libc.so.6");
/// let mut scanner = ReferenceScanner::new([present, absent]);
/// for piece in text.as_bytes().chunks(7) {
///     scanner.update(piece);
/// }
/// assert!(scanner.found().iter().eq([&present]));
/// ```
#[derive(Debug, Clone)]
pub struct ReferenceScanner {
    /// What was not found yet.
    wanted: HashSet<HashText>,
    found: BTreeSet<HashPart>,
    /// The end of what was seen, one byte less than a hash part.
    tail: Vec<u8>,
}

impl ReferenceScanner {
    /// A scanner for these hash parts and no others.
    pub fn new(candidates: impl IntoIterator<Item = HashPart>) -> Self {
        Self {
            wanted: candidates.into_iter().map(hash_text).collect(),
            found: BTreeSet::new(),
            tail: Vec::with_capacity(2 * WINDOW),
        }
    }

    /// Looks at the next piece, and at what spans its border to the piece before.
    pub fn update(&mut self, data: &[u8]) {
        let border = data.len().min(WINDOW - 1);
        let mut tail = std::mem::take(&mut self.tail);
        tail.extend_from_slice(&data[..border]);
        self.search(&tail);
        self.search(data);
        if border == WINDOW - 1 {
            tail.clear();
            tail.extend_from_slice(&data[data.len() - border..]);
        } else {
            tail.drain(..tail.len().saturating_sub(WINDOW - 1));
        }
        self.tail = tail;
    }

    /// What was found so far.
    #[must_use]
    pub fn found(&self) -> &BTreeSet<HashPart> {
        &self.found
    }

    fn search(&mut self, data: &[u8]) {
        for (_, window) in DigitWindows::new(data) {
            if self.wanted.remove(window) {
                self.found.extend(HashPart::parse(window));
            }
        }
    }
}

#[cfg(test)]
mod tests;
