//! The places where a hash part can stand.

use crate::{base32, store_path::HashPart};

/// Characters of a hash part.
pub(super) const WINDOW: usize = base32::encoded_len(HashPart::LEN);

/// All runs of [`WINDOW`] base-32 digits in some bytes, overlapping ones too, with where they begin.
///
/// Each window is looked at from its end: the last byte that is no digit rules out every window that begins
/// up to it, so that most bytes are never looked at, and none twice.
///
/// ```
/// use store::references::DigitWindows;
///
/// let text = b"/nix/store/0bkfhz0v2jcyj2m7hwzdzmywav298dl2-t";
/// let places: Vec<_> = DigitWindows::new(text).map(|(place, _)| place).collect();
/// assert_eq!(places, [11]);
/// ```
#[derive(Debug, Clone)]
pub struct DigitWindows<'a> {
    data: &'a [u8],
    start: usize,
    /// How many bytes from `start` on are known to be digits.
    known: usize,
}

impl<'a> DigitWindows<'a> {
    /// The runs of digits in `data`.
    #[must_use]
    pub fn new(data: &'a [u8]) -> Self {
        Self { data, start: 0, known: 0 }
    }
}

impl<'a> Iterator for DigitWindows<'a> {
    type Item = (usize, &'a [u8; WINDOW]);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let window: &[u8; WINDOW] = self.data.get(self.start..)?.first_chunk()?;
            let unknown = &window[self.known..];
            if let Some(position) = unknown.iter().rposition(|byte| !base32::is_digit(*byte)) {
                let skipped = self.known + position + 1;
                self.start += skipped;
                self.known = WINDOW - skipped;
            } else {
                let start = self.start;
                self.start += 1;
                self.known = WINDOW - 1;
                return Some((start, window));
            }
        }
    }
}
