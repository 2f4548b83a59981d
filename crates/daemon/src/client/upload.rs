//! Sending data of unknown length while the daemon may talk.

use std::{
    error,
    io::{self, Write},
};

use store::store_path::StorePath;
use thiserror::Error as ThisError;

use super::Client;
use crate::{
    error::{Error, Failure, ReadError},
    framed::FrameWriter,
    operation::Operation,
    wire::{Encoder, WireReader},
};

/// Why an upload failed, with `E` for the errors of whoever gave the data.
#[derive(Debug, ThisError)]
#[non_exhaustive]
pub enum UploadError<E: error::Error + 'static> {
    /// The daemon refused, or the connection failed.
    #[error(transparent)]
    Exchange(#[from] Error),
    /// Whoever gave the data failed, or decided against it. The connection was ended before the daemon had
    /// all.
    #[error("the data of {path} cannot be had")]
    Source {
        /// Of which path, or with which name.
        path: String,
        /// What it said.
        source: E,
    },
    /// The data is not as long as was announced. The connection was ended before the daemon had all.
    #[error("the NAR of {path} should have {announced} bytes, but {}", .given.map_or_else(
        || "there are more".to_owned(),
        |given| format!("there are {given}"),
    ))]
    NarSize {
        /// Of which path.
        path: StorePath,
        /// What its path information says.
        announced: u64,
        /// What it has; nothing if it has more than was announced.
        given: Option<u64>,
    },
}

impl<E: error::Error> UploadError<E> {
    /// Whether the connection can be used for the next operation, as [`Error::connection_usable`] has it.
    #[must_use]
    pub fn connection_usable(&self) -> bool {
        matches!(self, Self::Exchange(error) if error.connection_usable())
    }
}

/// Why not everything was sent.
pub(super) enum Unsent<E: error::Error + 'static> {
    /// Because of the connection.
    Connection(io::Error),
    /// Because of what was to be sent.
    Data(UploadError<E>),
}

impl<E: error::Error> From<UploadError<E>> for Unsent<E> {
    fn from(error: UploadError<E>) -> Self {
        Self::Data(error)
    }
}

impl Client {
    /// Sends a request and behind it, in frames, what `give` writes; then reads the answer with `read`.
    ///
    /// If `give` fails on its own, the connection is ended with at least the last byte not sent. If it fails because
    /// the frames refuse what it writes, that is reported for which they do.
    pub(super) fn upload<T, E: error::Error>(
        &mut self,
        operation: Operation,
        write: impl FnOnce(&mut Encoder<'_>),
        give: impl FnOnce(&mut FrameWriter<'_>) -> Result<(), Unsent<E>>,
        read: impl FnOnce(&mut WireReader) -> Result<T, ReadError>,
    ) -> Result<T, UploadError<E>> {
        self.begin(operation)?;
        let request = self.encode(operation, write);
        let exchanged = self.send_while_listening(|writer, failed| {
            writer.write_all(&request).map_err(Unsent::Connection)?;
            let mut frames = FrameWriter::new(writer, failed);
            match give(&mut frames) {
                Err(error) if !frames.has_refused() => Err(error),
                _ => frames.finish().map_err(Unsent::Connection),
            }
        });
        let answer = match exchanged {
            Ok((Ok(()), told)) => told.and_then(|()| Ok(read(&mut self.reader)?)),
            Ok((Err(Unsent::Connection(error)), told)) => Err(Failure::unsent(error, told)),
            Ok((Err(Unsent::Data(error)), _)) => return Err(error),
            Err(failure) => Err(failure),
        };
        Ok(self.end(operation, answer)?)
    }
}

/// Passes on a NAR of an announced size, and no byte more.
pub(super) struct SizedNar<'a, 'f> {
    frames: &'a mut FrameWriter<'f>,
    left: u64,
    overflowed: bool,
}

impl<'a, 'f> SizedNar<'a, 'f> {
    pub(super) fn new(frames: &'a mut FrameWriter<'f>, size: u64) -> Self {
        Self { frames, left: size, overflowed: false }
    }

    /// What became of the NAR of `path`, whose giver ended with `given`.
    pub(super) fn finish<E: error::Error>(
        self,
        path: &StorePath,
        size: u64,
        given: Result<(), E>,
    ) -> Result<(), UploadError<E>> {
        let announced = size;
        if self.overflowed {
            return Err(UploadError::NarSize { path: path.clone(), announced, given: None });
        }
        given.map_err(|source| UploadError::Source { path: path.to_string(), source })?;
        if self.left > 0 {
            let given = Some(size - self.left);
            return Err(UploadError::NarSize { path: path.clone(), announced, given });
        }
        Ok(())
    }
}

impl Write for SizedNar<'_, '_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.overflowed |= bytes.len() as u64 > self.left;
        if self.overflowed {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "the NAR is longer than was announced"));
        }
        let count = self.frames.write(bytes)?;
        self.left -= count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.frames.flush()
    }
}
