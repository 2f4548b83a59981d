//! Reading a child's output without ever holding more than the bound.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Instant;

/// How much of standard error is kept: its end, where the reason stands.
const STDERR_TAIL: usize = 16 * 1024;

/// What was read of one stream until its end.
pub(crate) struct Captured {
    pub(crate) bytes: Vec<u8>,
    pub(crate) overflowed: bool,
}

/// A stream that is being read by a thread of its own.
pub(crate) struct Capture(Receiver<io::Result<Captured>>);

impl Capture {
    /// Keeps the first `limit` bytes and notes whether there were more.
    pub(crate) fn head(stream: impl Read + Send + 'static, limit: usize) -> Self {
        Self::start(move || read_head(stream, limit))
    }

    /// Keeps the end of the stream.
    pub(crate) fn tail(stream: impl Read + Send + 'static) -> Self {
        Self::start(move || read_tail(stream))
    }

    fn start(read: impl FnOnce() -> io::Result<Captured> + Send + 'static) -> Self {
        let (sender, receiver) = channel();
        thread::spawn(move || drop(sender.send(read())));
        Self(receiver)
    }

    /// The bytes, once the stream has ended; `None` when it is still open at `deadline`.
    pub(crate) fn finish(self, deadline: Option<Instant>) -> Option<io::Result<Captured>> {
        match deadline {
            Some(at) => self.0.recv_timeout(at.saturating_duration_since(Instant::now())).ok(),
            None => self.0.recv().ok(),
        }
    }
}

fn read_head(mut stream: impl Read, limit: usize) -> io::Result<Captured> {
    let mut bytes = Vec::new();
    stream.by_ref().take(limit as u64).read_to_end(&mut bytes)?;
    // Read on, so that the child is not stopped by a full pipe before its caller hears of it.
    let overflowed = io::copy(&mut stream, &mut io::sink())? > 0;
    Ok(Captured { bytes, overflowed })
}

fn read_tail(mut stream: impl Read) -> io::Result<Captured> {
    let mut bytes = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let read = stream.read(&mut chunk)?;
        if read == 0 {
            return Ok(Captured { bytes, overflowed: false });
        }
        bytes.extend_from_slice(&chunk[..read]);
        if bytes.len() > 2 * STDERR_TAIL {
            bytes.drain(..bytes.len() - STDERR_TAIL);
        }
    }
}
