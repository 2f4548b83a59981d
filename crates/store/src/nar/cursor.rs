//! Takes strings off a stream that comes in pieces of any size.

use super::padding;

/// Bytes of a string's length.
const LENGTH: usize = 8;

/// Why a string could not be taken.
pub(super) enum StringError {
    /// It is longer than was allowed.
    TooLong {
        /// The length it claims.
        length: u64,
    },
    /// A byte of its padding is not zero.
    Padding {
        /// Where that byte stands in the stream.
        offset: u64,
        /// The byte.
        byte: u8,
    },
}

/// A place in a stream, with what has come so far of the string it stands in.
#[derive(Debug, Default)]
pub(super) struct Cursor {
    /// Bytes taken off the stream.
    offset: u64,
    /// Length, bytes and padding of the string at hand.
    buffer: Vec<u8>,
    /// Whether the string at hand was given out, so that the next one begins.
    taken: bool,
}

impl Cursor {
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// Where the string at hand begins.
    pub(super) fn string_offset(&self) -> u64 {
        self.offset - self.buffer.len() as u64
    }

    /// The string that [`Cursor::take_string`] took.
    pub(super) fn string(&self) -> &[u8] {
        let end = LENGTH + self.buffer.first_chunk().map_or(0, |length| as_len(u64::from_le_bytes(*length)));
        &self.buffer[LENGTH..end]
    }

    /// Takes one string of at most `limit` bytes, which is all that is ever held; `false` if more input is
    /// needed for it.
    pub(super) fn take_string(&mut self, input: &mut &[u8], limit: usize) -> Result<bool, StringError> {
        let Some(length) = self.take_length(input) else { return Ok(false) };
        if length > limit as u64 {
            return Err(StringError::TooLong { length });
        }
        let end = LENGTH + as_len(length);
        if !self.fill(input, end + padding(length)) {
            return Ok(false);
        }
        self.taken = true;
        self.check_zeros(end).map(|()| true)
    }

    /// Takes one number; nothing if more input is needed for it.
    pub(super) fn take_number(&mut self, input: &mut &[u8]) -> Option<u64> {
        let number = self.take_length(input)?;
        self.taken = true;
        Some(number)
    }

    /// Takes the padding behind `length` bytes; `false` if more input is needed for it.
    pub(super) fn take_padding(&mut self, input: &mut &[u8], length: u64) -> Result<bool, StringError> {
        self.begin();
        if !self.fill(input, padding(length)) {
            return Ok(false);
        }
        self.taken = true;
        self.check_zeros(0).map(|()| true)
    }

    /// Takes what has come of the next `left` bytes, without holding any of it.
    pub(super) fn take_bytes<'i>(&mut self, input: &mut &'i [u8], left: u64) -> &'i [u8] {
        let count = usize::try_from(left).map_or(input.len(), |left| left.min(input.len()));
        let (bytes, rest) = input.split_at(count);
        *input = rest;
        self.offset += count as u64;
        bytes
    }

    /// The length of the string at hand, once its 8 bytes have come.
    fn take_length(&mut self, input: &mut &[u8]) -> Option<u64> {
        self.begin();
        self.fill(input, LENGTH);
        self.buffer.first_chunk().map(|length| u64::from_le_bytes(*length))
    }

    /// Forgets the last string if it was given out.
    fn begin(&mut self) {
        if self.taken {
            self.buffer.clear();
            self.taken = false;
        }
    }

    /// Holds `count` bytes, or all that has come if that is less; whether it is enough.
    fn fill(&mut self, input: &mut &[u8], count: usize) -> bool {
        let missing = count.saturating_sub(self.buffer.len());
        let bytes = self.take_bytes(input, missing as u64);
        self.buffer.extend_from_slice(bytes);
        self.buffer.len() >= count
    }

    fn check_zeros(&self, from: usize) -> Result<(), StringError> {
        match self.buffer[from..].iter().position(|byte| *byte != 0) {
            Some(position) => {
                let offset = self.string_offset() + (from + position) as u64;
                Err(StringError::Padding { offset, byte: self.buffer[from + position] })
            }
            None => Ok(()),
        }
    }
}

/// A length that was checked against a limit.
fn as_len(length: u64) -> usize {
    usize::try_from(length).expect("invariant: lengths over the limit were refused")
}
