//! Reads what a daemon says, and takes no more memory than what it really says.

use std::{
    fmt,
    io::{self, BufRead as _, BufReader, Read},
};

use store::{
    excerpt,
    hash::{Algorithm, Hash, Sha256},
    nar::padding,
    path_info::PathInfo,
    store_path::{StoreDir, StorePath},
};

use crate::{
    error::{ProtocolError, ReadError},
    limits,
    text::{clipped, plain_cut},
};

/// Bytes read ahead. A NAR is handed on in pieces of at most this size.
const BUFFER: usize = 64 << 10;

/// Characters of what an error says that it has found.
const FOUND: usize = 512;

/// The daemon's direction of a connection.
pub(crate) struct WireReader {
    stream: BufReader<Box<dyn Read + Send>>,
    store_dir: StoreDir,
    /// Bytes taken off the stream since the connection was made.
    offset: u64,
    /// Bytes that the strings of the answer at hand may still have.
    budget: u64,
}

type Result<T> = std::result::Result<T, ReadError>;

impl WireReader {
    pub(crate) fn new(stream: Box<dyn Read + Send>, store_dir: StoreDir) -> Self {
        let stream = BufReader::with_capacity(BUFFER, stream);
        Self { stream, store_dir, offset: 0, budget: limits::ANSWER }
    }

    pub(crate) fn store_dir(&self) -> &StoreDir {
        &self.store_dir
    }

    /// Begins an answer or a message, which may be as large as [`limits::ANSWER`].
    pub(crate) fn begin_answer(&mut self) {
        self.budget = limits::ANSWER;
    }

    /// Lets the answer that follows have no more than `budget`.
    pub(crate) fn limit_answer(&mut self, budget: u64) {
        self.budget = limits::ANSWER.min(budget);
    }

    /// How much the answer has taken that was [limited](Self::limit_answer) to `budget`.
    pub(crate) fn spent(&self, budget: u64) -> u64 {
        limits::ANSWER.min(budget) - self.budget
    }

    /// An error at this place of the stream.
    pub(crate) fn unexpected(&self, expected: &'static str, found: impl fmt::Display) -> ReadError {
        let found = clipped(&found.to_string(), FOUND);
        ReadError::Protocol(ProtocolError { offset: self.offset, expected, found })
    }

    pub(crate) fn number(&mut self, expected: &'static str) -> Result<u64> {
        let mut bytes = [0; 8];
        self.fill(&mut bytes, expected)?;
        Ok(u64::from_le_bytes(bytes))
    }

    pub(crate) fn flag(&mut self, expected: &'static str) -> Result<bool> {
        match self.number(expected)? {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(self.unexpected(expected, other)),
        }
    }

    /// A number that is at most `limit`.
    pub(crate) fn bounded(&mut self, expected: &'static str, limit: u64) -> Result<u64> {
        let number = self.number(expected)?;
        if number > limit {
            return Err(self.unexpected(expected, format_args!("{number}, but the limit is {limit}")));
        }
        Ok(number)
    }

    pub(crate) fn string(&mut self, expected: &'static str, limit: u64) -> Result<Vec<u8>> {
        let length = self.bounded_length(expected, limit.min(self.budget))?;
        self.cut_string(expected, length, length)
    }

    pub(crate) fn text(&mut self, expected: &'static str, limit: u64) -> Result<String> {
        let bytes = self.string(expected, limit)?;
        String::from_utf8(bytes).map_err(|error| self.unexpected(expected, quoted(error.as_bytes())))
    }

    /// Text that is for people: at most [`limits::KEPT_TEXT`] bytes of it, without escape codes, and no more than
    /// the answer may still have.
    pub(crate) fn message(&mut self, expected: &'static str) -> Result<String> {
        let length = self.bounded_length(expected, limits::TEXT)?;
        let kept = limits::KEPT_TEXT.min(self.budget);
        let bytes = self.cut_string(expected, length, kept)?;
        Ok(plain_cut(&bytes, usize::try_from(kept).unwrap_or(usize::MAX)))
    }

    /// Throws a text for people away.
    pub(crate) fn skip_message(&mut self, expected: &'static str) -> Result<()> {
        let length = self.bounded_length(expected, limits::TEXT)?;
        self.cut_string(expected, length, 0).map(drop)
    }

    /// A list of at most `limit` elements, each read by `read`.
    pub(crate) fn list<T, C: Default + Extend<T>>(
        &mut self,
        expected: &'static str,
        limit: u64,
        mut read: impl FnMut(&mut Self) -> Result<T>,
    ) -> Result<C> {
        let count = self.bounded(expected, limit)?;
        let mut items = C::default();
        for _ in 0..count {
            items.extend([read(self)?]);
        }
        Ok(items)
    }

    pub(crate) fn path(&mut self, expected: &'static str) -> Result<StorePath> {
        let path = self.string(expected, limits::PATH)?;
        self.parse_path(expected, &path)
    }

    /// A path, or nothing for an empty string.
    pub(crate) fn optional_path(&mut self, expected: &'static str) -> Result<Option<StorePath>> {
        let path = self.string(expected, limits::PATH)?;
        if path.is_empty() { Ok(None) } else { self.parse_path(expected, &path).map(Some) }
    }

    pub(crate) fn paths<C: Default + Extend<StorePath>>(&mut self, limit: u64) -> Result<C> {
        self.list("a list of paths", limit, |reader| reader.path("a path of a list"))
    }

    /// The acknowledgement 1 that some operations are answered with.
    pub(crate) fn acknowledgement(&mut self) -> Result<()> {
        match self.number("the acknowledgement 1")? {
            1 => Ok(()),
            other => Err(self.unexpected("the acknowledgement 1", other)),
        }
    }

    /// What is known of `path`, which comes without the path itself (`UnkeyedValidPathInfo` in Nix) and at the
    /// end of an answer.
    pub(crate) fn path_info(&mut self, path: StorePath) -> Result<PathInfo> {
        let mut info = PathInfo {
            path,
            deriver: self.optional_path("a deriver")?,
            nar_hash: self.nar_hash()?,
            references: self.paths(limits::PATHS)?,
            registration_time: self.number("a registration time")?,
            nar_size: self.number("a NAR size")?,
            ultimate: self.flag("whether a path is ultimately trusted")?,
            signatures: self.signatures()?,
            content_address: None,
        };
        let address = self.text("a content address", limits::WORD)?;
        if !address.is_empty() {
            let unknown =
                |_| ReadError::ContentAddress { path: info.path.clone(), found: quoted(address.as_bytes()) };
            info.content_address = Some(address.parse().map_err(unknown)?);
        }
        Ok(info)
    }

    /// The bytes that have come and were not taken yet, more being read if there are none; empty at the end.
    pub(crate) fn peek(&mut self) -> Result<&[u8]> {
        // Twice, so that the interrupted first call borrows nothing.
        while let Err(error) = self.stream.fill_buf() {
            if error.kind() != io::ErrorKind::Interrupted {
                return Err(ReadError::Io(error));
            }
        }
        self.stream.fill_buf().map_err(ReadError::Io)
    }

    /// Takes `count` of the bytes that [`WireReader::peek`] showed.
    pub(crate) fn take(&mut self, count: usize) {
        self.stream.consume(count);
        self.offset += count as u64;
    }

    pub(crate) fn ended(&self, expected: &'static str) -> ReadError {
        ReadError::Ended { offset: self.offset, expected }
    }

    fn nar_hash(&mut self) -> Result<Sha256> {
        let expected = "a SHA-256 in hexadecimal";
        let text = self.text(expected, limits::WORD)?;
        let hash = Hash::parse_digest(Algorithm::Sha256, &text);
        hash.ok()
            .and_then(|hash| hash.as_sha256())
            .ok_or_else(|| self.unexpected(expected, quoted(text.as_bytes())))
    }

    /// Signatures, without those that are none: any user of a host may add any text to any path of its store,
    /// and a text that is no signature vouches for nothing.
    fn signatures<C: Default + Extend<store::signature::Signature>>(&mut self) -> Result<C> {
        let texts: Vec<_> = self.list("a list of signatures", limits::SIGNATURES, |reader| {
            reader.string("a signature", limits::SIGNATURE)
        })?;
        let mut signatures = C::default();
        signatures.extend(texts.iter().filter_map(|text| str::from_utf8(text).ok()?.parse().ok()));
        Ok(signatures)
    }

    fn parse_path(&self, expected: &'static str, path: &[u8]) -> Result<StorePath> {
        self.store_dir.parse(path).map_err(|error| self.unexpected(expected, error))
    }

    /// The length of a string.
    fn bounded_length(&mut self, expected: &'static str, limit: u64) -> Result<u64> {
        let length = self.number(expected)?;
        if length > limit {
            let found = format_args!("a length of {length}, but the limit is {limit}");
            return Err(self.unexpected(expected, found));
        }
        Ok(length)
    }

    /// A string behind its `length`. The first `kept` bytes are kept; the budget has room for them.
    fn cut_string(&mut self, expected: &'static str, length: u64, kept: u64) -> Result<Vec<u8>> {
        let kept = kept.min(length);
        self.budget = self.budget.saturating_sub(kept);
        let string = self.bytes(kept, expected)?;
        self.skip(length - kept, expected)?;
        self.zeros(padding(length))?;
        Ok(string)
    }

    /// `count` bytes. The vector grows as they come.
    fn bytes(&mut self, count: u64, expected: &'static str) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let read = self.stream.by_ref().take(count).read_to_end(&mut bytes).map_err(ReadError::Io)?;
        self.advance(read as u64, count, expected)?;
        Ok(bytes)
    }

    fn skip(&mut self, count: u64, expected: &'static str) -> Result<()> {
        let skipped =
            io::copy(&mut self.stream.by_ref().take(count), &mut io::sink()).map_err(ReadError::Io)?;
        self.advance(skipped, count, expected)
    }

    fn advance(&mut self, read: u64, wanted: u64, expected: &'static str) -> Result<()> {
        self.offset += read;
        if read < wanted { Err(self.ended(expected)) } else { Ok(()) }
    }

    fn zeros(&mut self, count: usize) -> Result<()> {
        let expected = "zeros behind a string";
        let mut bytes = [0; 8];
        let bytes = &mut bytes[..count];
        self.fill(bytes, expected)?;
        match bytes.iter().find(|byte| **byte != 0) {
            Some(byte) => Err(self.unexpected(expected, format_args!("{byte:#04x}"))),
            None => Ok(()),
        }
    }

    fn fill(&mut self, bytes: &mut [u8], expected: &'static str) -> Result<()> {
        self.stream.read_exact(bytes).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => self.ended(expected),
            _ => ReadError::Io(error),
        })?;
        self.offset += bytes.len() as u64;
        Ok(())
    }
}

/// Shows where it stands, not what it has read.
impl fmt::Debug for WireReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WireReader").field("offset", &self.offset).finish_non_exhaustive()
    }
}

/// An [`excerpt`] in quotation marks.
pub(crate) fn quoted(bytes: &[u8]) -> String {
    format!("'{}'", excerpt(bytes))
}
