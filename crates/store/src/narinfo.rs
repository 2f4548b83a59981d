//! `.narinfo`: what a binary cache says of a path, as lines of `Name: value`.

use std::{fmt, str::FromStr};

use thiserror::Error;

mod parse;

pub use parse::{ParseNarInfoError, ParseNarInfoErrorKind};

use crate::{hash::Hash, path_info::PathInfo, store_path::StoreDir};

/// Longest text that is accepted, in bytes; enough for 10,000 references.
pub const MAX_TEXT: usize = 1 << 20;

/// A value that a line can hold: text that is not empty and has no control characters, line feeds among them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineValue(Box<str>);

/// Why a text is not the value of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum LineValueError {
    /// It is empty.
    #[error("the value of a line must not be empty")]
    Empty,
    /// It has a control character.
    #[error("the value of a line must have no control characters, found one at byte {offset}")]
    Control {
        /// Where it stands.
        offset: usize,
    },
}

impl LineValue {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for LineValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for LineValue {
    type Err = LineValueError;

    fn from_str(text: &str) -> Result<Self, LineValueError> {
        match text.find(char::is_control) {
            Some(offset) => Err(LineValueError::Control { offset }),
            None if text.is_empty() => Err(LineValueError::Empty),
            None => Ok(Self(text.into())),
        }
    }
}

/// A path in a binary cache, and where its NAR is to be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NarInfo {
    /// The path, without what is known only inside one store (registration time, `ultimate`).
    pub info: PathInfo,
    /// Where the compressed NAR is, relative to the cache. It is foreign text and no more than that: it may well
    /// begin with `/` or hold `..`.
    pub url: LineValue,
    /// How the NAR is compressed, such as `zstd`, `xz` or `none`.
    pub compression: LineValue,
    /// Hash of the compressed NAR.
    pub file_hash: Option<Hash>,
    /// Bytes of the compressed NAR.
    pub file_size: Option<u64>,
}

impl NarInfo {
    /// Reads the text of a narinfo about a path in `store_dir`.
    ///
    /// Lines of an unknown name are passed over, as Nix does; known ones may come in any order but only once,
    /// except for `Sig`.
    pub fn parse(text: &[u8], store_dir: &StoreDir) -> Result<Self, ParseNarInfoError> {
        parse::parse(text, store_dir)
    }

    /// The text, lines in the order of Nix.
    pub fn display<'a>(&'a self, store_dir: &'a StoreDir) -> impl fmt::Display + 'a {
        fmt::from_fn(move |f| self.write(store_dir, f))
    }

    fn write(&self, store_dir: &StoreDir, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let info = &self.info;
        writeln!(f, "StorePath: {}", store_dir.display(&info.path))?;
        writeln!(f, "URL: {}", self.url)?;
        writeln!(f, "Compression: {}", self.compression)?;
        write_line(f, "FileHash", self.file_hash.as_ref())?;
        write_line(f, "FileSize", self.file_size.as_ref())?;
        writeln!(f, "NarHash: {}", info.nar_hash)?;
        writeln!(f, "NarSize: {}", info.nar_size)?;
        let references: Vec<_> = info.references.iter().map(ToString::to_string).collect();
        writeln!(f, "References: {}", references.join(" "))?;
        write_line(f, "Deriver", info.deriver.as_ref())?;
        for signature in &info.signatures {
            writeln!(f, "Sig: {signature}")?;
        }
        write_line(f, "CA", info.content_address.as_ref())
    }
}

fn write_line<T: fmt::Display>(f: &mut fmt::Formatter<'_>, name: &str, value: Option<&T>) -> fmt::Result {
    match value {
        Some(value) => writeln!(f, "{name}: {value}"),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
