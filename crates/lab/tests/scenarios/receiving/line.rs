//! A session with an agent, whose channel of paths is a stream.

use std::{
    io::{self, PipeWriter, Read, Write},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, Sender, channel},
    },
    thread,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use lab::Host;
use order::Nonce;
use session::{Channel, MAX_DATA, Reply, Request, read_frame, write_frame};
use transfer::{LanesWriter, Streams};

use crate::agents::{Leaving, Session};

/// How long an agent may take to answer.
const ANSWER: Duration = Duration::from_secs(60);

/// Where the bytes of the channel go, while it is open.
type Inbox = Arc<Mutex<Option<Sender<Vec<u8>>>>>;

/// A session.
pub(super) struct Line {
    input: Arc<Mutex<Option<PipeWriter>>>,
    inbox: Inbox,
    replies: Mutex<Receiver<Reply>>,
    console: Arc<Mutex<Leaving>>,
}

/// Where another session joins a transfer.
pub(super) struct Lane {
    name: Nonce,
    join: Sender<Box<dyn Write + Send>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Line {
    pub(super) fn start(host: &Host<'_>) -> Result<Self> {
        let (input, output, console) = Session::start(host)?.into_parts();
        let (inbox, (to_replies, replies)) = (Inbox::default(), channel());
        let bytes = Arc::clone(&inbox);
        thread::spawn(move || {
            // Whoever waits notices that it has ended.
            let _ended = sort(output, &bytes, &to_replies);
            lock(&bytes).take();
        });
        let input = Arc::new(Mutex::new(Some(input)));
        Ok(Self { input, inbox, replies: Mutex::new(replies), console: Arc::new(Mutex::new(console)) })
    }

    /// Begins a transfer; another session may carry a part of it.
    pub(super) fn streams(&self) -> Result<(Streams, Lane)> {
        let name = name();
        let streams = self.raw_streams(&name)?;
        let (join, joining) = channel();
        let to = Box::new(LanesWriter::new(streams.to, joining));
        Ok((Streams { to, ..streams }, Lane { name, join }))
    }

    /// Carries a part of what goes to another session, which has answered its question.
    pub(super) fn join(&self, lane: Lane) -> Result<()> {
        let reply = self.ask(&Request::Lane { lane: lane.name })?;
        ensure!(reply == Reply::LaneReady, "{reply:?}");
        lane.join.send(Box::new(Frames(Arc::clone(&self.input)))).ok().context("the transfer goes on")
    }

    /// The channel as it is, without blocks.
    pub(super) fn raw_streams(&self, lane: &Nonce) -> Result<Streams> {
        let (to_bytes, bytes) = channel();
        *lock(&self.inbox) = Some(to_bytes);
        self.write(Channel::Control, &Request::Receive { lane: lane.clone() }.to_payload())?;
        let (input, console) = (Arc::clone(&self.input), Arc::clone(&self.console));
        Ok(Streams {
            to: Box::new(Frames(Arc::clone(&self.input))),
            from: Box::new(Bytes { bytes, frame: io::Cursor::default() }),
            hang_up: Arc::new(move || hang_up(&input, &console)),
        })
    }

    pub(super) fn ask(&self, request: &Request) -> Result<Reply> {
        self.write(Channel::Control, &request.to_payload())?;
        lock(&self.replies).recv_timeout(ANSWER).context("the agent did not answer")
    }

    fn write(&self, channel: Channel, payload: &[u8]) -> Result<()> {
        let mut input = lock(&self.input);
        Ok(write_frame(input.as_mut().context("it was cut")?, channel, payload)?)
    }

    /// Cuts it in the middle of whatever it is: the agent reads the end of it. Not while something is written.
    pub(super) fn cut(&self) {
        lock(&self.input).take();
    }
}

/// A name that no other transfer has.
pub(super) fn name() -> Nonce {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let mut dice = [0; 32];
    dice[..8].copy_from_slice(&NUMBER.fetch_add(1, Ordering::Relaxed).to_le_bytes());
    Nonce::from_random(dice)
}

fn hang_up(input: &Mutex<Option<PipeWriter>>, console: &Mutex<Leaving>) {
    // In this order: who writes holds the pipe, and goes on when nobody reads any more.
    lock(console).kill();
    lock(input).take();
}

fn sort(mut output: impl Read, inbox: &Inbox, replies: &Sender<Reply>) -> Result<()> {
    while let Some(frame) = read_frame(&mut output)? {
        match frame.channel {
            Channel::Control => replies.send(Reply::from_payload(&frame.payload)?)?,
            Channel::Paths => {
                // What nobody waits for any more is dropped.
                let _unwanted = lock(inbox).as_ref().map(|inbox| inbox.send(frame.payload));
            }
            _ => {}
        }
    }
    Ok(())
}

/// What is written goes into frames.
struct Frames(Arc<Mutex<Option<PipeWriter>>>);

impl Write for Frames {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut input = lock(&self.0);
        let input = input.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        let count = bytes.len().min(MAX_DATA);
        write_frame(input, Channel::Paths, &bytes[..count]).map_err(io::Error::other)?;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What came in frames.
struct Bytes {
    bytes: Receiver<Vec<u8>>,
    frame: io::Cursor<Vec<u8>>,
}

impl Read for Bytes {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            let count = self.frame.read(into)?;
            if count > 0 || into.is_empty() {
                return Ok(count);
            }
            match self.bytes.recv() {
                Ok(frame) => self.frame = io::Cursor::new(frame),
                Err(_) => return Ok(0),
            }
        }
    }
}
