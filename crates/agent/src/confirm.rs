//! Confirmations and wishes to go back: from a session, over a socket, to whoever owns the activation.

use std::{
    fs::{self, Permissions},
    io::{self, Read},
    os::unix::{
        fs::PermissionsExt,
        net::{UnixListener, UnixStream},
    },
    sync::{
        Arc,
        mpsc::{self, Receiver, Sender},
    },
    thread,
    time::{Duration, Instant},
};

use activate::{Event, Phase, Record, Reply as Told};
use host::{Wish, paths};
use order::{Mode, OrderId};
use report::Ending;
use session::{Answer, Channel, Reply, Request, read_frame, write_frame};

use crate::{facts, owner, words};

/// How long a session may take to say what it wants.
const SAY: Duration = Duration::from_secs(5);
/// How long a session that was hung up on asks again, and how often.
const CROWDED: Duration = Duration::from_secs(20);
const AGAIN: Duration = Duration::from_millis(100);
/// How many sessions may ask at once.
const MOST: usize = 16;
/// How long an answer may take: the boot loader's installer has no limit, so this is long.
const ANSWER: Duration = Duration::from_secs(3600);

/// How long the end of an activation is waited for whose owner does not answer.
const END: Duration = Duration::from_secs(60);

/// Listens for wishes until the process ends. Without a socket nobody can confirm, and the activation goes back.
pub(crate) fn listen(order: &OrderId) -> Receiver<Wish> {
    let (sender, receiver) = mpsc::channel();
    let order = order.clone();
    let open = Arc::new(());
    // A socket that a dead owner left behind.
    let _gone = fs::remove_file(paths::SOCKET);
    if let Ok(listener) = UnixListener::bind(paths::SOCKET) {
        let _strict_already = fs::set_permissions(paths::SOCKET, Permissions::from_mode(0o600));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // Whoever comes beyond that is hung up on, and asks again.
                if Arc::strong_count(&open) > MOST {
                    continue;
                }
                let (sender, order, open) = (sender.clone(), order.clone(), Arc::clone(&open));
                thread::spawn(move || {
                    drop(serve(stream, &order, &sender));
                    drop(open);
                });
            }
        });
    }
    receiver
}

/// Nobody listens any more.
pub(crate) fn close() {
    // The next owner removes what is left.
    let _gone = fs::remove_file(paths::SOCKET);
}

fn serve(mut stream: UnixStream, mine: &OrderId, wishes: &Sender<Wish>) -> io::Result<()> {
    let mut hasty = Hasty { stream: &stream, until: Instant::now() + SAY };
    let Ok(Some(frame)) = read_frame(&mut hasty) else { return Ok(()) };
    let Ok(request) = Request::from_payload(&frame.payload) else { return Ok(()) };
    let event = match request {
        Request::Confirm { order, nonce } => Event::Confirm { order, nonce },
        Request::Abort { order } if order == *mine => Event::Abort,
        // The order that is meant is not this owner's: it has ended.
        Request::Abort { .. } => {
            let reply = Reply::Answer(without_owner(&request));
            let _gone = write_frame(&mut stream, Channel::Control, &reply.to_payload());
            return Ok(());
        }
        _ => return Ok(()),
    };
    let (answer, told) = mpsc::channel();
    let sent = wishes.send(Wish { event, answer });
    // Without an answer (the activation has ended meanwhile) the session looks at the journal itself.
    let Some(told) = sent.ok().and_then(|()| told.recv_timeout(ANSWER).ok()) else { return Ok(()) };
    let reply = Reply::Answer(translate(told));
    // A session that has gone needs no answer.
    let _gone = write_frame(&mut stream, Channel::Control, &reply.to_payload());
    Ok(())
}

/// A stream that must have been read by a certain time, however slowly its other end writes.
struct Hasty<'a> {
    stream: &'a UnixStream,
    until: Instant,
}

impl Read for Hasty<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        self.stream.set_read_timeout(Some(left))?;
        self.stream.read(buffer)
    }
}

fn translate(told: Told) -> Answer {
    let refused = |why: String| Answer::Refused { why };
    match told {
        Told::Confirmed => {
            let lasting = facts::record().is_some_and(|record| record.order.mode != Mode::Test);
            Answer::Done(Ending::Confirmed { lasting })
        }
        Told::Aborting => Answer::Aborting,
        Told::TooLate => Answer::TooLate(None),
        Told::WrongOrder => refused("it is for another order, or lacks its nonce".to_owned()),
        Told::TooEarly => refused("the activation has not ended; confirm when it has".to_owned()),
        Told::NotRunning { .. } => refused("another system runs".to_owned()),
        Told::NotCommitted { cause } => refused(format!("the system could not be made to last: {cause}")),
    }
}

/// Passes a session's [`Request::Confirm`] or [`Request::Abort`] on; the answer is from the owner, or from the journal
/// if there is none.
pub(crate) fn pass_on(request: &Request) -> Reply {
    let start = Instant::now();
    loop {
        match ask(request) {
            Ok(Some(reply)) => return reply,
            // An owner that lives and hung up has too many sessions at the moment, or is about to end.
            Ok(None) | Err(_) if start.elapsed() < CROWDED && has_owner(request) => thread::sleep(AGAIN),
            Ok(None) | Err(_) => return Reply::Answer(without_owner(request)),
        }
    }
}

fn has_owner(request: &Request) -> bool {
    facts::record().is_some_and(|record| {
        let id = &record.order.id;
        asked(request) == Some(id) && !record.state.phase().is_end() && owner::lives(id)
    })
}

fn ask(request: &Request) -> io::Result<Option<Reply>> {
    let mut stream = UnixStream::connect(paths::SOCKET)?;
    stream.set_read_timeout(Some(ANSWER))?;
    write_frame(&mut stream, Channel::Control, &request.to_payload()).map_err(io::Error::other)?;
    let frame = read_frame(&mut stream).map_err(io::Error::other)?;
    Ok(frame.and_then(|frame| Reply::from_payload(&frame.payload).ok()))
}

fn asked(request: &Request) -> Option<&OrderId> {
    match request {
        Request::Confirm { order, .. } | Request::Abort { order } => Some(order),
        _ => None,
    }
}

/// The answer without an owner that could give one: what the journal says, after a while if it has not ended.
fn without_owner(request: &Request) -> Answer {
    let start = Instant::now();
    loop {
        let record = facts::record().filter(|record| Some(&record.order.id) == asked(request));
        let is_open = record.as_ref().is_some_and(|record| !record.state.phase().is_end());
        if !is_open || start.elapsed() >= END {
            return from_journal(request, record.as_ref());
        }
        thread::sleep(AGAIN);
    }
}

/// What the record of the order, if it is still the journal's, says to a request.
fn from_journal(request: &Request, record: Option<&Record>) -> Answer {
    let Some(record) = record else { return Answer::TooLate(None) };
    let ending = words::ending(&record.state);
    let has_nonce = matches!(request, Request::Confirm { nonce, .. } if *nonce == record.order.nonce);
    match (record.state.phase(), ending) {
        (Phase::Confirmed, Some(ending)) if has_nonce => Answer::Done(ending),
        (_, Some(ending)) => Answer::TooLate(Some(ending)),
        (Phase::Reverting, None) => Answer::TooLate(None),
        (Phase::Committing, None) => Answer::Refused {
            why: "the system was confirmed and is being made to last; follow the order to see its end"
                .to_owned(),
        },
        (_, None) => {
            Answer::Refused { why: "the owner of the activation does not answer; try again".to_owned() }
        }
    }
}

#[cfg(test)]
mod tests;
