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
use transfer::Streams;

use crate::lock::lock;
use crate::queue::{Popped, Queue};

/// Bytes of replies and logs that may wait.
const HEARD: usize = 4 << 20;
/// Bytes of the answers on the channels of the store and of paths that may wait.
const WAITING: usize = 1 << 20;
/// What an item weighs beyond its bytes.
const ITEM: usize = 256;
/// Bytes that are read of what is no agent, for the message.
const NOISE: u64 = 4 << 10;
/// How long a channel may be silent: a build in a host's store may print nothing for long.
const SILENCE: Duration = Duration::from_secs(3600);

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
    #[error("bytes on a channel that was not opened")]
    Unopened,
}

fn noise(bytes: &[u8]) -> String {
    let text = crate::text::last_lines(&String::from_utf8_lossy(bytes)).join(" / ");
    if text.is_empty() { String::new() } else { format!("; it said: {text}") }
}

/// A session's streams. Dropping it ends the session.
pub(crate) struct Link(Arc<Shared>);

/// Where the bytes of a channel wait, once it is open.
#[derive(Default)]
struct Inbox(Mutex<Option<Arc<Queue<Vec<u8>>>>>);

impl Inbox {
    /// Opens it anew; whoever read from it before comes to an end.
    fn open(&self) -> Reader {
        let queue = Arc::new(Queue::new(WAITING));
        if let Some(old) = lock(&self.0).replace(Arc::clone(&queue)) {
            old.close();
        }
        Reader { queue, rest: Vec::new(), at: 0 }
    }

    fn close(&self) {
        if let Some(queue) = lock(&self.0).take() {
            queue.close();
        }
    }

    /// Bytes that nobody wants any more are dropped.
    fn put(&self, bytes: Vec<u8>) -> Result<(), LinkError> {
        let queue = lock(&self.0).clone().ok_or(LinkError::Unopened)?;
        let weight = bytes.len() + ITEM;
        let _wanted = queue.push(bytes, weight);
        Ok(())
    }
}

struct Shared {
    writer: Mutex<Box<dyn Write + Send>>,
    heard: Queue<Heard>,
    store: Inbox,
    paths: Inbox,
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
            store: Inbox::default(),
            paths: Inbox::default(),
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
        let reader = self.0.store.open();
        let shared = Arc::clone(&self.0);
        Stream::new(reader, Writer(Arc::clone(&self.0), Channel::Store), move || shared.end())
    }

    /// The channel of paths; to be had before it is announced, as the store's.
    pub(crate) fn paths(&self) -> Streams {
        let shared = Arc::clone(&self.0);
        Streams {
            to: Box::new(Writer(Arc::clone(&self.0), Channel::Paths)),
            from: Box::new(self.0.paths.open()),
            hang_up: Arc::new(move || shared.end()),
        }
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
        self.store.close();
        self.paths.close();
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
                        self.store.close();
                    }
                    self.heard.push(Heard::Reply(reply), weight)
                }
                Channel::Store => self.store.put(frame.payload).map(|()| true)?,
                Channel::Paths => self.paths.put(frame.payload).map(|()| true)?,
                channel => self.heard.push(Heard::Bytes(channel, frame.payload), weight),
            };
            if !taken {
                break;
            }
        }
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

/// The bytes of a channel as a stream.
struct Reader {
    queue: Arc<Queue<Vec<u8>>>,
    rest: Vec<u8>,
    at: usize,
}

impl Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.at >= self.rest.len() {
            match self.queue.pop(SILENCE) {
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

impl Drop for Reader {
    fn drop(&mut self) {
        self.queue.close();
    }
}

/// A stream whose bytes go to a channel.
struct Writer(Arc<Shared>, Channel);

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let piece = &bytes[..bytes.len().min(MAX_DATA)];
        self.0.write(self.1, piece).map_err(io::Error::other)?;
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
