//! Nix's base-32: its own alphabet, least significant digit last, no padding characters.
//!
//! The bytes are read as one little-endian number and written most significant digit first, five bits
//! a digit. The letters `e`, `o`, `t` and `u` are left out of the alphabet so that hashes spell fewer
//! words. Because the digits are in ASCII order, text sorts as the numbers do.

use thiserror::Error;

/// The 32 digits in order of value.
pub const ALPHABET: &[u8; 32] = b"0123456789abcdfghijklmnpqrsvwxyz";

/// Marks a byte that is no digit in [`VALUES`].
const NO_DIGIT: u8 = 0xff;

/// The value of each byte as a digit, or [`NO_DIGIT`].
const VALUES: [u8; 256] = {
    let mut values = [NO_DIGIT; 256];
    let mut value = 0u8;
    while (value as usize) < ALPHABET.len() {
        values[ALPHABET[value as usize] as usize] = value;
        value += 1;
    }
    values
};

/// Why a text is not the base-32 form of any bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum DecodeError {
    /// A byte outside the alphabet.
    #[error("byte {offset} is '{}', not a base-32 digit", .byte.escape_ascii())]
    Digit {
        /// Where the byte stands in the text.
        offset: usize,
        /// The byte.
        byte: u8,
    },
    /// The text has a length that the wanted number of bytes never encodes to.
    #[error("expected {expected} base-32 digits, found {found}")]
    Length {
        /// Digits that were wanted; for text of any length, the nearest shorter possible length.
        expected: usize,
        /// Digits that were given.
        found: usize,
    },
    /// The first digit has bits beyond the last byte, so a different text is the canonical form.
    #[error("the first base-32 digit is too large")]
    Overflow,
}

/// Whether `byte` is one of the 32 digits.
#[inline]
#[must_use]
pub fn is_digit(byte: u8) -> bool {
    VALUES[byte as usize] != NO_DIGIT
}

/// Number of digits that `bytes` bytes encode to.
#[must_use]
pub const fn encoded_len(bytes: usize) -> usize {
    (bytes * 8).div_ceil(5)
}

/// Number of bytes that `digits` digits decode to.
const fn decoded_len(digits: usize) -> usize {
    digits * 5 / 8
}

/// Writes `bytes` in base-32.
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    let mut digits = vec![0; encoded_len(bytes.len())];
    let mut rest = bytes.iter();
    // Bits that are taken from the bytes and not yet written, the next ones lowest.
    let (mut bits, mut count) = (0_u16, 0);
    for digit in digits.iter_mut().rev() {
        if count < 5 {
            bits |= rest.next().map_or(0, |byte| u16::from(*byte)) << count;
            count += 8;
        }
        *digit = ALPHABET[usize::from(bits & 0x1f)];
        bits >>= 5;
        count -= 5;
    }
    digits.into_iter().map(char::from).collect()
}

/// Reads base-32 of any length. Exactly the texts that [`encode`] writes are accepted.
pub fn decode(text: &[u8]) -> Result<Vec<u8>, DecodeError> {
    let length = decoded_len(text.len());
    let expected = encoded_len(length);
    if text.len() != expected {
        return Err(DecodeError::Length { expected, found: text.len() });
    }
    let mut bytes = vec![0; length];
    decode_into(text, &mut bytes)?;
    Ok(bytes)
}

/// Reads the base-32 form of exactly `N` bytes.
pub fn decode_array<const N: usize>(text: &[u8]) -> Result<[u8; N], DecodeError> {
    let expected = encoded_len(N);
    if text.len() != expected {
        return Err(DecodeError::Length { expected, found: text.len() });
    }
    let mut bytes = [0; N];
    decode_into(text, &mut bytes)?;
    Ok(bytes)
}

/// Reads `text`, whose length is that of `bytes` encoded, into `bytes`.
fn decode_into(text: &[u8], bytes: &mut [u8]) -> Result<(), DecodeError> {
    let mut targets = bytes.iter_mut();
    // Bits that are read from the text and do not make a byte yet.
    let (mut bits, mut count) = (0_u16, 0);
    for (offset, &byte) in text.iter().enumerate().rev() {
        let value = VALUES[usize::from(byte)];
        if value == NO_DIGIT {
            return Err(DecodeError::Digit { offset, byte });
        }
        bits |= u16::from(value) << count;
        count += 5;
        if count >= 8 {
            let [low, _] = bits.to_le_bytes();
            if let Some(target) = targets.next() {
                *target = low;
            }
            bits >>= 8;
            count -= 8;
        }
    }
    if bits == 0 { Ok(()) } else { Err(DecodeError::Overflow) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn encodes_as_nix_does() {
        // Each line: hexadecimal, and what `nix-hash --to-base32` prints for it.
        let cases: &[(&[u8], &str)] = &[
            (b"", ""),
            (b"\x00", "00"),
            (b"\x01", "01"),
            (b"\xff", "7z"),
            (
                &[
                    0xd8, 0x6b, 0x33, 0x92, 0xc1, 0x20, 0x2e, 0x8f, 0xf5, 0xa4, 0x23, 0xb3, 0x02, 0xe6, 0x28,
                    0x4d, 0xb7, 0xf8, 0xf4, 0x35, 0xea, 0x9f, 0x39, 0xb5, 0xb1, 0xb2, 0x0f, 0xd3, 0xac, 0x36,
                    0xdf, 0xcb,
                ],
                "1jyz6snd63xjn6skk7za6psgidsd53k05cr3lksqybi0q6936syq",
            ),
        ];
        for (bytes, text) in cases {
            assert_eq!(encode(bytes), *text);
            assert_eq!(decode(text.as_bytes()), Ok(bytes.to_vec()));
        }
    }

    #[test]
    fn refuses_what_encode_never_writes() {
        let cases: &[(&str, DecodeError)] = &[
            ("0", DecodeError::Length { expected: 0, found: 1 }),
            ("000", DecodeError::Length { expected: 2, found: 3 }),
            ("e0", DecodeError::Digit { offset: 0, byte: b'e' }),
            ("0A", DecodeError::Digit { offset: 1, byte: b'A' }),
            ("80", DecodeError::Overflow),
            ("zz", DecodeError::Overflow),
        ];
        for (text, error) in cases {
            assert_eq!(decode(text.as_bytes()), Err(*error), "{text}");
        }
        assert_eq!(decode_array::<20>(b"00"), Err(DecodeError::Length { expected: 32, found: 2 }));
    }

    proptest! {
        #[test]
        fn round_trip(bytes: Vec<u8>) {
            prop_assert_eq!(decode(encode(&bytes).as_bytes()), Ok(bytes));
        }

        #[test]
        fn only_the_canonical_text_is_accepted(text in "[0-9a-df-np-sv-z]{0,60}") {
            if let Ok(bytes) = decode(text.as_bytes()) {
                prop_assert_eq!(encode(&bytes), text);
            }
        }
    }
}
