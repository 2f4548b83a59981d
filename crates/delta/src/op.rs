//! What is sent for one path.

use store::{
    path_info::PathInfo,
    store_path::{HashPart, StorePath, StorePathName},
};

use crate::{
    references::{ReferenceMap, ReferenceMapError},
    rewrite::Rewriter,
    wire::{VERSION, WireError, read_array, read_byte, read_slice},
};

const WHOLE: u8 = 0;
const REWRITE: u8 = 1;
const PATCH: u8 = 2;

/// How a path is made of what the receiver has and what it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Op {
    /// All of it comes, in the stream of whole paths.
    Whole,
    /// Its NAR is that of the base, rewritten. Nothing else comes.
    Rewrite(Base),
    /// Windows follow, until they have made as many bytes as the NAR has.
    Patch(Base),
}

/// The path that the receiver has, and which of its references became which.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base {
    /// The path that the receiver has.
    pub path: StorePath,
    /// Which of its references became which of the new path.
    pub references: ReferenceMap,
}

impl Base {
    /// What rewrites the base; `base` is what the store says of it, and `path` what is known of the new path.
    ///
    /// # Errors
    /// If the base has not the references that it should have.
    pub fn rewriter(&self, path: &PathInfo, base: &PathInfo) -> Result<Rewriter, ReferenceMapError> {
        self.references.rewriter(path, base)
    }

    /// Writes the sent form: hash part, name (nothing if it is that of the new path), map.
    fn write(&self, path: &StorePath, to: &mut Vec<u8>) {
        to.extend_from_slice(&self.path.hash_part().0);
        let name = if self.path.name() == path.name() { "" } else { self.path.name().as_str() };
        to.push(u8::try_from(name.len()).expect("invariant: names are shorter than 212 bytes"));
        to.extend_from_slice(name.as_bytes());
        self.references.write(to);
    }

    fn read(path: &StorePath, bytes: &mut &[u8]) -> Result<Self, WireError> {
        let hash_part = HashPart(read_array("the hash part of the base", bytes)?);
        let length = read_byte("the name of the base", bytes)?;
        let name = match read_slice("the name of the base", length.into(), bytes)? {
            b"" => path.name().clone(),
            name => StorePathName::new(name)?,
        };
        Ok(Self { path: StorePath::new(hash_part, name), references: ReferenceMap::read(bytes)? })
    }
}

impl Op {
    /// Writes the sent form of what is to be done for `path`: the version in the upper half of a byte and the kind
    /// in the lower, then the base.
    pub fn write(&self, path: &StorePath, to: &mut Vec<u8>) {
        let (kind, base) = match self {
            Self::Whole => (WHOLE, None),
            Self::Rewrite(base) => (REWRITE, Some(base)),
            Self::Patch(base) => (PATCH, Some(base)),
        };
        to.push(VERSION << 4 | kind);
        if let Some(base) = base {
            base.write(path, to);
        }
    }

    /// Takes the sent form of what is to be done for `path` off the front of `bytes`.
    ///
    /// # Errors
    /// If it is none of this version.
    pub fn read(path: &StorePath, bytes: &mut &[u8]) -> Result<Self, WireError> {
        let first = read_byte("an operation", bytes)?;
        if first >> 4 != VERSION {
            return Err(WireError::Version { found: first >> 4 });
        }
        match first & 0xf {
            WHOLE => Ok(Self::Whole),
            REWRITE => Ok(Self::Rewrite(Base::read(path, bytes)?)),
            PATCH => Ok(Self::Patch(Base::read(path, bytes)?)),
            found => Err(WireError::Kind { found }),
        }
    }
}

/// What the ways to send a path would cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Costs {
    /// Whether the rewritten base is the NAR of the path.
    pub rewrites: bool,
    /// Bytes of all windows, if there is a base.
    pub patch: Option<u64>,
    /// Bytes of the whole, compressed.
    pub whole: u64,
}

impl Costs {
    /// The cheapest way to send a path on this base. Of a patch and the whole, the whole if they cost the same: it
    /// needs less of the receiver.
    #[must_use]
    pub fn cheapest(&self, base: Base) -> Op {
        match self.patch {
            _ if self.rewrites => Op::Rewrite(base),
            Some(patch) if patch < self.whole => Op::Patch(base),
            _ => Op::Whole,
        }
    }
}

#[cfg(test)]
mod tests;
