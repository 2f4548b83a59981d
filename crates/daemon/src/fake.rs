//! A daemon that says what a test has written down, for the tests of this crate.

use std::{
    io::{self, Cursor, Read, Write},
    os::unix::net::UnixStream,
    sync::{Arc, Mutex},
    thread::{self, JoinHandle},
};

use store::store_path::{StoreDir, StorePath};

use crate::{
    client::Client,
    error::ReadError,
    handshake::{ConnectError, Trust},
    stderr::{ERROR, LAST, NEXT},
    stream::Stream,
    wire::{Encoder, WireReader},
};

/// Bytes of the greeting that a client sends: magic number, version, no features and two obsolete numbers.
pub(crate) fn client_greeting_len(minor: u8) -> usize {
    if minor >= 38 { 40 } else { 32 }
}

/// What is written by `write`.
pub(crate) fn say(write: impl FnOnce(&mut Encoder<'_>)) -> Vec<u8> {
    let store_dir = StoreDir::default();
    let mut encoder = Encoder::new(&store_dir);
    write(&mut encoder);
    encoder.into_bytes()
}

/// `LAST`, then what is written by `write`.
pub(crate) fn answer(write: impl FnOnce(&mut Encoder<'_>)) -> Vec<u8> {
    say(|encoder| {
        encoder.number(LAST);
        write(encoder);
    })
}

/// An error of a daemon, with a trace.
pub(crate) fn daemon_error(message: &str) -> Vec<u8> {
    say(|encoder| {
        encoder.number(ERROR);
        encoder.string(b"Error");
        encoder.number(0);
        encoder.string(b"Error");
        encoder.string(message.as_bytes());
        encoder.number(0);
        encoder.number(1);
        encoder.number(0);
        encoder.string(b"while \x1b[1mtesting\x1b[0m");
    })
}

/// A log message.
pub(crate) fn log_message(message: &str) -> Vec<u8> {
    say(|encoder| {
        encoder.number(NEXT);
        encoder.string(message.as_bytes());
    })
}

/// The greeting of a daemon that speaks 1.`minor` and trusts the client.
pub(crate) fn greeting(minor: u8) -> Vec<u8> {
    greeting_of(minor, Trust::Trusted)
}

fn greeting_of(minor: u8, trust: Trust) -> Vec<u8> {
    say(|encoder| {
        encoder.number(0x6478_696f);
        encoder.number(0x100 + u64::from(minor));
        if minor >= 38 {
            encoder.list(["a-feature"], |encoder, feature| encoder.string(feature.as_bytes()));
        }
        encoder.string(b"2.99.0");
        encoder.number(match trust {
            Trust::Unknown => 0,
            Trust::Trusted => 1,
            Trust::NotTrusted => 2,
        });
        encoder.number(LAST);
    })
}

/// What a client has sent.
#[derive(Clone, Default)]
pub(crate) struct Sent(Arc<Mutex<Vec<u8>>>);

impl Sent {
    pub(crate) fn take(&self) -> Vec<u8> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

impl Write for Sent {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A connection to a daemon that says `says` from the first byte on, whatever it hears.
pub(crate) fn connect(says: Vec<u8>) -> (Result<Client, ConnectError>, Sent) {
    let sent = Sent::default();
    let stream = Stream::new(Cursor::new(says), sent.clone(), || {});
    (Client::connect(stream, StoreDir::default()), sent)
}

/// A client of a daemon that greets with 1.`minor` and then says `says`.
pub(crate) fn client(minor: u8, says: &[u8]) -> (Client, Sent) {
    let (client, sent) = connect([&greeting(minor), says].concat());
    let client = client.unwrap();
    assert_eq!(sent.take().len(), client_greeting_len(minor));
    (client, sent)
}

/// As [`client`], of a daemon that speaks 1.38 and trusts the client that much.
pub(crate) fn client_of(trust: Trust, says: &[u8]) -> (Client, Sent) {
    let (client, sent) = connect([&greeting_of(38, trust), says].concat());
    sent.take();
    (client.unwrap(), sent)
}

/// A client of a daemon on a socket, which greets with 1.38 and then does what `play` does on another thread.
pub(crate) fn socket_client<T: Send + 'static>(
    play: impl FnOnce(UnixStream) -> T + Send + 'static,
) -> (Client, JoinHandle<T>) {
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    let daemon = thread::spawn(move || {
        theirs.write_all(&greeting(38)).unwrap();
        let mut heard = vec![0; client_greeting_len(38)];
        theirs.read_exact(&mut heard).unwrap();
        play(theirs)
    });
    (Client::connect(Stream::socket(ours).unwrap(), StoreDir::default()).unwrap(), daemon)
}

/// A reader of these bytes.
pub(crate) fn reader(bytes: Vec<u8>) -> WireReader {
    WireReader::new(Box::new(Cursor::new(bytes)), StoreDir::default())
}

/// What went wrong, in the words of a user's message.
pub(crate) fn describe(error: &ReadError) -> String {
    match error {
        ReadError::Protocol(error) => error.to_string(),
        ReadError::Ended { offset, expected } => format!("ended at {offset}, expected {expected}"),
        ReadError::Io(error) => error.to_string(),
        ReadError::ContentAddress { path, found } => format!("{path} has {found}"),
    }
}

/// A store path with this name.
pub(crate) fn path(name: &str) -> StorePath {
    format!("00000000000000000000000000000000-{name}").parse().unwrap()
}

/// A NAR of a file with these contents.
pub(crate) fn file_nar(contents: &[u8]) -> Vec<u8> {
    say(|encoder| {
        for word in ["nix-archive-1", "(", "type", "regular", "contents"] {
            encoder.string(word.as_bytes());
        }
        encoder.string(contents);
        encoder.string(b")");
    })
}
