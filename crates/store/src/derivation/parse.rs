//! The text of a `.drv`, taken apart from left to right.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    str,
};

use thiserror::Error;

use super::{Derivation, MAX_ITEMS, MAX_TEXT, Output, OutputName, OutputSet, write::escape};
use crate::{
    content_address::{ContentAddress, Method, ParseContentAddressError},
    hash::{Algorithm, Hash, ParseHashError},
    store_path::{StoreDir, StorePath, StorePathError},
};

/// Why a text is not a derivation, and where.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("derivation, byte {offset}")]
pub struct ParseDerivationError {
    /// Where: the beginning of the string or item at fault, the byte at fault, or the first byte beyond the limit.
    pub offset: usize,
    /// What is wrong there.
    #[source]
    pub kind: ParseDerivationErrorKind,
}

/// Why a text is not a derivation.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ParseDerivationErrorKind {
    /// The text is too long.
    #[error("expected at most {MAX_TEXT} bytes, found {length}")]
    TooLong {
        /// Bytes it has.
        length: usize,
    },
    /// The lists have too many items.
    #[error("expected at most {MAX_ITEMS} items in all lists")]
    TooManyItems,
    /// Something else must stand there.
    #[error("expected {expected}")]
    Expected {
        /// What may stand there.
        expected: &'static str,
    },
    /// The derivation is of a later form, which is experimental in Nix.
    #[error("a derivation with inputs that are only built later, which is not supported")]
    Dynamic,
    /// A string has no end.
    #[error("a string without an end")]
    Unterminated,
    /// A byte is not written as Nix writes it.
    #[error("expected an escape or a plain byte, found '{}'", .byte.escape_ascii())]
    Escape {
        /// The byte, or the one behind the backslash.
        byte: u8,
    },
    /// An item is not greater than the one before it.
    #[error("expected {what} sorted, each once")]
    Unsorted {
        /// What kind of item.
        what: &'static str,
    },
    /// An input derivation of which no output is wanted.
    #[error("an input derivation of which no output is wanted")]
    NoOutputWanted,
    /// The four parts of an output make no sense together.
    #[error("an output must have a path, an algorithm, or both and a hash")]
    Output,
    /// A path or a name is not valid.
    #[error("a bad path or name")]
    StorePath(#[from] StorePathError),
    /// The hash or the algorithm of an output is not valid.
    #[error("a bad hash")]
    Hash(#[from] ParseHashError),
    /// The hash of an output is valid, but not in lower-case hexadecimal.
    #[error("expected a hash in lower-case hexadecimal")]
    HashForm,
    /// The content of an output cannot be addressed so.
    #[error("a bad content address")]
    ContentAddress(#[from] ParseContentAddressError),
}

use ParseDerivationErrorKind as Kind;

type Result<T> = std::result::Result<T, ParseDerivationError>;

pub(super) fn parse(text: &[u8], store_dir: &StoreDir) -> Result<Derivation> {
    let mut parser = Parser { text, offset: 0, items: 0, store_dir };
    if text.len() > MAX_TEXT {
        return Err(ParseDerivationError { offset: MAX_TEXT, kind: Kind::TooLong { length: text.len() } });
    }
    let derivation = parser.derivation()?;
    if parser.offset < text.len() {
        return Err(parser.error(Kind::Expected { expected: "the end" }));
    }
    Ok(derivation)
}

struct Parser<'a> {
    text: &'a [u8],
    offset: usize,
    /// How many items all lists had so far.
    items: usize,
    store_dir: &'a StoreDir,
}

impl<'a> Parser<'a> {
    fn derivation(&mut self) -> Result<Derivation> {
        if self.rest().starts_with(b"DrvWithVersion(") {
            return Err(self.error(Kind::Dynamic));
        }
        self.expect("Derive(", "'Derive('")?;
        let outputs = self.map("outputs", Self::output)?;
        self.comma()?;
        let input_derivations = self.map("input derivations", Self::input_derivation)?;
        self.comma()?;
        let input_sources = self.set("input sources", Self::path)?;
        self.comma()?;
        let system = self.string()?.into_owned();
        self.comma()?;
        let builder = self.string()?.into_owned();
        self.comma()?;
        let mut arguments = Vec::new();
        self.list(|parser| {
            arguments.push(parser.string()?.into_owned());
            Ok(())
        })?;
        self.comma()?;
        let environment = self.map("variables", Self::variable)?;
        self.close()?;
        Ok(Derivation { outputs, input_derivations, input_sources, system, builder, arguments, environment })
    }

    fn output(&mut self) -> Result<(OutputName, Output)> {
        self.open()?;
        let name = self.output_name()?;
        self.comma()?;
        let start = self.offset;
        let path = self.string()?;
        self.comma()?;
        let algorithm = self.string()?;
        self.comma()?;
        let hash = self.string()?;
        self.close()?;
        let output = match (&*path, &*algorithm, &*hash) {
            (b"", b"", b"") => Ok(Output::Deferred),
            (path, b"", b"") => self.store_dir.parse(path).map(Output::InputAddressed).map_err(Kind::from),
            (b"", algorithm, b"") => method_and_algorithm(algorithm)
                .map(|(method, algorithm)| Output::Floating { method, algorithm }),
            (b"", algorithm, b"impure") => method_and_algorithm(algorithm)
                .map(|(method, algorithm)| Output::Impure { method, algorithm }),
            (b"", ..) | (_, b"", _) | (_, _, b"") => Err(Kind::Output),
            (path, algorithm, hash) => self.fixed(path, algorithm, hash),
        };
        Ok((name, output.map_err(|kind| ParseDerivationError { offset: start, kind })?))
    }

    fn fixed(&self, path: &[u8], algorithm: &[u8], hash: &[u8]) -> std::result::Result<Output, Kind> {
        let path = self.store_dir.parse(path)?;
        let (method, algorithm) = method_and_algorithm(algorithm)?;
        let text = str::from_utf8(hash).map_err(|_| Kind::HashForm)?;
        let hash = Hash::parse_digest(algorithm, text)?;
        if hash.to_base16() != text {
            return Err(Kind::HashForm);
        }
        Ok(Output::Fixed { path, address: ContentAddress::new(method, hash)? })
    }

    fn input_derivation(&mut self) -> Result<(StorePath, OutputSet)> {
        let start = self.offset;
        self.open()?;
        let path = self.path()?;
        self.comma()?;
        let outputs = self.set("outputs", Self::output_name)?;
        self.close()?;
        let outputs = OutputSet::new(outputs);
        let outputs = outputs.ok_or(ParseDerivationError { offset: start, kind: Kind::NoOutputWanted })?;
        Ok((path, outputs))
    }

    fn variable(&mut self) -> Result<(Vec<u8>, Vec<u8>)> {
        self.open()?;
        let name = self.string()?.into_owned();
        self.comma()?;
        let value = self.string()?.into_owned();
        self.close()?;
        Ok((name, value))
    }

    fn path(&mut self) -> Result<StorePath> {
        let start = self.offset;
        let path = self.string()?;
        self.store_dir
            .parse(&path)
            .map_err(|error| ParseDerivationError { offset: start, kind: error.into() })
    }

    fn output_name(&mut self) -> Result<OutputName> {
        let start = self.offset;
        let name = self.string()?;
        OutputName::new(&name).map_err(|error| ParseDerivationError { offset: start, kind: error.into() })
    }

    /// A list of pairs whose first parts ascend.
    fn map<K: Ord, V>(
        &mut self,
        what: &'static str,
        item: impl Fn(&mut Self) -> Result<(K, V)>,
    ) -> Result<BTreeMap<K, V>> {
        let mut map = BTreeMap::new();
        self.list(|parser| {
            let start = parser.offset;
            let (key, value) = item(parser)?;
            if map.last_key_value().is_some_and(|(last, _)| *last >= key) {
                return Err(ParseDerivationError { offset: start, kind: Kind::Unsorted { what } });
            }
            map.insert(key, value);
            Ok(())
        })?;
        Ok(map)
    }

    /// A list of items that ascend.
    fn set<T: Ord>(
        &mut self,
        what: &'static str,
        item: impl Fn(&mut Self) -> Result<T>,
    ) -> Result<BTreeSet<T>> {
        let map = self.map(what, |parser| Ok((item(parser)?, ())))?;
        Ok(map.into_keys().collect())
    }

    fn list(&mut self, mut item: impl FnMut(&mut Self) -> Result<()>) -> Result<()> {
        self.expect("[", "'['")?;
        if self.take("]") {
            return Ok(());
        }
        loop {
            self.items += 1;
            if self.items > MAX_ITEMS {
                return Err(self.error(Kind::TooManyItems));
            }
            item(self)?;
            if self.take("]") {
                return Ok(());
            }
            self.expect(",", "',' or ']'")?;
        }
    }

    /// A string in double quotes; lent from the text if nothing in it is escaped.
    fn string(&mut self) -> Result<Cow<'a, [u8]>> {
        let start = self.offset;
        self.expect("\"", "'\"'")?;
        let mut unescaped: Option<Vec<u8>> = None;
        loop {
            let plain =
                self.plain().ok_or(ParseDerivationError { offset: start, kind: Kind::Unterminated })?;
            if self.take("\"") {
                return Ok(match unescaped {
                    None => Cow::Borrowed(plain),
                    Some(mut bytes) => {
                        bytes.extend_from_slice(plain);
                        Cow::Owned(bytes)
                    }
                });
            }
            let byte = self.escaped()?;
            let bytes = unescaped.get_or_insert_default();
            bytes.extend_from_slice(plain);
            bytes.push(byte);
        }
    }

    /// What comes before the next byte that cannot stand for itself in a string; nothing if there is none.
    fn plain(&mut self) -> Option<&'a [u8]> {
        let rest = self.rest();
        let (plain, _) = rest.split_at(rest.iter().position(|byte| escape(*byte).is_some())?);
        self.offset += plain.len();
        Some(plain)
    }

    /// The byte that a backslash and the byte behind it stand for.
    fn escaped(&mut self) -> Result<u8> {
        let byte = match *self.rest() {
            [b'\\', byte @ (b'"' | b'\\'), ..] => byte,
            [b'\\', b'n', ..] => b'\n',
            [b'\\', b'r', ..] => b'\r',
            [b'\\', b't', ..] => b'\t',
            [] | [b'\\'] => return Err(self.error(Kind::Unterminated)),
            [b'\\', byte, ..] | [byte, ..] => return Err(self.error(Kind::Escape { byte })),
        };
        self.offset += 2;
        Ok(byte)
    }

    fn open(&mut self) -> Result<()> {
        self.expect("(", "'('")
    }

    fn comma(&mut self) -> Result<()> {
        self.expect(",", "','")
    }

    fn close(&mut self) -> Result<()> {
        self.expect(")", "')'")
    }

    fn expect(&mut self, text: &str, expected: &'static str) -> Result<()> {
        if self.take(text) { Ok(()) } else { Err(self.error(Kind::Expected { expected })) }
    }

    fn take(&mut self, text: &str) -> bool {
        let found = self.rest().starts_with(text.as_bytes());
        if found {
            self.offset += text.len();
        }
        found
    }

    fn rest(&self) -> &'a [u8] {
        &self.text[self.offset..]
    }

    fn error(&self, kind: Kind) -> ParseDerivationError {
        ParseDerivationError { offset: self.offset, kind }
    }
}

/// Reads `sha256`, `r:sha256` or `text:sha256`.
fn method_and_algorithm(text: &[u8]) -> std::result::Result<(Method, Algorithm), Kind> {
    let text = String::from_utf8_lossy(text);
    let (method, algorithm) = match text.split_once(':') {
        Some(("r", algorithm)) => (Method::Nar, algorithm),
        Some(("text", algorithm)) => (Method::Text, algorithm),
        _ => (Method::Flat, &*text),
    };
    Ok((method, algorithm.parse()?))
}
