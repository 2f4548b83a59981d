//! The sent form's numbers, and why bytes are not what was sent.
//!
//! A number is written in groups of 7 bits, lowest first, the high bit of each byte saying that more follow
//! (unsigned LEB128). Each number has one form: the last byte is not zero unless it is the only one.

use store::store_path::StorePathError;
use thiserror::Error;

/// Version of all that this crate writes, in the first byte of each [`Op`](crate::op::Op).
pub const VERSION: u8 = 1;

/// Why bytes are not what a sender of this version writes.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum WireError {
    /// The bytes end too soon.
    #[error("the bytes end within {what}")]
    Truncated {
        /// What was not complete.
        what: &'static str,
    },
    /// A number is not written in its one form, or has more than 64 bits.
    #[error("{what} is not a number in its shortest form")]
    Number {
        /// What it should say.
        what: &'static str,
    },
    /// A number is larger than is ever sent.
    #[error("{what} is {found}, allowed are {limit}")]
    TooLarge {
        /// What it says.
        what: &'static str,
        /// The number.
        found: u64,
        /// What is allowed.
        limit: u64,
    },
    /// Something that is never empty is.
    #[error("{what} is 0")]
    Zero {
        /// What it is.
        what: &'static str,
    },
    /// The version of the format is another one.
    #[error("version {found} of the format, this is version {VERSION}")]
    Version {
        /// What was found.
        found: u8,
    },
    /// No such way to send a path.
    #[error("{found} is no kind of operation")]
    Kind {
        /// What was found.
        found: u8,
    },
    /// No such way to make a window.
    #[error("{found} is no codec of version {VERSION}")]
    Codec {
        /// What was found.
        found: u8,
    },
    /// The name of a base is none.
    #[error("the name of the base is bad")]
    Name(#[from] StorePathError),
}

/// Writes a number.
pub fn write_number(mut number: u64, to: &mut Vec<u8>) {
    loop {
        let [low, ..] = number.to_le_bytes();
        number >>= 7;
        if number == 0 {
            return to.push(low & 0x7f);
        }
        to.push(low | 0x80);
    }
}

/// Takes a number off the front of `bytes`; `what` is its name in errors.
///
/// # Errors
/// If there is none, or not in its shortest form.
pub fn read_number(what: &'static str, bytes: &mut &[u8]) -> Result<u64, WireError> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let byte = read_byte(what, bytes)?;
        let group = u64::from(byte & 0x7f);
        let fits = group << shift >> shift == group;
        let is_last = byte & 0x80 == 0;
        if !fits || (is_last && byte == 0 && shift > 0) {
            return Err(WireError::Number { what });
        }
        number |= group << shift;
        if is_last {
            return Ok(number);
        }
    }
    Err(WireError::Number { what })
}

/// Takes a number of at most `limit` off the front of `bytes`.
///
/// # Errors
/// As [`read_number`], and if it is larger.
pub fn read_bounded(what: &'static str, limit: u64, bytes: &mut &[u8]) -> Result<u64, WireError> {
    match read_number(what, bytes)? {
        found if found > limit => Err(WireError::TooLarge { what, found, limit }),
        number => Ok(number),
    }
}

/// Takes one byte off the front of `bytes`.
///
/// # Errors
/// If there is none.
pub fn read_byte(what: &'static str, bytes: &mut &[u8]) -> Result<u8, WireError> {
    let [byte] = read_array(what, bytes)?;
    Ok(byte)
}

/// Takes `N` bytes off the front of `bytes`.
///
/// # Errors
/// If there are fewer.
pub fn read_array<const N: usize>(what: &'static str, bytes: &mut &[u8]) -> Result<[u8; N], WireError> {
    let (array, rest) = bytes.split_first_chunk().ok_or(WireError::Truncated { what })?;
    *bytes = rest;
    Ok(*array)
}

/// Takes `length` bytes off the front of `bytes`.
///
/// # Errors
/// If there are fewer.
pub fn read_slice<'b>(
    what: &'static str,
    length: usize,
    bytes: &mut &'b [u8],
) -> Result<&'b [u8], WireError> {
    let (slice, rest) = bytes.split_at_checked(length).ok_or(WireError::Truncated { what })?;
    *bytes = rest;
    Ok(slice)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(number: u64) -> Vec<u8> {
        let mut bytes = Vec::new();
        write_number(number, &mut bytes);
        bytes
    }

    #[test]
    fn numbers_have_one_form() {
        let cases: &[(&[u8], u64)] = &[
            (&[0], 0),
            (&[0x7f], 127),
            (&[0x80, 1], 128),
            (&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1], u64::MAX),
        ];
        for (bytes, number) in cases {
            assert_eq!(written(*number), *bytes);
            assert_eq!(read_number("x", &mut &bytes[..]), Ok(*number));
        }
        let number = WireError::Number { what: "x" };
        let truncated = WireError::Truncated { what: "x" };
        let refused: &[(&[u8], &WireError)] = &[
            (&[], &truncated),
            (&[0x80], &truncated),
            (&[0x80, 0], &number),
            (&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2], &number),
            (&[0xff; 11], &number),
        ];
        for (bytes, error) in refused {
            assert_eq!(read_number("x", &mut &bytes[..]).as_ref(), Err(*error), "{bytes:?}");
        }
        let too_large = WireError::TooLarge { what: "x", found: 8, limit: 7 };
        assert_eq!(read_bounded("x", 7, &mut &[8][..]), Err(too_large));
    }

    proptest! {
        #[test]
        fn round_trip(number: u64, after: u8) {
            let mut bytes = written(number);
            bytes.push(after);
            let mut rest = &bytes[..];
            prop_assert_eq!(read_number("x", &mut rest), Ok(number));
            prop_assert_eq!(rest, [after]);
        }

        #[test]
        fn only_one_form_is_read(bytes: Vec<u8>) {
            let mut rest = &bytes[..];
            if let Ok(number) = read_number("x", &mut rest) {
                prop_assert_eq!(written(number), &bytes[..bytes.len() - rest.len()]);
            }
        }
    }
}
