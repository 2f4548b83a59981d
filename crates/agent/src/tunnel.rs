//! The store channel: Nix's daemon on this host, spoken to by the operator through the session.

use std::{
    io::{self, Write},
    net::Shutdown,
    os::unix::net::UnixStream,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
};

use session::{Channel, Reply};

use crate::outbox::Outbox;

/// A connection to the daemon.
pub(crate) struct Connection {
    socket: UnixStream,
    answers: UnixStream,
}

/// A connection whose answers go to the operator.
pub(crate) struct Tunnel {
    socket: UnixStream,
    answers: JoinHandle<()>,
    /// Set before the operator is told that the daemon has hung up.
    ended: Arc<AtomicBool>,
}

impl Tunnel {
    pub(crate) fn open(path: &Path) -> io::Result<Connection> {
        let socket = UnixStream::connect(path)?;
        Ok(Connection { answers: socket.try_clone()?, socket })
    }

    /// Whether the daemon has not hung up.
    pub(crate) fn is_open(&self) -> bool {
        !self.ended.load(Ordering::Acquire)
    }

    /// Passes bytes of the operator on; waits for the daemon if it is slow, and so does the operator.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.socket.write_all(bytes)
    }

    /// Hangs up; the last of the answers, and that they have ended, are told before this returns.
    pub(crate) fn close(self) {
        // A daemon that hung up first has closed it already.
        let _closed = self.socket.shutdown(Shutdown::Both);
        // A thread that panicked has nothing more to tell.
        let _ended = self.answers.join();
    }
}

impl Connection {
    /// Passes the daemon's answers on until it hangs up.
    pub(crate) fn pass_on<W: Write + Send + 'static>(self, outbox: Arc<Outbox<W>>) -> Tunnel {
        let Self { socket, answers } = self;
        let ended = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&ended);
        let answers = thread::spawn(move || {
            let error = outbox.pass_on(Channel::Store, answers).err().map(|error| error.to_string());
            told.store(true, Ordering::Release);
            // If this cannot be said either, the operator is gone and the session ends by itself.
            let _gone = outbox.reply(&Reply::StoreEnded { error });
        });
        Tunnel { socket, answers, ended }
    }
}
