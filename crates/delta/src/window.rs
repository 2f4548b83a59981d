//! A NAR in pieces, each made of a piece of the rewritten base and a payload.

mod plan;

use std::ops::Range;

use thiserror::Error;
use zstd::zstd_safe::{self, CCtx, CParameter, DCtx};

pub use plan::{Shape, plan};

use crate::{
    rewrite::{Rewriter, with_margins},
    wire::{WireError, read_bounded, read_byte, read_number, write_number},
};

/// Most bytes that one window makes.
pub const MAX_TARGET: u32 = 4 << 20;

/// Most bytes of the base that one window is made with.
pub const MAX_BASE: u32 = 8 << 20;

/// Most bytes that the payload of a window can have.
pub const MAX_PAYLOAD: u32 = max_payload(MAX_TARGET);

/// Most bytes that the head of a window can have.
pub const MAX_HEAD: usize = 4 + 10 + 4 + 4 + 1;

/// The base's bytes are the prefix of one zstd frame, which says its content's size.
const CODEC_ZSTD: u8 = 1;

/// Most bytes that a payload for `target` bytes can have: what zstd may need for what cannot be compressed.
const fn max_payload(target: u32) -> u32 {
    target + target / 256 + 128
}

/// A window: so many bytes of the NAR behind those of the window before, made with so many bytes of the base.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Bytes of the NAR that it makes, 1 to [`MAX_TARGET`].
    target: u32,
    /// Where in the base's NAR its bytes begin.
    base_offset: u64,
    /// How many bytes of the base it is made with, at most [`MAX_BASE`].
    base: u32,
}

/// Why a window cannot be made with what is there.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum WindowError {
    /// The base is shorter than the sender's.
    #[error("a window is made with {} bytes at {} of the base, which has {size}", .range.end - .range.start, .range.start)]
    Base {
        /// What would be needed.
        range: Range<u64>,
        /// Bytes that the base has.
        size: u64,
    },
    /// More bytes come than the NAR has.
    #[error("a window of {target} bytes, {left} of the NAR are left")]
    Target {
        /// Bytes of the window.
        target: u32,
        /// Bytes that are still to come.
        left: u64,
    },
    /// The payload is not one zstd frame of the announced size.
    #[error("the payload of a window is not one zstd frame of {target} bytes")]
    Frame {
        /// Bytes that were announced.
        target: u32,
    },
    /// zstd refuses.
    #[error("the payload of a window cannot be decompressed: {reason}")]
    Zstd {
        /// What zstd says.
        reason: &'static str,
    },
    /// The caller did not bring the bytes of the base that were asked for.
    #[error("{found} bytes of the base were brought, {expected} were asked for")]
    Source {
        /// Bytes that were asked for.
        expected: u64,
        /// Bytes that were brought.
        found: u64,
    },
}

/// The head of a window, as it is sent before the payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The window.
    pub window: Window,
    /// Bytes of the payload.
    pub payload: u32,
}

impl Window {
    /// Bytes of the NAR that it makes.
    #[must_use]
    pub fn target(&self) -> u32 {
        self.target
    }

    /// The range of the base's NAR that it is made with.
    #[must_use]
    pub fn base(&self) -> Range<u64> {
        self.base_offset..self.base_offset + u64::from(self.base)
    }

    /// What has to be read of the base's NAR, which has `base_size` bytes: more than [`Self::base`], because a hash
    /// may lie across its ends.
    ///
    /// # Errors
    /// If the base is shorter than that.
    pub fn source(&self, base_size: u64) -> Result<Range<u64>, WindowError> {
        let range = self.base();
        if range.end > base_size {
            return Err(WindowError::Base { range, size: base_size });
        }
        if range.is_empty() {
            return Ok(range);
        }
        Ok(with_margins(&range, base_size))
    }

    /// Rewrites `bytes`, which are those of [`Self::source`], and gives those of [`Self::base`].
    fn prefix<'b>(
        &self,
        bytes: &'b mut [u8],
        base_size: u64,
        rewriter: &Rewriter,
    ) -> Result<&'b [u8], WindowError> {
        let (source, range) = (self.source(base_size)?, self.base());
        let (expected, found) = (source.end - source.start, bytes.len() as u64);
        if expected != found {
            return Err(WindowError::Source { expected, found });
        }
        rewriter.rewrite(bytes);
        let start = usize::try_from(range.start - source.start).unwrap_or(usize::MAX);
        let length = usize::try_from(range.end - range.start).unwrap_or(usize::MAX);
        bytes
            .get(start..)
            .and_then(|bytes| bytes.get(..length))
            .ok_or(WindowError::Source { expected, found })
    }
}

impl Head {
    /// Writes the sent form: bytes of the target, offset in the base, bytes of the base, bytes of the payload, codec.
    pub fn write(&self, to: &mut Vec<u8>) {
        let Window { target, base_offset, base } = self.window;
        for number in [u64::from(target), base_offset, u64::from(base), u64::from(self.payload)] {
            write_number(number, to);
        }
        to.push(CODEC_ZSTD);
    }

    /// Takes the sent form off the front of `bytes`.
    ///
    /// # Errors
    /// If it is none, or the window is larger than any that is sent.
    pub fn read(bytes: &mut &[u8]) -> Result<Self, WireError> {
        let target = read_u32("the size of a window", MAX_TARGET, bytes)?;
        let base_offset = read_number("the offset in the base", bytes)?;
        let base = read_u32("the size of a piece of the base", MAX_BASE, bytes)?;
        if base_offset.checked_add(u64::from(base)).is_none() {
            let (what, limit) = ("the offset in the base", u64::MAX - u64::from(base));
            return Err(WireError::TooLarge { what, found: base_offset, limit });
        }
        let payload = read_u32("the size of a payload", max_payload(target), bytes)?;
        for (what, number) in [("the size of a window", target), ("the size of a payload", payload)] {
            if number == 0 {
                return Err(WireError::Zero { what });
            }
        }
        match read_byte("the codec of a window", bytes)? {
            CODEC_ZSTD => Ok(Self { window: Window { target, base_offset, base }, payload }),
            found => Err(WireError::Codec { found }),
        }
    }
}

fn read_u32(what: &'static str, limit: u32, bytes: &mut &[u8]) -> Result<u32, WireError> {
    let found = read_bounded(what, limit.into(), bytes)?;
    u32::try_from(found).map_err(|_| WireError::TooLarge { what, found, limit: limit.into() })
}

/// The payload of a window: what of `target` is not in the base.
///
/// `source` are the bytes of [`Window::source`]; they are rewritten in place. `level` is zstd's, 1 to 19.
///
/// # Errors
/// If the base or the target is not as long as the window says.
pub fn encode(
    window: &Window,
    (source, base_size): (&mut [u8], u64),
    rewriter: &Rewriter,
    target: &[u8],
    level: i32,
) -> Result<Vec<u8>, WindowError> {
    let prefix = window.prefix(source, base_size, rewriter)?;
    if u32::try_from(target.len()) != Ok(window.target) {
        return Err(WindowError::Target { target: window.target, left: target.len() as u64 });
    }
    compress(prefix, target, level).map_err(zstd_error)
}

fn compress(prefix: &[u8], target: &[u8], level: i32) -> Result<Vec<u8>, zstd_safe::ErrorCode> {
    let mut context = CCtx::create();
    let basic = [
        CParameter::CompressionLevel(level),
        CParameter::ContentSizeFlag(true),
        CParameter::ChecksumFlag(false),
        // The whole prefix can be used as long as no more than this has been made.
        CParameter::WindowLog(log2(target.len()).max(SMALLEST_WINDOW)),
        CParameter::EnableLongDistanceMatching(true),
    ];
    let tables = tables(log2(prefix.len() + target.len()), level);
    for parameter in basic.into_iter().chain(tables) {
        context.set_parameter(parameter)?;
    }
    if !prefix.is_empty() {
        context.ref_prefix(prefix)?;
    }
    let mut payload = Vec::with_capacity(zstd_safe::compress_bound(target.len()));
    context.compress2(&mut payload, target)?;
    payload.shrink_to_fit();
    Ok(payload)
}

/// Sizes of zstd's tables for a prefix and a target of 2^`log` bytes together. By itself it goes by the target alone,
/// and then forgets the first half of a prefix of 8 MiB before it has made anything.
fn tables(log: u32, level: i32) -> impl Iterator<Item = CParameter> {
    /// One position in so many (as a power of two) is kept to find long matches.
    const LONG_RATE: u32 = 7;
    let long = [
        CParameter::LdmHashRateLog(LONG_RATE),
        CParameter::LdmHashLog((log + 1).saturating_sub(LONG_RATE).max(SMALLEST_TABLE)),
    ];
    // Remembering every position of the prefix takes time, which those who ask for such a level have.
    let size = log.clamp(SMALLEST_TABLE, 22);
    let thorough = [CParameter::HashLog(size), CParameter::ChainLog(size), CParameter::LdmMinMatch(128)];
    long.into_iter().chain(thorough.into_iter().filter(move |_| level > LAST_QUICK_LEVEL))
}

/// The smallest number of bytes that zstd's windows can have, as a power of two.
const SMALLEST_WINDOW: u32 = 10;

/// The smallest table that zstd makes, as a power of two.
const SMALLEST_TABLE: u32 = 6;

/// Up to this level speed counts more than bytes.
const LAST_QUICK_LEVEL: i32 = 5;

/// The logarithm of `size`, rounded up.
fn log2(size: usize) -> u32 {
    size.next_power_of_two().ilog2()
}

/// Makes the bytes of a window, in place of what `target` holds.
///
/// `source` are the bytes of [`Window::source`]; they are rewritten in place. zstd writes straight into `target`, which
/// has exactly the announced size, and needs no window of its own. Whether the bytes are right only the NAR's hash says.
///
/// # Errors
/// If the base is not as long as it should be, or the payload is no frame of the announced size.
pub fn decode(
    window: &Window,
    (source, base_size): (&mut [u8], u64),
    rewriter: &Rewriter,
    payload: &[u8],
    target: &mut Vec<u8>,
) -> Result<(), WindowError> {
    let prefix = window.prefix(source, base_size, rewriter)?;
    let frame = WindowError::Frame { target: window.target };
    let announced = zstd_safe::get_frame_content_size(payload).ok().flatten();
    let is_one_frame = zstd_safe::find_frame_compressed_size(payload) == Ok(payload.len());
    if !is_one_frame || announced != Some(window.target.into()) {
        return Err(frame);
    }
    let size = usize::try_from(window.target).map_err(|_| frame.clone())?;
    target.resize(size, 0);
    let made = decompress(prefix, payload, target).map_err(zstd_error)?;
    if made == size { Ok(()) } else { Err(frame) }
}

fn decompress(prefix: &[u8], payload: &[u8], target: &mut [u8]) -> zstd_safe::SafeResult {
    let mut context = DCtx::create();
    if !prefix.is_empty() {
        context.ref_prefix(prefix)?;
    }
    context.decompress(target, payload)
}

fn zstd_error(code: zstd_safe::ErrorCode) -> WindowError {
    WindowError::Zstd { reason: zstd_safe::get_error_name(code) }
}

#[cfg(test)]
mod tests;
