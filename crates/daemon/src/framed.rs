//! Data of unknown length on its way to the daemon: frames, each its length and that many bytes, and an empty
//! one at the end.

use std::{
    fmt,
    io::{self, Write},
    sync::atomic::{AtomicBool, Ordering},
};

/// Bytes of the length before a frame's bytes.
const HEADER: usize = 8;

/// Bytes in a frame, all but the last.
const FRAME: usize = 64 << 10;

/// Why no more data is taken.
#[derive(Debug)]
enum Refusal {
    /// The daemon has said that it failed; it only waits for the end.
    Daemon,
    /// The connection failed.
    Connection(io::Error),
}

/// Where an upload is written to.
///
/// It always holds the last frame back: until [`FrameWriter::finish`] the daemon does not have the last byte
/// of what was written, and so cannot have registered it.
pub(crate) struct FrameWriter<'c> {
    stream: &'c mut (dyn Write + Send),
    daemon_failed: &'c AtomicBool,
    /// Room for the header, then the bytes of the next frame.
    frame: Vec<u8>,
    refusal: Option<Refusal>,
}

impl<'c> FrameWriter<'c> {
    /// Frames for `stream`; as soon as `daemon_failed` is set they are no longer sent.
    pub(crate) fn new(stream: &'c mut (dyn Write + Send), daemon_failed: &'c AtomicBool) -> Self {
        let mut frame = Vec::with_capacity(HEADER + FRAME);
        frame.resize(HEADER, 0);
        Self { stream, daemon_failed, frame, refusal: None }
    }

    /// Whether data was refused, so that an error of whoever wrote it is only the echo of that.
    pub(crate) fn has_refused(&self) -> bool {
        self.refusal.is_some()
    }

    /// Sends what was held back and the end; only the end if the daemon has failed.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        match self.refusal.take() {
            Some(Refusal::Connection(error)) => return Err(error),
            Some(Refusal::Daemon) => {}
            None => self.send()?,
        }
        self.stream.write_all(&0_u64.to_le_bytes())?;
        self.stream.flush()
    }

    fn send(&mut self) -> io::Result<()> {
        let length = self.frame.len() - HEADER;
        if length > 0 {
            self.frame[..HEADER].copy_from_slice(&(length as u64).to_le_bytes());
            self.stream.write_all(&self.frame)?;
            self.frame.truncate(HEADER);
        }
        Ok(())
    }

    /// Makes room in the frame.
    fn make_room(&mut self) -> Result<(), Refusal> {
        if self.frame.len() < HEADER + FRAME {
            return Ok(());
        }
        if self.daemon_failed.load(Ordering::Relaxed) {
            return Err(Refusal::Daemon);
        }
        self.send().map_err(Refusal::Connection)
    }
}

impl Write for FrameWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.refusal.is_none() && !bytes.is_empty() {
            self.refusal = self.make_room().err();
        }
        if self.refusal.is_some() {
            return Err(io::Error::new(io::ErrorKind::BrokenPipe, "the daemon takes no more data"));
        }
        let room = HEADER + FRAME - self.frame.len();
        let count = bytes.len().min(room);
        self.frame.extend_from_slice(&bytes[..count]);
        Ok(count)
    }

    /// Does nothing: the last frame is held back.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl fmt::Debug for FrameWriter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FrameWriter").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
