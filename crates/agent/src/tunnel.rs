//! The store channel: Nix's daemon on this host, spoken to by the operator through the session.

use std::{
    io::{self, Write},
    net::Shutdown,
    os::unix::net::UnixStream,
    path::Path,
};

use session::{Channel, Reply};

use crate::outbox::Outbox;

/// A connection to the daemon whose answers go to the operator.
pub(crate) struct Tunnel {
    socket: UnixStream,
}

impl Tunnel {
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        Ok(Self { socket: UnixStream::connect(path)? })
    }

    /// What passes the daemon's answers on until it hangs up; for a thread of its own.
    pub(crate) fn answers<W: Write>(&self) -> io::Result<impl FnOnce(&Outbox<W>) + use<W>> {
        let socket = self.socket.try_clone()?;
        Ok(move |outbox: &Outbox<W>| {
            let error = outbox.pass_on(Channel::Store, socket).err().map(|error| error.to_string());
            // If this cannot be said either, the operator is gone and the session ends by itself.
            let _gone = outbox.reply(&Reply::StoreEnded { error });
        })
    }

    /// Passes bytes of the operator on; waits for the daemon if it is slow, and so does the operator.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.socket.write_all(bytes)
    }
}

impl Drop for Tunnel {
    fn drop(&mut self) {
        // A daemon that hung up first has closed it already.
        let _closed = self.socket.shutdown(Shutdown::Both);
    }
}
