//! A program that the operator wants to run: no shell, no input, its output passed on as it comes.

use std::{
    fs::File,
    io::{self, PipeReader, Read, Write, pipe},
    os::{fd::OwnedFd, unix::process::ExitStatusExt},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use report::{Cause, CauseKind};
use run::{Child, Command, Error, Output};
use session::{Channel, Exec, Exit, Reply};

use crate::outbox::Outbox;

/// How often the program, its time and its session are looked at.
const LOOK: Duration = Duration::from_millis(10);

/// How long the program's output is passed on after its end.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// Runs the program to its end, or until `stop`, and says what the operator is to be told.
pub(crate) fn exec<W: Write + Send + 'static>(
    wish: &Exec,
    outbox: &Arc<Outbox<W>>,
    stop: &AtomicBool,
) -> Reply {
    run(wish, outbox, stop).map_or_else(
        |error| {
            let program = wish.words.first().map_or("", String::as_str);
            let text = format!("'{program}' cannot be run on this host: {}", host::chain(&error));
            Reply::Refused(Cause::new(CauseKind::Refused, text))
        },
        Reply::Exited,
    )
}

fn run<W: Write + Send + 'static>(
    wish: &Exec,
    outbox: &Arc<Outbox<W>>,
    stop: &AtomicBool,
) -> Result<Exit, Error> {
    let io_error = |source| Error::Start { command: wish.words.join(" "), source };
    let (out, out_end) = output().map_err(io_error)?;
    let (err, err_end) = output().map_err(io_error)?;
    let command = host::operators_command(&wish.words).unwrap_or_else(|| Command::new(""));
    let child = command.stdout(out_end).stderr(err_end).spawn()?;
    let over = Arc::new(AtomicBool::new(false));
    let readers = [(Channel::Out, out), (Channel::Err, err)].map(|(channel, from)| {
        let outbox = Arc::clone(outbox);
        let from = UntilOver { from, over: Arc::clone(&over) };
        thread::spawn(move || drop(outbox.pass_on(channel, from)))
    });
    let exit = wait(child, wish.limit, stop);
    let ended = Instant::now();
    // What the program has left running may keep its output open for ever; what it says from now on may be lost.
    while readers.iter().any(|reader| !reader.is_finished()) && ended.elapsed() < LAST_WORDS {
        thread::sleep(LOOK);
    }
    over.store(true, Ordering::Relaxed);
    exit
}

/// A stream that ends when nobody is to hear more of it.
struct UntilOver<R> {
    from: R,
    over: Arc<AtomicBool>,
}

impl<R: Read> Read for UntilOver<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.from.read(buffer)?;
        Ok(if self.over.load(Ordering::Relaxed) { 0 } else { count })
    }
}

/// Waits for the program; kills it with all that it started when its time is over or nobody waits any more.
fn wait(mut child: Child, limit: Option<Duration>, stop: &AtomicBool) -> Result<Exit, Error> {
    let start = Instant::now();
    let mut late = false;
    while child.is_running() {
        late = limit.is_some_and(|limit| start.elapsed() >= limit);
        if late || stop.load(Ordering::Relaxed) {
            child.kill();
            break;
        }
        thread::sleep(LOOK);
    }
    let status = child.wait()?.status;
    Ok(match (late, status.code()) {
        (true, _) => Exit::TimedOut,
        (false, Some(code)) => Exit::Code(code),
        (false, None) => Exit::Signal(status.signal().unwrap_or(0)),
    })
}

/// A pipe whose writing end is the child's alone.
fn output() -> io::Result<(PipeReader, Output)> {
    let (reader, writer) = pipe()?;
    Ok((reader, Output::File(File::from(OwnedFd::from(writer)))))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A grandchild in a session of its own holds the output open; the end is told all the same.
    #[test]
    fn what_a_program_leaves_running_does_not_hold_up_its_end() {
        let find = |name: &str| {
            let folders = std::env::var("PATH").unwrap_or_default();
            folders.split(':').map(|folder| format!("{folder}/{name}")).find(|path| File::open(path).is_ok())
        };
        let (Some(shell), Some(setsid), Some(sleep)) = (find("sh"), find("setsid"), find("sleep")) else {
            return;
        };
        let script = format!("{setsid} {sleep} 100 & echo said; exit 3");
        let wish = Exec { words: vec![shell, "-c".to_owned(), script], limit: None };
        let outbox = Arc::new(Outbox::new(Vec::new()));
        assert_eq!(exec(&wish, &outbox, &AtomicBool::new(false)), Reply::Exited(Exit::Code(3)));
    }
}
