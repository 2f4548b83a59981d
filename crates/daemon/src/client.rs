//! The client's end of a connection, and how a request is exchanged for an answer.

use std::{
    fmt,
    io::{self, Write},
    panic,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use store::store_path::StoreDir;

use crate::{
    error::{Error, Failure, ReadError},
    handshake::{ConnectError, Peer, ProtocolVersion, handshake},
    log::{LogEvent, LogSink},
    operation::Operation,
    stderr,
    stream::{Ending, Hangup, Stream},
    wire::{Encoder, WireReader},
};

mod add;
mod build;
mod garbage;
mod nar;
mod options;
mod paths;
mod roots;
mod upload;

pub use self::{
    add::{AddPolicy, ContentMethod},
    build::{BuildMode, BuildResult, BuildStatus, Missing},
    garbage::{Collected, GarbageAction},
    nar::NarError,
    options::Options,
    roots::Root,
    upload::UploadError,
};

/// A request up to this size fits into what the system buffers of any socket or pipe, so that it can be
/// written whatever the daemon does meanwhile.
const SMALL_REQUEST: usize = 32 << 10;

/// What became of what was sent, and what the daemon told meanwhile.
type Exchanged<T, E> = (Result<T, E>, Result<(), Failure>);

/// A connection to a daemon. It does one thing at a time and blocks while it does.
///
/// Every error [says](Error::connection_usable) whether the connection can still be used; if it cannot, all
/// further operations are refused with [`Error::GivenUp`].
pub struct Client {
    reader: WireReader,
    writer: Box<dyn Write + Send>,
    ending: Ending,
    log: LogSink,
    store_dir: StoreDir,
    peer: Peer,
    /// The operation under way, or that in which the connection was lost.
    unfinished: Option<Operation>,
}

impl Client {
    /// Greets the daemon at the other end of `stream`, whose store lies in `store_dir`.
    ///
    /// It waits as long as the daemon takes; with [`Stream::hangup`] one that says nothing can be left.
    pub fn connect(stream: Stream, store_dir: StoreDir) -> Result<Self, ConnectError> {
        Self::connect_with(stream, store_dir, ProtocolVersion::NEWEST)
    }

    /// As [`Client::connect`], but speaks no later version than `newest`.
    pub fn connect_with(
        stream: Stream,
        store_dir: StoreDir,
        newest: ProtocolVersion,
    ) -> Result<Self, ConnectError> {
        let Stream { reader, mut writer, ending } = stream;
        let mut reader = WireReader::new(reader, store_dir.clone());
        let peer = handshake(&mut reader, &mut writer, newest)?;
        Ok(Self { reader, writer, ending, log: LogSink::default(), store_dir, peer, unfinished: None })
    }

    /// Who the daemon is.
    #[must_use]
    pub fn peer(&self) -> &Peer {
        &self.peer
    }

    /// The directory of the daemon's store.
    #[must_use]
    pub fn store_dir(&self) -> &StoreDir {
        &self.store_dir
    }

    /// Whether operations are still accepted.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        self.unfinished.is_none()
    }

    /// Ends the connection from any thread.
    #[must_use]
    pub fn hangup(&self) -> Hangup {
        self.ending.hangup()
    }

    /// Gives `handler` all that the daemon tells from now on, as it comes. While data is sent it is called on
    /// another thread. It must not wait for the thread that uses the client.
    pub fn on_log(&mut self, handler: impl FnMut(LogEvent) + Send + 'static) {
        self.log = LogSink::new(handler);
    }

    /// Sends the request for `operation` that `write` encodes, and reads the answer with `read`.
    fn ask<T>(
        &mut self,
        operation: Operation,
        write: impl FnOnce(&mut Encoder<'_>),
        read: impl FnOnce(&mut WireReader) -> Result<T, ReadError>,
    ) -> Result<T, Error> {
        self.begin(operation)?;
        let request = self.encode(operation, write);
        let answer = self.exchange(&request).and_then(|()| Ok(read(&mut self.reader)?));
        self.end(operation, answer)
    }

    /// Marks the connection as lost until `operation` has come to its end.
    fn begin(&mut self, operation: Operation) -> Result<(), Error> {
        self.check_usable(operation)?;
        self.unfinished = Some(operation);
        Ok(())
    }

    fn check_usable(&self, operation: Operation) -> Result<(), Error> {
        match self.unfinished {
            Some(given_up_by) => Err(Error::GivenUp { operation, given_up_by }),
            None => Ok(()),
        }
    }

    /// The connection is good again if the answer was read to its end or the daemon has said no.
    fn end<T>(&mut self, operation: Operation, answer: Result<T, Failure>) -> Result<T, Error> {
        let answer = answer.map_err(|failure| Error::new(operation, failure));
        if answer.as_ref().err().is_none_or(Error::connection_usable) {
            self.unfinished = None;
        }
        answer
    }

    fn encode(&self, operation: Operation, write: impl FnOnce(&mut Encoder<'_>)) -> Vec<u8> {
        let mut encoder = Encoder::new(&self.store_dir);
        encoder.number(operation.number());
        write(&mut encoder);
        encoder.into_bytes()
    }

    /// Sends what is no longer than [`SMALL_REQUEST`].
    fn send(&mut self, requests: &[u8]) -> Result<(), Failure> {
        self.writer.write_all(requests).and_then(|()| self.writer.flush()).map_err(Failure::Write)
    }

    /// Sends a request and reads what the daemon tells until the answer follows.
    fn exchange(&mut self, request: &[u8]) -> Result<(), Failure> {
        if request.len() <= SMALL_REQUEST {
            self.send(request)?;
            return stderr::drain(&mut self.reader, &mut self.log);
        }
        let (sent, told) = self.send_while_listening(|writer, _| {
            writer.write_all(request)?;
            writer.flush()
        })?;
        match sent {
            Ok(()) => told,
            Err(error) => Err(Failure::unsent(error, told)),
        }
    }

    /// Runs `send` while another thread reads what the daemon tells until the answer follows. So the daemon
    /// can always go on, whatever it tells before it reads on; and as soon as one side fails the other does
    /// not wait.
    ///
    /// The flag that `send` is given is set when the daemon has failed, so that it can stop early. It is not run
    /// if no thread can be had.
    fn send_while_listening<T, E>(
        &mut self,
        send: impl FnOnce(&mut (dyn Write + Send), &AtomicBool) -> Result<T, E>,
    ) -> Result<Exchanged<T, E>, Failure> {
        let failed = AtomicBool::new(false);
        let Self { reader, writer, ending, log, .. } = self;
        thread::scope(|scope| {
            let thread = thread::Builder::new().name("daemon-listener".to_owned());
            let listen = || {
                let unheard = ending.armed();
                let told = stderr::drain(reader, log);
                failed.store(told.is_err(), Ordering::Relaxed);
                if matches!(told, Ok(()) | Err(Failure::Daemon(_))) {
                    unheard.disarm();
                }
                told
            };
            let listener = thread.spawn_scoped(scope, listen).map_err(Failure::Write)?;
            let unsent = ending.armed();
            let sent = send(writer, &failed);
            if sent.is_ok() {
                unsent.disarm();
            } else {
                drop(unsent);
                // Closes our direction, which ends a program behind pipes even if hanging up only ends what started
                // it. Only now: a writer with a buffer writes when it is dropped, and must not wait for the daemon.
                *writer = Box::new(io::sink());
            }
            Ok((sent, listener.join().unwrap_or_else(|panic| panic::resume_unwind(panic))))
        })
    }
}

/// Shows who the daemon is, nothing that was said.
impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("peer", &self.peer)
            .field("unfinished", &self.unfinished)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
