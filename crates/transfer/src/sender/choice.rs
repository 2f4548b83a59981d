//! How each path is sent: the cheapest way that is found without trying all of it.

use std::{collections::BTreeMap, io::Write};

use daemon::files::{NarFile, NarFileError};
use delta::{
    op::Base,
    rewrite::{RewriteWriter, Rewriter},
    window::{self, MAX_TARGET, Shape, Window},
};
use store::{
    hash::{Sha256, Sha256Hasher},
    path_info::PathInfo,
};

use super::{Bases, Source};

/// Windows that are tried to judge a patch.
const SAMPLES: usize = 3;
/// How much is read at once.
const PIECE: u64 = 256 << 10;

/// How a path is sent.
pub(super) enum Choice {
    Whole,
    Rewrite(Base),
    Patch(Box<Patch>),
}

/// A patch, ready to be made.
pub(super) struct Patch {
    pub(super) base: Base,
    pub(super) windows: Vec<Window>,
    maker: Maker,
    /// Payloads that are made already, by the index of their window.
    ready: BTreeMap<usize, Vec<u8>>,
}

/// What payloads are made of.
struct Maker {
    target: NarFile,
    source: NarFile,
    rewriter: Rewriter,
    piece: Vec<u8>,
    bytes: Vec<u8>,
}

impl Choice {
    /// Chooses for a path whose base the receiver has. What cannot be read or is no gain is sent whole.
    pub(super) fn of(info: &PathInfo, bases: &Bases, source: &dyn Source, level: i32) -> Self {
        let Some((base, old)) = bases.with_references(info) else { return Self::Whole };
        let Ok(rewriter) = base.rewriter(info, old) else { return Self::Whole };
        let Some(mut from) = source.nar_file(old) else { return Self::Whole };
        if old.nar_size == info.nar_size
            && rewritten(&mut from, &rewriter).is_ok_and(|hash| hash == info.nar_hash)
        {
            return Self::Rewrite(base);
        }
        let Some(target) = source.nar_file(info) else { return Self::Whole };
        let shape = |file: &NarFile| Shape::new(file.size(), &file.listing());
        let windows = window::plan(&shape(&target), &shape(&from));
        let maker = Maker { target, source: from, rewriter, piece: Vec::new(), bytes: Vec::new() };
        let mut patch = Patch { base, windows, maker, ready: BTreeMap::new() };
        match patch.is_worth_it(level) {
            Ok(true) => Self::Patch(Box::new(patch)),
            _ => Self::Whole,
        }
    }
}

/// The hash of a NAR that is rewritten.
fn rewritten(file: &mut NarFile, rewriter: &Rewriter) -> Result<Sha256, NarFileError> {
    let mut writer = RewriteWriter::new(rewriter, Hashing(Sha256Hasher::new()));
    let (mut buffer, size) = (Vec::new(), file.size());
    let mut start = 0;
    while start < size {
        let end = size.min(start + PIECE);
        file.read_at(start..end, &mut buffer)?;
        // Hashing does not fail.
        let _hashed = writer.write_all(&buffer);
        start = end;
    }
    Ok(writer.finish().map_or_else(|_| Sha256::of(&[]), |hashing| hashing.0.finish()))
}

struct Hashing(Sha256Hasher);

impl Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Patch {
    /// Whether some of its windows are smaller than the same bytes without a base.
    fn is_worth_it(&mut self, level: i32) -> Result<bool, NarFileError> {
        let (mut patched, mut plain) = (0, 0);
        let count = self.windows.len();
        let mut samples: Vec<_> =
            (0..SAMPLES).map(|at| at * count.saturating_sub(1) / (SAMPLES - 1)).collect();
        samples.dedup();
        for at in samples {
            let Some(payload) = self.maker.payload(at, &self.windows[at], level)? else { return Ok(false) };
            patched += payload.len();
            // What is this small need not be compared.
            plain += if payload.len() < self.maker.bytes.len() / 16 {
                self.maker.bytes.len() / 8
            } else {
                zstd::bulk::compress(&self.maker.bytes, level).map_or(0, |plain| plain.len())
            };
            self.ready.insert(at, payload);
        }
        Ok(patched < plain)
    }

    /// The payload of a window; none if it cannot be made.
    pub(super) fn payload(&mut self, at: usize, level: i32) -> Result<Option<Vec<u8>>, NarFileError> {
        match self.ready.remove(&at) {
            Some(payload) => Ok(Some(payload)),
            None => self.maker.payload(at, &self.windows[at], level),
        }
    }
}

impl Maker {
    fn payload(&mut self, at: usize, window: &Window, level: i32) -> Result<Option<Vec<u8>>, NarFileError> {
        let start = at as u64 * u64::from(MAX_TARGET);
        self.target.read_at(start..start + u64::from(window.target()), &mut self.bytes)?;
        let size = self.source.size();
        let Ok(range) = window.source(size) else { return Ok(None) };
        self.source.read_at(range, &mut self.piece)?;
        let payload = window::encode(window, (&mut self.piece, size), &self.rewriter, &self.bytes, level);
        Ok(payload.ok())
    }
}
