//! The way back to the operator: one writer, used by every thread of a session.

use std::{
    io::{self, Write},
    sync::{Mutex, MutexGuard, PoisonError},
};

use session::{Channel, FrameError, MAGIC, MAX_DATA, Reply, write_frame};

/// What the session writes to; each message goes out whole and at once.
pub(crate) struct Outbox<W> {
    stream: Mutex<W>,
}

impl<W: Write> Outbox<W> {
    pub(crate) fn new(stream: W) -> Self {
        Self { stream: Mutex::new(stream) }
    }

    /// Says that an agent speaks from here on.
    pub(crate) fn magic(&self) -> Result<(), FrameError> {
        Ok(self.lock().write_all(MAGIC)?)
    }

    pub(crate) fn reply(&self, reply: &Reply) -> Result<(), FrameError> {
        self.frame(Channel::Control, &reply.to_payload())
    }

    /// Bytes of a stream, in as many frames as it takes.
    pub(crate) fn data(&self, channel: Channel, bytes: &[u8]) -> Result<(), FrameError> {
        bytes.chunks(MAX_DATA).try_for_each(|piece| self.frame(channel, piece))
    }

    /// Passes a stream on until it ends.
    pub(crate) fn pass_on(&self, channel: Channel, mut from: impl io::Read) -> Result<(), FrameError> {
        let mut buffer = vec![0; MAX_DATA];
        loop {
            match from.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(count) => self.frame(channel, &buffer[..count])?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn frame(&self, channel: Channel, payload: &[u8]) -> Result<(), FrameError> {
        let mut stream = self.lock();
        write_frame(&mut *stream, channel, payload)?;
        Ok(stream.flush()?)
    }

    /// A thread that panicked while it wrote has cut the stream in the middle of a frame; the operator notices.
    fn lock(&self) -> MutexGuard<'_, W> {
        self.stream.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
