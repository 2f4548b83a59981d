//! The operator's end of a session: frames from the agent, sorted into bounded queues by a thread of their own.
//!
//! Nothing that the other end sends can make memory grow, panic, or be waited for without a limit: queues are bounded,
//! and every wait has a time.

use std::io::{self, Read, Write};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use daemon::Stream;
use session::{Channel, FrameError, MAGIC, MAX_DATA, MessageError, Reply, Request, read_frame, write_frame};
use thiserror::Error;

use crate::lock::lock;
use crate::queue::{Popped, Queue};

/// Bytes of replies and logs that may wait.
const HEARD: usize = 4 << 20;
/// Bytes of the store's answers that may wait.
const STORE: usize = 1 << 20;
/// What an item weighs beyond its bytes.
const ITEM: usize = 256;
/// Bytes that are read of what is no agent, for the message.
const NOISE: u64 = 4 << 10;
/// How long the store may be silent: a build there may print nothing for long.
const STORE_SILENCE: Duration = Duration::from_secs(3600);

/// Something that the agent said.
#[derive(Debug)]
pub(crate) enum Heard {
    /// On the control channel.
    Reply(Reply),
    /// On the channel of a log or an output.
    Bytes(Channel, Vec<u8>),
}

/// Why a session does not go on.
#[derive(Debug, Error)]
pub(crate) enum LinkError {
    /// The stream failed, or carries something else.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// The agent says something that is not understood.
    #[error("the agent says something that is not understood")]
    Message(#[from] MessageError),
    /// It does not begin as an agent does.
    #[error("what answers is not lockstep's agent{}", noise(.0))]
    NoAgent(Vec<u8>),
    /// The stream ended.
    #[error("the session ended")]
    Ended,
    /// Nothing came for too long.
    #[error("the agent did not say {what} within {limit:?}")]
    Silent {
        /// What was waited for.
        what: &'static str,
        /// How long.
        limit: Duration,
    },
    /// Something else came.
    #[error("the agent did not say {what}, but something else")]
    Unexpected {
        /// What was waited for.
        what: &'static str,
    },
    /// Bytes on a channel that is not open.
    #[error("bytes of a store that was not opened")]
    Store,
}

fn noise(bytes: &[u8]) -> String {
    let text = crate::text::last_lines(&String::from_utf8_lossy(bytes)).join(" / ");
    if text.is_empty() { String::new() } else { format!("; it said: {text}") }
}

/// A session's streams. Dropping it ends the session.
pub(crate) struct Link(Arc<Shared>);

struct Shared {
    writer: Mutex<Box<dyn Write + Send>>,
    heard: Queue<Heard>,
    store: Mutex<Option<Arc<Queue<Vec<u8>>>>>,
    /// Why the reading ended.
    fault: Mutex<Option<LinkError>>,
    hang_up: Box<dyn Fn() + Send + Sync>,
}

impl Link {
    /// Takes the streams of an agent that was just started. `hang_up` must end both directions.
    pub(crate) fn new(
        reader: impl Read + Send + 'static,
        writer: impl Write + Send + 'static,
        hang_up: impl Fn() + Send + Sync + 'static,
    ) -> Self {
        let shared = Arc::new(Shared {
            writer: Mutex::new(Box::new(writer)),
            heard: Queue::new(HEARD),
            store: Mutex::new(None),
            fault: Mutex::new(None),
            hang_up: Box::new(hang_up),
        });
        let reading = Arc::clone(&shared);
        thread::spawn(move || {
            let fault = reading.read(reader).err().unwrap_or(LinkError::Ended);
            *lock(&reading.fault) = Some(fault);
            reading.close();
        });
        Self(shared)
    }

    /// Says something.
    pub(crate) fn send(&self, request: &Request) -> Result<(), LinkError> {
        self.0.write(Channel::Control, &request.to_payload())
    }

    /// The next thing that the agent says; none if it says nothing for so long.
    pub(crate) fn hear(&self, limit: Duration) -> Result<Option<Heard>, LinkError> {
        match self.0.heard.pop(limit) {
            Popped::Item(heard) => Ok(Some(heard)),
            Popped::TimedOut => Ok(None),
            Popped::Closed => Err(lock(&self.0.fault).take().unwrap_or(LinkError::Ended)),
        }
    }

    /// The store channel as a stream; to be had before the store is asked for, so that no byte is lost.
    pub(crate) fn store(&self) -> Stream {
        let queue = Arc::new(Queue::new(STORE));
        if let Some(old) = lock(&self.0.store).replace(Arc::clone(&queue)) {
            old.close();
        }
        let (shared, link) = (Arc::clone(&self.0), Arc::clone(&self.0));
        let reader = StoreReader { queue, rest: Vec::new(), at: 0 };
        Stream::new(reader, StoreWriter(link), move || shared.end())
    }

    /// Ends the session.
    pub(crate) fn hang_up(&self) {
        self.0.end();
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.0.end();
    }
}

impl Shared {
    fn write(&self, channel: Channel, payload: &[u8]) -> Result<(), LinkError> {
        let mut writer = lock(&self.writer);
        write_frame(&mut *writer, channel, payload)?;
        Ok(writer.flush().map_err(FrameError::from)?)
    }

    fn end(&self) {
        (self.hang_up)();
        self.close();
    }

    fn close(&self) {
        self.heard.close();
        if let Some(store) = lock(&self.store).as_ref() {
            store.close();
        }
    }

    /// Reads until the stream ends or nobody listens any more.
    fn read(&self, mut reader: impl Read) -> Result<(), LinkError> {
        greeting(&mut reader)?;
        while let Some(frame) = read_frame(&mut reader)? {
            let weight = frame.payload.len() + ITEM;
            let taken = match frame.channel {
                Channel::Control => {
                    let reply = Reply::from_payload(&frame.payload)?;
                    if matches!(reply, Reply::StoreEnded { .. }) {
                        lock(&self.store).take().inspect(|store| store.close());
                    }
                    self.heard.push(Heard::Reply(reply), weight)
                }
                Channel::Store => {
                    self.store_bytes(frame.payload, weight)?;
                    true
                }
                channel => self.heard.push(Heard::Bytes(channel, frame.payload), weight),
            };
            if !taken {
                break;
            }
        }
        Ok(())
    }

    /// Bytes that nobody wants any more are dropped.
    fn store_bytes(&self, bytes: Vec<u8>, weight: usize) -> Result<(), LinkError> {
        let store = lock(&self.store).clone().ok_or(LinkError::Store)?;
        let _wanted = store.push(bytes, weight);
        Ok(())
    }
}

/// Reads the magic. The stream begins with it: what a login shell prints before is dropped where the agent is started.
fn greeting(reader: &mut impl Read) -> Result<(), LinkError> {
    let mut said = Vec::new();
    reader.take(MAGIC.len() as u64).read_to_end(&mut said).map_err(FrameError::from)?;
    if said == MAGIC {
        return Ok(());
    }
    // Only for the message, so it does not matter if no more can be read.
    let _more = reader.take(NOISE).read_to_end(&mut said);
    Err(LinkError::NoAgent(said))
}

struct StoreReader {
    queue: Arc<Queue<Vec<u8>>>,
    rest: Vec<u8>,
    at: usize,
}

impl Read for StoreReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.at >= self.rest.len() {
            match self.queue.pop(STORE_SILENCE) {
                Popped::Item(bytes) => (self.rest, self.at) = (bytes, 0),
                Popped::TimedOut => return Err(io::ErrorKind::TimedOut.into()),
                Popped::Closed => return Ok(0),
            }
        }
        let count = buffer.len().min(self.rest.len() - self.at);
        buffer[..count].copy_from_slice(&self.rest[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }
}

impl Drop for StoreReader {
    fn drop(&mut self) {
        self.queue.close();
    }
}

struct StoreWriter(Arc<Shared>);

impl Write for StoreWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let piece = &bytes[..bytes.len().min(MAX_DATA)];
        self.0.write(Channel::Store, piece).map_err(io::Error::other)?;
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
