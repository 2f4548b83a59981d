//! The two directions of a connection, and how to end it.

use std::{
    fmt,
    io::{self, Read, Write},
    net::Shutdown,
    os::unix::net::UnixStream,
    path::Path,
    sync::Arc,
};

/// Where the daemon of a host listens, unless the host was told otherwise.
pub const DEFAULT_SOCKET: &str = "/nix/var/nix/daemon-socket/socket";

/// A connection to a daemon, whatever it runs over.
pub struct Stream {
    pub(crate) reader: Box<dyn Read + Send>,
    pub(crate) writer: Box<dyn Write + Send>,
    pub(crate) hangup: Hangup,
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
        Self { reader: Box::new(reader), writer: Box::new(writer), hangup: Hangup(Arc::new(hang_up)) }
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
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream").finish_non_exhaustive()
    }
}

/// Ends a connection from any thread, so that a peer that is stuck can be left.
#[derive(Clone)]
pub struct Hangup(Arc<dyn Fn() + Send + Sync>);

impl Hangup {
    /// Ends both directions. The operation under way fails, and every later one.
    pub fn hang_up(&self) {
        (self.0)();
    }

    /// Hangs up when the result is dropped, unless it was disarmed: no way out of a block, panics
    /// included, leaves the other thread waiting.
    pub(crate) fn armed(&self) -> ArmedHangup<'_> {
        ArmedHangup(Some(self))
    }
}

impl fmt::Debug for Hangup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hangup")
    }
}

/// See [`Hangup::armed`].
pub(crate) struct ArmedHangup<'a>(Option<&'a Hangup>);

impl ArmedHangup<'_> {
    pub(crate) fn disarm(mut self) {
        self.0 = None;
    }
}

impl Drop for ArmedHangup<'_> {
    fn drop(&mut self) {
        if let Some(hangup) = self.0 {
            hangup.hang_up();
        }
    }
}
