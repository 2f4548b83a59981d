//! The parts that messages are made of, and why bytes are no message.

use std::io::{self, Read, Write};

use delta::wire::{WireError, read_array, read_byte, read_slice, write_number};
use store::store_path::{HashPart, StorePath, StorePathName};
use thiserror::Error;

/// Version of the session that this crate speaks, the first byte of a question.
pub(crate) const VERSION: u8 = 1;

/// Why bytes are not what the other side should have said.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Malformed {
    /// The stream failed or ended too soon.
    #[error("the stream failed")]
    Stream(#[from] io::Error),
    /// A part of a message is not one.
    #[error(transparent)]
    Part(#[from] WireError),
    /// A name, hash or signature is none.
    #[error("{what} is not one")]
    Text {
        /// What it should be.
        what: &'static str,
    },
    /// Something has more bytes or items than is ever sent.
    #[error("{what} has {found}, allowed are {limit}")]
    TooMuch {
        /// What it is.
        what: &'static str,
        /// How much was announced.
        found: u64,
        /// How much is allowed.
        limit: u64,
    },
    /// A message has bytes behind its end.
    #[error("{0} bytes behind the end of a message")]
    Behind(usize),
    /// Something else than this comes.
    #[error("{what} was expected, and something else came")]
    Unexpected {
        /// What was expected.
        what: &'static str,
    },
    /// Another version.
    #[error("version {found} of the transfer, this is version {VERSION}")]
    Version {
        /// Which.
        found: u8,
    },
    /// zstd refuses.
    #[error("the packed bytes cannot be unpacked: {0}")]
    Zstd(&'static str),
    /// A path comes that is not due: not asked for, not in order, or before what it refers to.
    #[error("path {index} of the question is not due: {why}")]
    NotDue {
        /// Its index in the question.
        index: u64,
        /// Why.
        why: &'static str,
    },
}

/// Writes a path: hash part, length of the name, name. A name that is the same as `near`'s is left out.
pub(crate) fn write_path(path: &StorePath, near: Option<&StorePath>, to: &mut Vec<u8>) {
    to.extend_from_slice(&path.hash_part().0);
    let known = near.is_some_and(|near| near.name() == path.name());
    write_short(if known { "" } else { path.name().as_str() }.as_bytes(), to);
}

/// Takes a path off the front of `bytes`.
pub(crate) fn read_path(near: Option<&StorePath>, bytes: &mut &[u8]) -> Result<StorePath, Malformed> {
    let hash_part = HashPart(read_array("a hash part", bytes)?);
    let name = match (read_short("a name", bytes)?, near) {
        (b"", Some(near)) => near.name().clone(),
        (name, _) => StorePathName::new(name).map_err(WireError::from)?,
    };
    Ok(StorePath::new(hash_part, name))
}

/// Writes at most 255 bytes with their number before them.
pub(crate) fn write_short(text: &[u8], to: &mut Vec<u8>) {
    let text = &text[..text.len().min(255)];
    to.push(u8::try_from(text.len()).unwrap_or(u8::MAX));
    to.extend_from_slice(text);
}

/// Takes such bytes off the front.
pub(crate) fn read_short<'b>(what: &'static str, bytes: &mut &'b [u8]) -> Result<&'b [u8], Malformed> {
    let length = read_byte(what, bytes)?;
    Ok(read_slice(what, length.into(), bytes)?)
}

/// Takes such bytes off the front, which are `what` in its usual text.
pub(crate) fn read_text<T: std::str::FromStr>(what: &'static str, bytes: &mut &[u8]) -> Result<T, Malformed> {
    let text = std::str::from_utf8(read_short(what, bytes)?).ok();
    text.and_then(|text| text.parse().ok()).ok_or(Malformed::Text { what })
}

/// Checks that nothing is left of a message.
pub(crate) fn end(bytes: &[u8]) -> Result<(), Malformed> {
    if bytes.is_empty() { Ok(()) } else { Err(Malformed::Behind(bytes.len())) }
}

/// Writes a message: its length, then its bytes.
pub(crate) fn write_message(message: &[u8], to: &mut impl Write) -> io::Result<()> {
    let mut length = Vec::new();
    write_number(message.len() as u64, &mut length);
    to.write_all(&length)?;
    to.write_all(message)
}

/// Reads a message of at most `limit` bytes. Memory grows with what was received, never with what was announced.
pub(crate) fn read_message(
    what: &'static str,
    limit: u64,
    from: &mut impl Read,
) -> Result<Vec<u8>, Malformed> {
    let length = read_number_from(what, from)?;
    if length > limit {
        return Err(Malformed::TooMuch { what, found: length, limit });
    }
    let mut message = Vec::new();
    let found = from.by_ref().take(length).read_to_end(&mut message)? as u64;
    if found < length { Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()) } else { Ok(message) }
}

/// Reads a number from a stream.
pub(crate) fn read_number_from(what: &'static str, from: &mut impl Read) -> Result<u64, Malformed> {
    let mut bytes = Vec::new();
    loop {
        let mut byte = [0];
        from.read_exact(&mut byte)?;
        bytes.extend(byte);
        if byte[0] & 0x80 == 0 || bytes.len() > 10 {
            return Ok(delta::wire::read_number(what, &mut &bytes[..])?);
        }
    }
}
