//! The two directions of a connection, and how to end it.

use std::{
    fmt,
    io::{self, Read, Write},
    net::Shutdown,
    os::unix::net::UnixStream,
    path::Path,
    sync::{Arc, Weak},
};

/// Where the daemon of a host listens, unless the host was told otherwise.
pub const DEFAULT_SOCKET: &str = "/nix/var/nix/daemon-socket/socket";

/// A connection to a daemon, whatever it runs over.
pub struct Stream {
    pub(crate) reader: Box<dyn Read + Send>,
    pub(crate) writer: Box<dyn Write + Send>,
    pub(crate) ending: Ending,
}

impl Stream {
    /// A connection that reads here and writes there, such as the two pipes of `nix-daemon --stdio`.
    ///
    /// `hang_up` must end both directions, so that a thread that is stuck in reading or writing gets an error
    /// or the end of the stream: kill the process behind the pipes, shut the socket down. It may be called
    /// more than once and from any thread.
    pub fn new(
        reader: impl Read + Send + 'static,
        writer: impl Write + Send + 'static,
        hang_up: impl Fn() + Send + Sync + 'static,
    ) -> Self {
        Self { reader: Box::new(reader), writer: Box::new(writer), ending: Ending(Arc::new(hang_up)) }
    }

    /// A connection over a socket.
    pub fn socket(socket: UnixStream) -> io::Result<Self> {
        let (reader, writer) = (socket.try_clone()?, socket.try_clone()?);
        let hang_up = move || {
            // A socket that is gone already is as good as one that was shut down.
            let _gone = socket.shutdown(Shutdown::Both);
        };
        Ok(Self::new(reader, writer, hang_up))
    }

    /// Connects to the socket at `path`, [`DEFAULT_SOCKET`] for example.
    pub fn connect(path: &Path) -> io::Result<Self> {
        Self::socket(UnixStream::connect(path)?)
    }

    /// Ends the connection from any thread, while a client is [made](crate::Client::connect) of it as well as
    /// later.
    #[must_use]
    pub fn hangup(&self) -> Hangup {
        self.ending.hangup()
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream").finish_non_exhaustive()
    }
}

/// How a connection is ended. It belongs to the connection and goes with it.
pub(crate) struct Ending(Arc<dyn Fn() + Send + Sync>);

impl Ending {
    pub(crate) fn hangup(&self) -> Hangup {
        Hangup(Arc::downgrade(&self.0))
    }

    /// Hangs up when the result is dropped, unless it was disarmed: no way out of a block, panics
    /// included, leaves the other thread waiting.
    pub(crate) fn armed(&self) -> ArmedEnding<'_> {
        ArmedEnding(Some(self))
    }
}

/// Ends a connection from any thread, so that a peer that is stuck can be left. It does not keep the connection
/// open.
#[derive(Clone)]
pub struct Hangup(Weak<dyn Fn() + Send + Sync>);

impl Hangup {
    /// Ends both directions. The operation under way fails, and every later one. Of a connection that is gone
    /// there is nothing to end.
    pub fn hang_up(&self) {
        if let Some(hang_up) = self.0.upgrade() {
            hang_up();
        }
    }
}

impl fmt::Debug for Hangup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hangup")
    }
}

/// See [`Ending::armed`].
pub(crate) struct ArmedEnding<'a>(Option<&'a Ending>);

impl ArmedEnding<'_> {
    pub(crate) fn disarm(mut self) {
        self.0 = None;
    }
}

impl Drop for ArmedEnding<'_> {
    fn drop(&mut self) {
        if let Some(Ending(hang_up)) = self.0 {
            hang_up();
        }
    }
}
