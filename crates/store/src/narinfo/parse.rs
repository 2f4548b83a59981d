//! The lines of a narinfo, first taken apart, then understood.
//!
//! Stricter than Nix in this: a line comes once (Nix takes the last of some and refuses others), and the text is
//! UTF-8 without control characters, so that what was read can be shown.

use std::{
    collections::{BTreeMap, BTreeSet},
    str,
};

use thiserror::Error;

use super::{LineValue, LineValueError, MAX_TEXT, NarInfo};
use crate::{
    content_address::{ContentAddress, ParseContentAddressError},
    hash::{Algorithm, Hash, ParseHashError, Sha256},
    path_info::PathInfo,
    signature::Signature,
    store_path::{StoreDir, StorePath, StorePathError},
};

/// How the NAR is compressed if the text does not say, a default from the first days of Nix.
const DEFAULT_COMPRESSION: &str = "bzip2";

/// What stands in place of a deriver that is not known.
const UNKNOWN_DERIVER: &str = "unknown-deriver";

/// The lines that may come once.
const FIELDS: [&str; 10] = [
    "StorePath",
    "URL",
    "Compression",
    "FileHash",
    "FileSize",
    "NarHash",
    "NarSize",
    "References",
    "Deriver",
    "CA",
];

/// Why a text is not a narinfo, and where.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("narinfo, byte {offset}")]
pub struct ParseNarInfoError {
    /// Where the line, the value or the reference at fault begins, or the byte at fault; the end of the text if
    /// something is missing, the first byte beyond the limit if there is too much.
    pub offset: usize,
    /// What is wrong there.
    #[source]
    pub kind: ParseNarInfoErrorKind,
}

/// Why a text is not a narinfo.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ParseNarInfoErrorKind {
    /// The text is too long.
    #[error("expected at most {MAX_TEXT} bytes, found {length}")]
    TooLong {
        /// Bytes it has.
        length: usize,
    },
    /// A byte that is not UTF-8 or a control character.
    #[error("expected printable UTF-8")]
    NotText,
    /// A line that is no `Name: value`.
    #[error("expected a line `Name: value`")]
    Line,
    /// The last line has no end.
    #[error("expected the end of the line")]
    Unfinished,
    /// A line that may come once comes again.
    #[error("a second line '{field}'")]
    Duplicate {
        /// Its name.
        field: &'static str,
    },
    /// A line that must be there is not.
    #[error("expected a line '{field}'")]
    Missing {
        /// Its name.
        field: &'static str,
    },
    /// A value that must not be empty is, or one that must not be 0.
    #[error("{field} is empty or 0")]
    Empty {
        /// The name of its line.
        field: &'static str,
    },
    /// A size that is no decimal number of 64 bits.
    #[error("expected a number of bytes")]
    Number,
    /// A NAR hash of another algorithm.
    #[error("expected a sha256, found a {algorithm}")]
    NarHashAlgorithm {
        /// The algorithm that was found.
        algorithm: Algorithm,
    },
    /// A bad store path.
    #[error("expected a store path")]
    StorePath(#[from] StorePathError),
    /// A bad hash.
    #[error("expected a hash")]
    Hash(#[from] ParseHashError),
    /// A bad content address.
    #[error("expected a content address")]
    ContentAddress(#[from] ParseContentAddressError),
}

use ParseNarInfoErrorKind as Kind;

impl Kind {
    fn at(self, offset: usize) -> ParseNarInfoError {
        ParseNarInfoError { offset, kind: self }
    }
}

pub(super) fn parse(text: &[u8], store_dir: &StoreDir) -> Result<NarInfo, ParseNarInfoError> {
    let lines = Lines::split(check_text(text)?)?;
    let path = lines.required("StorePath", |text| store_dir.parse(text.as_bytes()))?;
    let nar_hash = lines.required("NarHash", parse_nar_hash)?;
    let nar_size = lines.required("NarSize", parse_nar_size)?;
    let info = PathInfo {
        deriver: lines.optional("Deriver", parse_deriver)?.flatten(),
        references: lines.references()?,
        signatures: lines.signatures(),
        content_address: lines.optional("CA", parse_content_address)?.flatten(),
        ..PathInfo::new(path, nar_hash, nar_size)
    };
    Ok(NarInfo {
        info,
        url: lines.required("URL", |text| parse_value("URL", text))?,
        compression: lines.text("Compression", DEFAULT_COMPRESSION)?,
        file_hash: lines.optional("FileHash", str::parse::<Hash>)?,
        file_size: lines.optional("FileSize", parse_number)?,
    })
}

fn check_text(text: &[u8]) -> Result<&str, ParseNarInfoError> {
    if text.len() > MAX_TEXT {
        return Err(Kind::TooLong { length: text.len() }.at(MAX_TEXT));
    }
    let text = str::from_utf8(text).map_err(|error| Kind::NotText.at(error.valid_up_to()))?;
    match text.find(|c: char| c.is_control() && c != '\n') {
        Some(offset) => Err(Kind::NotText.at(offset)),
        None => Ok(text),
    }
}

/// What follows the name in a line.
#[derive(Debug, Clone, Copy)]
struct Value<'a> {
    offset: usize,
    text: &'a str,
}

impl Value<'_> {
    fn parse<T, E: Into<Kind>>(
        self,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<T, ParseNarInfoError> {
        parse(self.text).map_err(|error| error.into().at(self.offset))
    }
}

/// The lines of the text by their names.
struct Lines<'a> {
    fields: BTreeMap<&'static str, Value<'a>>,
    signatures: Vec<Value<'a>>,
    end: usize,
}

impl<'a> Lines<'a> {
    fn split(text: &'a str) -> Result<Self, ParseNarInfoError> {
        let mut lines = Self { fields: BTreeMap::new(), signatures: Vec::new(), end: text.len() };
        let mut offset = 0;
        for line in text.split_inclusive('\n') {
            let Some(content) = line.strip_suffix('\n') else { return Err(Kind::Unfinished.at(text.len())) };
            let (name, value) = content.split_once(": ").ok_or(Kind::Line.at(offset))?;
            lines.add(name, Value { offset: offset + name.len() + 2, text: value })?;
            offset += line.len();
        }
        Ok(lines)
    }

    fn add(&mut self, name: &str, value: Value<'a>) -> Result<(), ParseNarInfoError> {
        if name == "Sig" {
            self.signatures.push(value);
        } else if let Some(field) = FIELDS.into_iter().find(|field| *field == name)
            && self.fields.insert(field, value).is_some()
        {
            return Err(Kind::Duplicate { field }.at(value.offset));
        }
        Ok(())
    }

    fn optional<T, E: Into<Kind>>(
        &self,
        field: &'static str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<Option<T>, ParseNarInfoError> {
        self.fields.get(field).map(|value| value.parse(parse)).transpose()
    }

    fn required<T, E: Into<Kind>>(
        &self,
        field: &'static str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<T, ParseNarInfoError> {
        self.optional(field, parse)?.ok_or(Kind::Missing { field }.at(self.end))
    }

    /// The value of a line as it stands, or `default` if it is not there or empty.
    fn text(&self, field: &'static str, default: &str) -> Result<LineValue, ParseNarInfoError> {
        let value = self.fields.get(field).filter(|value| !value.text.is_empty());
        let value = value.copied().unwrap_or(Value { offset: self.end, text: default });
        value.parse(|text| parse_value(field, text))
    }

    /// The references, a set: neither the spaces nor how often one comes count.
    fn references(&self) -> Result<BTreeSet<StorePath>, ParseNarInfoError> {
        let Some(value) = self.fields.get("References") else { return Ok(BTreeSet::new()) };
        let parts = value.text.split(' ').scan(value.offset, |next, text| {
            let offset = *next;
            *next += text.len() + 1;
            Some(Value { offset, text })
        });
        let references = parts.filter(|reference| !reference.text.is_empty());
        references.map(|reference| reference.parse(str::parse::<StorePath>)).collect()
    }

    /// The signatures, without those of a form that is not known here, which can count for nothing.
    fn signatures(&self) -> BTreeSet<Signature> {
        self.signatures.iter().filter_map(|value| value.text.parse().ok()).collect()
    }
}

fn parse_nar_hash(text: &str) -> Result<Sha256, Kind> {
    let hash: Hash = text.parse()?;
    hash.as_sha256().ok_or(Kind::NarHashAlgorithm { algorithm: hash.algorithm() })
}

fn parse_nar_size(text: &str) -> Result<u64, Kind> {
    match parse_number(text)? {
        0 => Err(Kind::Empty { field: "NarSize" }),
        size => Ok(size),
    }
}

/// A decimal number; a sign, which [`str::parse`] would take, is none.
fn parse_number(text: &str) -> Result<u64, Kind> {
    if text.starts_with('+') {
        return Err(Kind::Number);
    }
    text.parse().map_err(|_| Kind::Number)
}

fn parse_value(field: &'static str, text: &str) -> Result<LineValue, Kind> {
    text.parse().map_err(|error| match error {
        LineValueError::Empty => Kind::Empty { field },
        LineValueError::Control { .. } => Kind::NotText,
    })
}

fn parse_content_address(text: &str) -> Result<Option<ContentAddress>, ParseContentAddressError> {
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some)
}

fn parse_deriver(text: &str) -> Result<Option<StorePath>, StorePathError> {
    if text == UNKNOWN_DERIVER {
        return Ok(None);
    }
    text.parse().map(Some)
}
