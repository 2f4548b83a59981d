//! Replacing the hashes of references in raw NAR bytes.
//!
//! At every place, from left to right on the original bytes, 32 bytes that are the hash part of a mapped reference
//! become the hash part that it is mapped to, and the search goes on behind them. All are replaced at once: where A
//! becomes B and B becomes C, no A becomes C. A NAR keeps its length, and what is rewritten is never parsed: its
//! entries may be out of order, for it is only what the new path is compared with.
//!
//! Sender and receiver call this with the same bytes, so what counts is that the result is determined by them.

use std::{
    collections::HashMap,
    io::{self, Write},
    ops::Range,
};

use store::{base32, references::DigitWindows, store_path::HashPart};

/// Characters of a hash part.
const DIGITS: usize = base32::encoded_len(HashPart::LEN);

/// Bytes on either side of a range that decide how its ends are rewritten.
pub const MARGIN: usize = DIGITS - 1;

/// How much is held at once.
const PIECE: usize = 64 * 1024;

/// The text of a hash part.
pub(crate) type HashText = [u8; DIGITS];

pub(crate) fn hash_text(hash_part: HashPart) -> HashText {
    let text = base32::encode(&hash_part.0);
    text.as_bytes().try_into().expect("invariant: a hash part has 32 digits")
}

/// Replaces some hash parts by others.
///
/// ```
/// use delta::rewrite::Rewriter;
/// use store::store_path::HashPart;
///
/// let [a, b, c] = [1, 2, 3].map(|byte| HashPart([byte; 20]));
/// let rewriter = Rewriter::new([(a, b), (b, c)]);
/// let mut text = format!("/nix/store/{a}-x /nix/store/{b}-y").into_bytes();
/// assert_eq!(rewriter.rewrite(&mut text), 2);
/// assert_eq!(text, format!("/nix/store/{b}-x /nix/store/{c}-y").into_bytes());
/// ```
#[derive(Debug, Clone)]
pub struct Rewriter {
    replacements: HashMap<HashText, HashText>,
    filter: Filter,
}

impl Rewriter {
    /// What replaces the first of each pair by the second. If a hash part comes first twice, the last counts.
    pub fn new(pairs: impl IntoIterator<Item = (HashPart, HashPart)>) -> Self {
        Self::of_texts(pairs.into_iter().map(|(old, new)| (hash_text(old), hash_text(new))))
    }

    pub(crate) fn of_texts(pairs: impl IntoIterator<Item = (HashText, HashText)>) -> Self {
        let replacements: HashMap<_, _> = pairs.into_iter().collect();
        let mut filter = Filter::default();
        replacements.keys().for_each(|text| filter.insert(text));
        Self { replacements, filter }
    }

    /// Rewrites `bytes`, and returns how many hash parts were replaced.
    pub fn rewrite(&self, bytes: &mut [u8]) -> usize {
        let (mut from, mut count) = (0, 0);
        while let Some((place, new)) = self.find(bytes, from) {
            from = place + DIGITS;
            bytes[place..from].copy_from_slice(new);
            count += 1;
        }
        count
    }

    /// The first hash part to be replaced at or behind `from`, and what replaces it. What is replaced lies before
    /// `from` then, so that nothing is replaced twice though the bytes are the only copy.
    pub(crate) fn find(&self, bytes: &[u8], from: usize) -> Option<(usize, &HashText)> {
        let rest = bytes.get(from..)?;
        DigitWindows::new(rest).find_map(|(place, window)| {
            let known = self.filter.may_have(window).then(|| self.replacements.get(window))?;
            known.map(|new| (from + place, new))
        })
    }
}

/// Rules out nearly all texts that are not in a set, faster than looking them up.
#[derive(Debug, Clone)]
struct Filter(Box<[u64]>);

impl Filter {
    /// Bits, as a power of two.
    const LOG: u32 = 17;

    fn insert(&mut self, text: &HashText) {
        let (word, bit) = Self::place(text);
        self.0[word] |= bit;
    }

    fn may_have(&self, text: &HashText) -> bool {
        let (word, bit) = Self::place(text);
        self.0[word] & bit != 0
    }

    /// The word and the bit that stand for a text, from its first 8 digits.
    fn place(text: &HashText) -> (usize, u64) {
        let [a, b, c, d, e, f, g, h, ..] = *text;
        let first = u64::from_le_bytes([a, b, c, d, e, f, g, h]);
        let mixed = first.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (u64::BITS - Self::LOG);
        let word = usize::try_from(mixed >> 6).expect("invariant: a few bits");
        (word, 1 << (mixed & 63))
    }
}

impl Default for Filter {
    fn default() -> Self {
        Self(vec![0; (1 << Self::LOG) / 64].into())
    }
}

/// What has to be read of `size` bytes to rewrite `range` of them: [`MARGIN`] more on either side, if they are there.
#[must_use]
pub fn with_margins(range: &Range<u64>, size: u64) -> Range<u64> {
    let margin = MARGIN as u64;
    range.start.saturating_sub(margin)..range.end.saturating_add(margin).min(size).max(range.end)
}

/// Rewrites what comes in pieces of any size as if it came at once, and passes it on.
#[derive(Debug)]
pub struct RewriteWriter<'r, W> {
    rewriter: &'r Rewriter,
    stream: Stream,
    to: W,
}

impl<'r, W: Write> RewriteWriter<'r, W> {
    /// A writer that passes on to `to`.
    pub fn new(rewriter: &'r Rewriter, to: W) -> Self {
        Self { rewriter, stream: Stream::default(), to }
    }

    /// Passes on the last bytes too, and gives back what they were passed on to.
    ///
    /// # Errors
    /// Those of the writer behind.
    pub fn finish(mut self) -> io::Result<W> {
        self.to.write_all(self.stream.rest())?;
        Ok(self.to)
    }
}

impl<W: Write> Write for RewriteWriter<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let piece = &bytes[..bytes.len().min(PIECE)];
        self.to.write_all(self.stream.settle(piece, self.rewriter, |_, _| ()))?;
        Ok(piece.len())
    }

    /// Flushes what was passed on. Up to [`MARGIN`] bytes are kept until it is known what follows them.
    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// The part of a stream in which a hash part may still begin.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stream {
    held: Vec<u8>,
    /// Bytes of `held` that were handed out.
    handed: usize,
    /// Where in the stream `held` begins.
    offset: u64,
}

impl Stream {
    /// Takes in a piece and returns what is settled, rewritten. `found` is told where in the stream something was
    /// replaced, and by what.
    pub(crate) fn settle(
        &mut self,
        piece: &[u8],
        rewriter: &Rewriter,
        mut found: impl FnMut(u64, &HashText),
    ) -> &[u8] {
        self.held.drain(..self.handed);
        self.offset += self.handed as u64;
        self.held.extend_from_slice(piece);
        let mut from = 0;
        while let Some((place, new)) = rewriter.find(&self.held, from) {
            from = place + DIGITS;
            self.held[place..from].copy_from_slice(new);
            found(self.offset + place as u64, new);
        }
        // What was replaced is settled: it must not be looked at again.
        self.handed = self.held.len().saturating_sub(MARGIN).max(from);
        &self.held[..self.handed]
    }

    /// What is left at the end of the stream.
    pub(crate) fn rest(&self) -> &[u8] {
        &self.held[self.handed..]
    }
}

#[cfg(test)]
mod tests;
