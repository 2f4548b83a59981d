//! A program that the operator wants to run: no shell, no input, its output passed on as it comes.

use std::{
    fs::File,
    io::{self, PipeReader, Write, pipe},
    os::{fd::OwnedFd, unix::process::ExitStatusExt},
    thread,
};

use report::{Cause, CauseKind};
use run::{Command, Error, Output};
use session::{Channel, Exec, Exit, FrameError, Reply};

use crate::outbox::Outbox;

/// Runs the program to its end and tells the operator how it ended.
pub(crate) fn exec<W: Write + Send>(wish: &Exec, outbox: &Outbox<W>) -> Result<(), FrameError> {
    match run(wish, outbox) {
        Ok(exit) => outbox.reply(&Reply::Exited(exit)),
        Err(error) => {
            let program = wish.words.first().map_or("", String::as_str);
            let text = format!("'{program}' cannot be run on this host: {}", host::chain(&error));
            outbox.reply(&Reply::Refused(Cause::new(CauseKind::Refused, text)))
        }
    }
}

fn run<W: Write + Send>(wish: &Exec, outbox: &Outbox<W>) -> Result<Exit, Error> {
    let io_error = |source| Error::Start { command: wish.words.join(" "), source };
    let (out, out_end) = output().map_err(io_error)?;
    let (err, err_end) = output().map_err(io_error)?;
    let (program, arguments) = wish.words.split_first().unzip();
    let mut command = Command::new(program.map_or("", String::as_str))
        .args(arguments.unwrap_or_default())
        .stdout(out_end)
        .stderr(err_end);
    if let Some(limit) = wish.limit {
        command = command.timeout(limit);
    }
    let child = command.spawn()?;
    let ended = thread::scope(|scope| {
        // An operator who is gone is noticed by the session; the program runs to its end.
        scope.spawn(|| drop(outbox.pass_on(Channel::Out, out)));
        scope.spawn(|| drop(outbox.pass_on(Channel::Err, err)));
        child.wait()
    });
    match ended {
        Ok(finished) => Ok(match (finished.status.code(), finished.status.signal()) {
            (Some(code), _) => Exit::Code(code),
            (None, signal) => Exit::Signal(signal.unwrap_or(0)),
        }),
        Err(Error::TimedOut { .. }) => Ok(Exit::TimedOut),
        Err(error) => Err(error),
    }
}

/// A pipe whose writing end is the child's alone.
fn output() -> io::Result<(PipeReader, Output)> {
    let (reader, writer) = pipe()?;
    Ok((reader, Output::File(File::from(OwnedFd::from(writer)))))
}
