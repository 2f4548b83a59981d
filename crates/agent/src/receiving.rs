//! The paths channel: a transfer in a thread of its own, fed by the session.

use std::{
    io::{self, Read, Write},
    path::Path,
    sync::{
        Arc,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread::{self, JoinHandle},
};

use daemon::{Client, Stream};
use host::paths;
use session::Channel;
use store::store_path::StoreDir;
use transfer::{Place, receive};

use crate::outbox::Outbox;

/// Frames that may wait; the operator waits beyond that.
const WAITING: usize = 4;

/// A transfer that goes on, or has ended; what has come is kept as long as this value lasts.
pub(crate) struct Receiving {
    frames: SyncSender<Vec<u8>>,
    _thread: JoinHandle<Option<Client>>,
}

impl Receiving {
    /// Begins to take in paths.
    pub(crate) fn start<W: Write + Send + 'static>(outbox: &Arc<Outbox<W>>) -> Self {
        let (frames, incoming) = sync_channel(WAITING);
        let answers = Answers(Arc::clone(outbox));
        let thread = thread::spawn(move || {
            let place = Place {
                connect: Arc::new(|| Stream::connect(Path::new(paths::NIX_DAEMON))),
                store: StoreDir::default(),
                spool: Path::new(paths::INCOMING),
            };
            receive(Incoming { incoming, frame: Vec::new(), taken: 0 }, answers, &place)
        });
        Self { frames, _thread: thread }
    }

    /// Passes on what came; waits if the store is slow, and so does the operator.
    pub(crate) fn take(&self, bytes: Vec<u8>) {
        // What comes after the verdict is of no use any more.
        let _ended = self.frames.send(bytes);
    }
}

/// What the session has passed on.
struct Incoming {
    incoming: Receiver<Vec<u8>>,
    frame: Vec<u8>,
    taken: usize,
}

impl Read for Incoming {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.taken == self.frame.len() {
            match self.incoming.recv() {
                Ok(frame) => (self.frame, self.taken) = (frame, 0),
                Err(_) => return Ok(0),
            }
        }
        let count = into.len().min(self.frame.len() - self.taken);
        into[..count].copy_from_slice(&self.frame[self.taken..self.taken + count]);
        self.taken += count;
        Ok(count)
    }
}

/// The way back.
struct Answers<W>(Arc<Outbox<W>>);

impl<W: Write> Write for Answers<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.data(Channel::Paths, bytes).map_err(io::Error::other)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
