//! A program that the operator wants to run: no shell, no input, its output passed on as it comes.

use std::{
    fs::File,
    io::{self, PipeReader, Write, pipe},
    os::{fd::OwnedFd, unix::process::ExitStatusExt},
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use report::{Cause, CauseKind};
use run::{Child, Command, Error, Output};
use session::{Channel, Exec, Exit, Reply};

use crate::outbox::Outbox;

/// How often the program, its time and its session are looked at.
const LOOK: Duration = Duration::from_millis(10);

/// Runs the program to its end, or until `stop`, and says what the operator is to be told.
pub(crate) fn exec<W: Write + Send>(wish: &Exec, outbox: &Outbox<W>, stop: &AtomicBool) -> Reply {
    run(wish, outbox, stop).map_or_else(
        |error| {
            let program = wish.words.first().map_or("", String::as_str);
            let text = format!("'{program}' cannot be run on this host: {}", host::chain(&error));
            Reply::Refused(Cause::new(CauseKind::Refused, text))
        },
        Reply::Exited,
    )
}

fn run<W: Write + Send>(wish: &Exec, outbox: &Outbox<W>, stop: &AtomicBool) -> Result<Exit, Error> {
    let io_error = |source| Error::Start { command: wish.words.join(" "), source };
    let (out, out_end) = output().map_err(io_error)?;
    let (err, err_end) = output().map_err(io_error)?;
    let (program, arguments) = wish.words.split_first().unzip();
    let child = Command::new(program.map_or("", String::as_str))
        .args(arguments.unwrap_or_default())
        .stdout(out_end)
        .stderr(err_end)
        .spawn()?;
    thread::scope(|scope| {
        scope.spawn(|| drop(outbox.pass_on(Channel::Out, out)));
        scope.spawn(|| drop(outbox.pass_on(Channel::Err, err)));
        wait(child, wish.limit, stop)
    })
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
