//! From the start of a program to its first word: who may write when, and who asks for a password.
//!
//! sudo reads a password only if it needs one, and says so before with a prompt that nobody else knows. Whatever is
//! written earlier might be taken for the password, or the password for the program's first input; so nothing is
//! written until the prompt has come or the program has spoken.

use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::channel::Control;
use crate::error::{Error, Refusal};
use crate::secret::{Ask, PasswordRequest, Secret};

/// A greeting stands within this many bytes: a login shell may print something before.
const NOISE: usize = 64 * 1024;

/// What happens while a program begins.
pub(crate) enum Event {
    /// sudo wants a password.
    Prompt,
    /// The output that was asked for has come, and the rest of it is still to be read.
    Spoke(Vec<u8>, PipeReader),
    /// The output ended, with this.
    Closed(Vec<u8>),
    /// The output is larger than this many bytes, and still not what was asked for.
    TooMuch(usize),
    /// The output cannot be read.
    Failed(io::Error),
}

/// What is read before the start is over.
pub(crate) enum Until {
    /// These bytes; any byte if there are none. What came before them is dropped.
    Greeting(Vec<u8>),
    /// The end of the output, at most so many bytes.
    End(usize),
}

/// A program that has been started.
pub(crate) struct Started {
    pub(crate) control: Control,
    pub(crate) reader: PipeReader,
    pub(crate) writer: PipeWriter,
    pub(crate) sender: Sender<Event>,
    pub(crate) events: Receiver<Event>,
}

/// What a start came to.
pub(crate) enum Outcome {
    Spoke(Vec<u8>, PipeReader, PipeWriter, Control),
    Closed(Vec<u8>, Control),
}

impl Started {
    /// Follows the program until it has said what was asked for, answering sudo on the way. `limit` is the time that
    /// the program has; that of the person who types a password does not count.
    pub(crate) fn follow(self, until: Until, limit: Duration, ask: &mut Ask<'_>) -> Result<Outcome, Error> {
        let Self { control, reader, mut writer, sender, events } = self;
        thread::spawn(move || drop(sender.send(read(reader, &until))));
        let mut deadline = Instant::now() + limit;
        let mut asked = false;
        loop {
            match events.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(Event::Spoke(read, rest)) => return Ok(Outcome::Spoke(read, rest, writer, control)),
                Ok(Event::Closed(read)) => return Ok(Outcome::Closed(read, control)),
                Ok(Event::Prompt) if asked => return Err(refused(&control, Refusal::WrongPassword)),
                Ok(Event::Prompt) => {
                    asked = true;
                    answer(&control, &mut writer, ask)?;
                    deadline = Instant::now() + limit;
                }
                Ok(Event::TooMuch(limit)) => return Err(too_much(&control, limit)),
                Ok(Event::Failed(source)) => return Err(control.streams(source)),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    control.hang_up();
                    return Err(Error::Silent { limit, told: Box::new(control.told()) });
                }
            }
        }
    }
}

/// Asks the operator and hands the password to sudo.
fn answer(control: &Control, writer: &mut PipeWriter, ask: &mut Ask<'_>) -> Result<(), Error> {
    let request = PasswordRequest { address: control.address().clone(), command: control.told().command };
    let Some(secret) = ask(&request) else { return Err(refused(control, Refusal::PasswordNeeded)) };
    send(writer, &secret).map_err(|source| control.streams(source))
}

/// In one piece: sudo reads up to the end of the line.
fn send(writer: &mut PipeWriter, secret: &Secret) -> io::Result<()> {
    writer.write_all(secret.bytes())?;
    writer.write_all(b"\n")
}

fn refused(control: &Control, refusal: Refusal) -> Error {
    control.hang_up();
    Error::Refused { elevation: control.elevation(), refusal, told: Box::new(control.told()) }
}

fn too_much(control: &Control, limit: usize) -> Error {
    control.hang_up();
    Error::TooMuch { limit, told: Box::new(control.told()) }
}

/// The events of a new program; the sender is for whoever sees the prompt.
pub(crate) fn events() -> (Sender<Event>, Receiver<Event>) {
    channel()
}

fn read(mut reader: PipeReader, until: &Until) -> Event {
    let (greeting, limit) = match until {
        Until::Greeting(greeting) => (Some(greeting.as_slice()), NOISE),
        Until::End(limit) => (None, *limit),
    };
    let (mut bytes, mut searched, mut chunk) = (Vec::new(), 0, [0; 16 * 1024]);
    loop {
        match reader.read(&mut chunk) {
            Ok(0) => return Event::Closed(bytes),
            Ok(read) => bytes.extend_from_slice(&chunk[..read]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Event::Failed(error),
        }
        if let Some(at) = greeting.and_then(|greeting| find(&bytes, greeting, &mut searched)) {
            return Event::Spoke(bytes.split_off(at), reader);
        }
        if bytes.len() > limit {
            return Event::TooMuch(limit);
        }
    }
}

/// Where the greeting begins. No byte is looked at twice for long, however small the pieces: it cannot begin before
/// `searched`.
fn find(bytes: &[u8], greeting: &[u8], searched: &mut usize) -> Option<usize> {
    if greeting.is_empty() {
        return (!bytes.is_empty()).then_some(0);
    }
    let from = *searched;
    *searched = (bytes.len() + 1).saturating_sub(greeting.len());
    bytes[from..].windows(greeting.len()).position(|window| window == greeting).map(|at| from + at)
}

#[cfg(test)]
mod tests {
    use super::find;

    #[test]
    fn a_greeting_is_found_in_any_pieces() {
        for (stream, expected) in
            [("hello", Some(0)), ("noise hehello", Some(8)), ("hell", None), ("", None), ("hel lo", None)]
        {
            for size in 1..8 {
                let mut searched = 0;
                let ends = (size..stream.len()).step_by(size).chain([stream.len()]);
                let found =
                    ends.into_iter().find_map(|end| find(&stream.as_bytes()[..end], b"hello", &mut searched));
                assert_eq!(found, expected, "{stream} by {size}");
            }
        }
        assert_eq!((find(b"", b"", &mut 0), find(b"x", b"", &mut 0)), (None, Some(0)));
    }
}
