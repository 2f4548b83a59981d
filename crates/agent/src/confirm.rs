//! Confirmations and wishes to go back: from a session, over a socket, to whoever owns the activation.

use std::{
    fs::{self, Permissions},
    io,
    os::unix::{
        fs::PermissionsExt,
        net::{UnixListener, UnixStream},
    },
    sync::mpsc::{self, Receiver, Sender},
    thread,
    time::Duration,
};

use activate::{Event, Reply as Told};
use host::{Wish, paths};
use order::Mode;
use report::Ending;
use session::{Answer, Channel, Reply, Request, read_frame, write_frame};

use crate::{facts, words};

/// How long a session may take to say what it wants.
const SAY: Duration = Duration::from_secs(5);
/// How long an answer may take: the boot loader's installer has no limit, so this is long.
const ANSWER: Duration = Duration::from_secs(3600);

/// Listens for wishes until the process ends. Without a socket nobody can confirm, and the activation goes back.
pub(crate) fn listen() -> Receiver<Wish> {
    let (sender, receiver) = mpsc::channel();
    // A socket that a dead owner left behind.
    let _gone = fs::remove_file(paths::SOCKET);
    if let Ok(listener) = UnixListener::bind(paths::SOCKET) {
        let _strict_already = fs::set_permissions(paths::SOCKET, Permissions::from_mode(0o600));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let sender = sender.clone();
                thread::spawn(move || drop(serve(stream, &sender)));
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

fn serve(mut stream: UnixStream, wishes: &Sender<Wish>) -> io::Result<()> {
    stream.set_read_timeout(Some(SAY))?;
    let Ok(Some(frame)) = read_frame(&mut stream) else { return Ok(()) };
    let Ok(request) = Request::from_payload(&frame.payload) else { return Ok(()) };
    let event = match request {
        Request::Confirm { order, nonce } => Event::Confirm { order, nonce },
        Request::Abort { .. } => Event::Abort,
        _ => return Ok(()),
    };
    let (answer, told) = mpsc::channel();
    let sent = wishes.send(Wish { event, answer });
    let told = sent.ok().and_then(|()| told.recv_timeout(ANSWER).ok()).unwrap_or(Told::TooLate);
    let reply = Reply::Answer(translate(told));
    // A session that has gone needs no answer.
    let _gone = write_frame(&mut stream, Channel::Control, &reply.to_payload());
    Ok(())
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
    match ask(request) {
        Ok(Some(reply)) => reply,
        Ok(None) | Err(_) => Reply::Answer(without_owner(request)),
    }
}

fn ask(request: &Request) -> io::Result<Option<Reply>> {
    let mut stream = UnixStream::connect(paths::SOCKET)?;
    stream.set_read_timeout(Some(ANSWER))?;
    write_frame(&mut stream, Channel::Control, &request.to_payload()).map_err(io::Error::other)?;
    let frame = read_frame(&mut stream).map_err(io::Error::other)?;
    Ok(frame.and_then(|frame| Reply::from_payload(&frame.payload).ok()))
}

fn without_owner(request: &Request) -> Answer {
    let asked = match request {
        Request::Confirm { order, .. } | Request::Abort { order } => Some(order),
        _ => None,
    };
    let ended = facts::record().filter(|record| Some(&record.order.id) == asked);
    Answer::TooLate(ended.and_then(|record| words::ending(&record.state)))
}
