//! The paths channel: a transfer in a thread of its own, fed by the session, and perhaps by a second one.

use std::{
    fs,
    io::{self, Read, Write},
    os::unix::net::{UnixListener, UnixStream},
    path::{Path, PathBuf},
    sync::{
        Arc,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use daemon::{Client, Stream};
use host::paths;
use order::Nonce;
use session::Channel;
use store::store_path::StoreDir;
use transfer::{Join, LanesReader, Place, receive};

use crate::outbox::Outbox;

/// Frames that may wait; the operator waits beyond that.
const WAITING: usize = 4;
/// How long another session may take to come, once bytes are due from it.
const JOIN: Duration = Duration::from_secs(60);
/// How often it is looked for.
const LOOK: Duration = Duration::from_millis(10);

/// A transfer that goes on, or has ended; what has come is kept as long as this value lasts.
pub(crate) struct Receiving {
    frames: SyncSender<Vec<u8>>,
    _thread: JoinHandle<Option<Client>>,
}

impl Receiving {
    /// Begins to take in paths.
    pub(crate) fn start<W: Write + Send + 'static>(outbox: &Arc<Outbox<W>>, lane: &Nonce) -> Self {
        let (frames, incoming) = sync_channel(WAITING);
        // Without it everything comes through this session.
        let door = Door::open(lane).ok();
        let answers = Answers(Arc::clone(outbox));
        let thread = thread::spawn(move || {
            let place = Place {
                connect: Arc::new(|| Stream::connect(Path::new(paths::NIX_DAEMON))),
                store: StoreDir::default(),
                spool: Path::new(paths::INCOMING),
            };
            let join: Join = Box::new(move || Ok(Box::new(door.ok_or(io::ErrorKind::NotFound)?.wait()?)));
            let incoming = Incoming { incoming, frame: Vec::new(), taken: 0 };
            receive(LanesReader::new(incoming, join), answers, &place)
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

/// Where another session of this operator's comes in; only root gets there.
struct Door {
    path: PathBuf,
    listener: UnixListener,
}

impl Door {
    fn open(lane: &Nonce) -> io::Result<Self> {
        host::make_runtime()?;
        let path = door(lane);
        let listener = UnixListener::bind(&path)?;
        listener.set_nonblocking(true)?;
        Ok(Self { path, listener })
    }

    fn wait(self) -> io::Result<UnixStream> {
        let start = Instant::now();
        loop {
            match self.listener.accept() {
                Ok((stream, _)) => {
                    stream.set_nonblocking(false)?;
                    return Ok(stream);
                }
                Err(error) if error.kind() != io::ErrorKind::WouldBlock => return Err(error),
                Err(_) if start.elapsed() > JOIN => return Err(io::ErrorKind::TimedOut.into()),
                Err(_) => thread::sleep(LOOK),
            }
        }
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        // What stays is gone with the next boot.
        let _stays = fs::remove_file(&self.path);
    }
}

fn door(lane: &Nonce) -> PathBuf {
    Path::new(paths::RUN).join(format!("{}.lane", lane.as_str()))
}

/// The way to the transfer of another session.
pub(crate) fn join(lane: &Nonce) -> io::Result<UnixStream> {
    UnixStream::connect(door(lane))
}
