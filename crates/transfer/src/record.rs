//! The stream to the receiver: records of bounded length. Most carry pieces of one zstd stream, which holds all
//! that is said and every whole NAR; payloads of windows, which are frames of their own, go between them.

use std::io::{self, Read, Write};

use delta::window::MAX_PAYLOAD;
use zstd::zstd_safe::{
    CCtx, CParameter, DCtx, DParameter, ErrorCode, InBuffer, OutBuffer, get_error_name,
    zstd_sys::ZSTD_EndDirective,
};

use crate::wire::Malformed;

/// Most bytes of a record with a piece of the zstd stream.
const MAX_PACKED: u32 = 64 << 10;
/// Both sides remember so many bytes of the zstd stream, as a power of two.
const WINDOW_LOG: u32 = 23;

const PACKED: u8 = 1;
const PAYLOAD: u8 = 2;
const STOP: u8 = 3;

/// Bytes before a record: its kind and its length.
const HEAD: usize = 5;

/// Writes records.
pub(crate) struct Packer<W> {
    to: W,
    context: CCtx<'static>,
    level: i32,
    /// What zstd has made and is not sent: the first bytes of this.
    packed: Box<[u8]>,
    filled: usize,
    sent: u64,
}

impl<W: Write> Packer<W> {
    pub(crate) fn new(to: W, level: i32) -> io::Result<Self> {
        let mut context = CCtx::create();
        context.set_parameter(CParameter::WindowLog(WINDOW_LOG)).map_err(zstd_io)?;
        context.set_parameter(CParameter::CompressionLevel(level)).map_err(zstd_io)?;
        let packed = vec![0; MAX_PACKED as usize].into_boxed_slice();
        Ok(Self { to, context, level, packed, filled: 0, sent: 0 })
    }

    /// Bytes that were written so far.
    pub(crate) fn sent(&self) -> u64 {
        self.sent
    }

    /// zstd's level from here on. What was remembered is forgotten if it changes.
    pub(crate) fn set_level(&mut self, level: i32) -> io::Result<()> {
        if level != self.level {
            self.pack_all(ZSTD_EndDirective::ZSTD_e_end)?;
            self.context.set_parameter(CParameter::CompressionLevel(level)).map_err(zstd_io)?;
            self.level = level;
        }
        Ok(())
    }

    /// Sends a payload behind all that was written.
    pub(crate) fn payload(&mut self, payload: &[u8]) -> io::Result<()> {
        self.pack_all(ZSTD_EndDirective::ZSTD_e_flush)?;
        self.sent += write_record(&mut self.to, PAYLOAD, payload)?;
        Ok(())
    }

    /// Says that no more comes, though it should.
    pub(crate) fn stop(&mut self) -> io::Result<()> {
        self.sent += write_record(&mut self.to, STOP, &[])?;
        self.to.flush()
    }

    /// Sends all that zstd holds.
    fn pack_all(&mut self, how: ZSTD_EndDirective) -> io::Result<()> {
        loop {
            let left = self.pack(&mut InBuffer::around(&[]), how)?;
            self.send_packed()?;
            if left == 0 {
                return Ok(());
            }
        }
    }

    /// One step of zstd's; how much is left in it, as far as it knows.
    fn pack(&mut self, input: &mut InBuffer<'_>, how: ZSTD_EndDirective) -> io::Result<usize> {
        let mut out = OutBuffer::around(&mut self.packed[self.filled..]);
        let left = self.context.compress_stream2(&mut out, input, how).map_err(zstd_io)?;
        self.filled += out.pos();
        Ok(left)
    }

    fn send_packed(&mut self) -> io::Result<()> {
        if self.filled > 0 {
            self.sent += write_record(&mut self.to, PACKED, &self.packed[..self.filled])?;
            self.filled = 0;
        }
        Ok(())
    }
}

fn write_record(to: &mut impl Write, kind: u8, bytes: &[u8]) -> io::Result<u64> {
    let length = u32::try_from(bytes.len()).map_err(io::Error::other)?;
    let [a, b, c, d] = length.to_be_bytes();
    to.write_all(&[kind, a, b, c, d])?;
    to.write_all(bytes)?;
    Ok(HEAD as u64 + u64::from(length))
}

impl<W: Write> Write for Packer<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut input = InBuffer::around(bytes);
        while input.pos < bytes.len() {
            self.pack(&mut input, ZSTD_EndDirective::ZSTD_e_continue)?;
            if self.filled == self.packed.len() {
                self.send_packed()?;
            }
        }
        Ok(bytes.len())
    }

    /// All that was written can be read by the receiver then.
    fn flush(&mut self) -> io::Result<()> {
        self.pack_all(ZSTD_EndDirective::ZSTD_e_flush)?;
        self.to.flush()
    }
}

/// Reads records. As a stream it is what was packed.
pub(crate) struct Unpacker<R> {
    from: R,
    context: DCtx<'static>,
    packed: Vec<u8>,
    /// Bytes of `packed` that were taken.
    taken: usize,
    /// Whether zstd may hold more than it has given.
    holds: bool,
}

/// The sender has stopped.
#[derive(Debug, thiserror::Error)]
#[error("the sender has stopped")]
pub(crate) struct Stopped;

impl<R: Read> Unpacker<R> {
    pub(crate) fn new(from: R) -> Result<Self, Malformed> {
        let mut context = DCtx::create();
        context.set_parameter(DParameter::WindowLogMax(WINDOW_LOG)).map_err(zstd)?;
        Ok(Self { from, context, packed: Vec::new(), taken: 0, holds: false })
    }

    /// The payload that comes next, of so many bytes.
    pub(crate) fn payload(&mut self, length: u32, into: &mut Vec<u8>) -> Result<(), Malformed> {
        let expected = Malformed::Unexpected { what: "the payload of a window" };
        loop {
            // What is left of the zstd stream may only be the end of something.
            while self.holds || self.taken < self.packed.len() {
                if self.unpack(&mut [0])? > 0 {
                    return Err(expected);
                }
            }
            match self.head()? {
                (PAYLOAD, announced) if announced == length && length <= MAX_PAYLOAD => {
                    return Ok(read_exactly(&mut self.from, length, into)?);
                }
                (PACKED, length @ 1..=MAX_PACKED) => self.take_packed(length)?,
                _ => return Err(expected),
            }
        }
    }

    fn take_packed(&mut self, length: u32) -> io::Result<()> {
        self.taken = 0;
        read_exactly(&mut self.from, length, &mut self.packed)
    }

    fn head(&mut self) -> io::Result<(u8, u32)> {
        let mut head = [0; HEAD];
        self.from.read_exact(&mut head)?;
        let [kind, length @ ..] = head;
        let length = u32::from_be_bytes(length);
        Ok((kind, length))
    }

    /// Takes some packed bytes, and gives what they make; nothing if that is not complete.
    fn unpack(&mut self, into: &mut [u8]) -> Result<usize, Malformed> {
        let mut input = InBuffer { src: &self.packed, pos: self.taken };
        let mut out = OutBuffer::around(into);
        self.context.decompress_stream(&mut out, &mut input).map_err(zstd)?;
        let given = out.pos();
        let stuck = !self.holds && input.pos == self.taken && given == 0;
        self.taken = input.pos;
        self.holds = given == into.len();
        if stuck { Err(Malformed::Zstd("no progress")) } else { Ok(given) }
    }

    fn next_packed(&mut self) -> io::Result<()> {
        match self.head()? {
            (PACKED, length @ 1..=MAX_PACKED) => self.take_packed(length),
            (STOP, 0) => Err(io::Error::other(Stopped)),
            (PACKED | STOP | PAYLOAD, _) => Err(bad("a record of another kind or length was expected")),
            (kind, _) => Err(bad(format!("{kind} is no kind of record"))),
        }
    }
}

impl<R: Read> Read for Unpacker<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if into.is_empty() {
            return Ok(0);
        }
        loop {
            if !self.holds && self.taken == self.packed.len() {
                self.next_packed()?;
            }
            match self.unpack(into).map_err(bad)? {
                0 => {}
                given => return Ok(given),
            }
        }
    }
}

fn read_exactly(from: &mut impl Read, length: u32, into: &mut Vec<u8>) -> io::Result<()> {
    into.clear();
    let found = from.by_ref().take(length.into()).read_to_end(into)?;
    if u32::try_from(found) == Ok(length) { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}

fn bad(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

fn zstd(code: ErrorCode) -> Malformed {
    Malformed::Zstd(get_error_name(code))
}

fn zstd_io(code: ErrorCode) -> io::Error {
    bad(zstd(code))
}

#[cfg(test)]
mod tests;
