//! Reading a path's content.

use std::io::{self, Write};

use store::{
    nar::{DecodeError, DecodeErrorKind, Decoder, NameError, TargetError, TreeError},
    store_path::StorePath,
};
use thiserror::Error as ThisError;

use super::Client;
use crate::{
    error::{Error, Failure, ReadError},
    operation::Operation,
    stderr,
    wire::WireReader,
};

/// Why a path could not be read. Only after an error that [says so](NarError::connection_usable) can the
/// connection be used again.
#[derive(Debug, ThisError)]
#[non_exhaustive]
pub enum NarError {
    /// The daemon refused, or the connection failed.
    #[error(transparent)]
    Exchange(#[from] Error),
    /// What the daemon sent is no NAR.
    #[error("the Nix daemon sent a bad NAR of {path}")]
    Format {
        /// The path.
        path: StorePath,
        /// What is wrong with it.
        source: DecodeError,
    },
    /// The NAR is longer than was allowed.
    #[error("the NAR of {path} has more than {limit} bytes")]
    TooLong {
        /// The path.
        path: StorePath,
        /// Bytes that were allowed.
        limit: u64,
    },
    /// The NAR could not be written to where it should go.
    #[error("the NAR of {path} cannot be written")]
    Sink {
        /// The path.
        path: StorePath,
        /// What the sink said.
        source: io::Error,
    },
}

impl NarError {
    /// Whether the connection can be used for the next operation, as [`Error::connection_usable`] has it.
    #[must_use]
    pub fn connection_usable(&self) -> bool {
        matches!(self, Self::Exchange(error) if error.connection_usable())
    }
}

impl Client {
    /// Writes the NAR of `path` to `sink` as it comes, and returns its size.
    ///
    /// It may have at most `limit` bytes, `nar_size` of its path information for example. What comes is checked
    /// to be a NAR, and the sink gets no byte behind its end. That it is the right one only its hash says:
    /// Nix 2.26 also gives what lies under the name of a path that is not valid. Other daemons begin to answer
    /// before they look, so asking for such a path costs the connection.
    pub fn nar_from_path(
        &mut self,
        path: &StorePath,
        limit: u64,
        sink: &mut dyn Write,
    ) -> Result<u64, NarError> {
        let operation = Operation::NarFromPath;
        self.ask(operation, |request| request.path(path), |_| Ok(()))?;
        self.begin(operation)?;
        let unfinished = self.ending.armed();
        let size = receive(&mut self.reader, sink, limit).map_err(|error| error.of(path, limit))?;
        unfinished.disarm();
        Ok(self.end(operation, Ok(size))?)
    }
}

/// Why a NAR did not come through.
enum ReceiveError {
    Failure(Failure),
    Format(DecodeError),
    TooLong,
    Sink(io::Error),
}

impl From<ReadError> for ReceiveError {
    fn from(error: ReadError) -> Self {
        Self::Failure(Failure::Read(error))
    }
}

impl ReceiveError {
    /// The same, as one that the caller sees.
    fn of(self, path: &StorePath, limit: u64) -> NarError {
        let operation = Operation::NarFromPath;
        let path = path.clone();
        match self {
            Self::Failure(failure) => Error::new(operation, failure).into(),
            Self::Format(source) => NarError::Format { path, source },
            Self::TooLong => NarError::TooLong { path, limit },
            Self::Sink(source) => NarError::Sink { path, source },
        }
    }
}

fn receive(reader: &mut WireReader, sink: &mut dyn Write, limit: u64) -> Result<u64, ReceiveError> {
    let mut decoder = Decoder::new();
    while !decoder.is_done() {
        let bytes = reader.peek()?;
        if bytes.is_empty() {
            return Err(reader.ended("the NAR of a path").into());
        }
        let mut rest = bytes;
        let decoded = decode(&mut decoder, &mut rest);
        let taken = bytes.len() - rest.len();
        match decoded {
            Ok(()) if decoder.offset() > limit => return Err(ReceiveError::TooLong),
            Ok(()) => sink.write_all(&bytes[..taken]).map_err(ReceiveError::Sink)?,
            Err(error) if is_daemon_error(&error) => {
                reader.take(taken);
                let last_words = stderr::read_error(reader)?;
                return Err(ReceiveError::Failure(Failure::LastWords(last_words)));
            }
            Err(error) => return Err(ReceiveError::Format(error)),
        }
        reader.take(taken);
    }
    Ok(decoder.offset())
}

/// Checks what of `bytes` belongs to the NAR, and takes it off.
fn decode(decoder: &mut Decoder, bytes: &mut &[u8]) -> Result<(), DecodeError> {
    while decoder.next_event(bytes)?.is_some() {}
    Ok(())
}

/// Whether the word that announces an error stands where a string of the NAR should begin: a daemon that
/// fails in the middle breaks off and says why. (Where the size of a file should stand it is a size like others.)
fn is_daemon_error(error: &DecodeError) -> bool {
    let length = match &error.kind {
        DecodeErrorKind::LongWord { length, .. }
        | DecodeErrorKind::Tree(
            TreeError::Name(NameError::Length { length }) | TreeError::Target(TargetError::Length { length }),
        ) => *length,
        _ => return false,
    };
    length == stderr::ERROR
}
