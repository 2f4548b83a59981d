//! A running child, and what is left of it when it has ended.

use std::io::{self, PipeReader, PipeWriter, Write};
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt;
use std::process::{self, ChildStdin, ChildStdout, ExitStatus};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, kill_process_group, pidfd_open, waitid,
};

use crate::capture::{Capture, Captured};
use crate::command::{Command, Input, Output};
use crate::error::Error;
use crate::spawner::Bond;

/// After the child itself has ended its streams may be held open by a grandchild; it gets this long.
const STREAM_GRACE: Duration = Duration::from_secs(5);

/// A started child. Dropping it kills its whole process group, unless it was started detached.
#[derive(Debug)]
pub struct Child {
    process: process::Child,
    command: String,
    /// Held open for the child; the child sees the end of its input when this is dropped.
    pipe: Option<ChildStdin>,
    /// What the child writes, until the caller takes it; not read here.
    output: Option<ChildStdout>,
    stdout: Option<Capture>,
    stderr: Option<Capture>,
    limit: usize,
    timeout: Option<Duration>,
    bond: Bond,
}

/// A child that has ended.
#[derive(Debug)]
pub struct Finished {
    /// How it ended.
    pub status: ExitStatus,
    /// All of standard output, if it was captured.
    pub stdout: Vec<u8>,
    /// The end of standard error, if it was captured.
    pub stderr: Vec<u8>,
}

impl std::fmt::Debug for Capture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Capture")
    }
}

impl Child {
    pub(crate) fn follow(mut process: process::Child, display: String, command: Command) -> Self {
        let pipe = process.stdin.take().and_then(|stdin| match command.input {
            Input::Bytes(bytes) => {
                feed(stdin, bytes);
                None
            }
            _ => Some(stdin),
        });
        let (output, captured) = match command.stdout {
            Output::Pipe => (process.stdout.take(), None),
            _ => (None, process.stdout.take()),
        };
        let stdout = captured.map(|stream| Capture::head(stream, command.limit));
        let stderr = process.stderr.take().map(Capture::tail);
        let Command { limit, timeout, bond, .. } = command;
        Self { process, command: display, pipe, output, stdout, stderr, limit, timeout, bond }
    }

    /// The process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Whether it still runs. One that has ended is left to be reaped by [`Child::wait`] or on drop.
    pub fn is_running(&mut self) -> bool {
        let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        let ended = Pid::from_raw(self.process.id().cast_signed()).map(|pid| waitid(WaitId::Pid(pid), look));
        matches!(ended, Some(Ok(None)))
    }

    /// Kills the child and all of its process group.
    pub fn kill(&mut self) {
        self.kill_group();
    }

    /// The child must not have been reaped: until then its id, and so its group's, is nobody else's.
    fn kill_group(&mut self) {
        if self.bond == Bond::Detached {
            return;
        }
        if let Some(group) = Pid::from_raw(self.process.id().cast_signed()) {
            // A child in the foreground has no group of its own, and one that is gone is what we want.
            let _gone = kill_process_group(group, Signal::KILL);
        }
        let _gone = self.process.kill();
    }

    /// Waits for the end, within the command's time limit.
    pub fn wait(mut self) -> Result<Finished, Error> {
        let deadline = self.timeout.map(|limit| Instant::now() + limit);
        let in_time = self.wait_until(deadline).map_err(|source| self.lost(source))?;
        // In time or not: what the child left running in its group ends with it, while the group is still its own.
        self.kill_group();
        let status = self.process.wait().map_err(|source| self.lost(source))?;
        let (stdout, stderr) = (self.stdout.take(), self.stderr.take());
        let stderr = self.collect(stderr)?.bytes;
        if let (false, Some(limit)) = (in_time, self.timeout) {
            let stderr = String::from_utf8_lossy(&stderr).into_owned();
            return Err(Error::TimedOut { command: self.command.clone(), limit, stderr });
        }
        let stdout = self.collect(stdout)?;
        if stdout.overflowed {
            return Err(Error::TooMuchOutput { command: self.command.clone(), limit: self.limit });
        }
        Ok(Finished { status, stdout: stdout.bytes, stderr })
    }

    /// Waits for the child itself; false if `deadline` came first.
    fn wait_until(&mut self, deadline: Option<Instant>) -> io::Result<bool> {
        let pid = Pid::from_raw(self.process.id().cast_signed());
        let pid = pid.ok_or(io::ErrorKind::InvalidData)?;
        let handle = pidfd_open(pid, PidfdFlags::empty())?;
        loop {
            let left = deadline.map(|at| at.saturating_duration_since(Instant::now()));
            let timeout =
                left.map(Timespec::try_from).transpose().map_err(|_| io::ErrorKind::InvalidInput)?;
            match poll(&mut [PollFd::new(&handle, PollFlags::IN)], timeout.as_ref()) {
                Ok(0) => return Ok(false),
                Ok(_) => return Ok(true),
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn collect(&self, capture: Option<Capture>) -> Result<Captured, Error> {
        let nothing = Captured { bytes: Vec::new(), overflowed: false };
        let Some(capture) = capture else { return Ok(nothing) };
        match capture.finish(Some(Instant::now() + STREAM_GRACE)) {
            Some(read) => read.map_err(|source| self.lost(source)),
            // Half an output must not pass for a whole one.
            None => Err(self.lost(io::Error::other("a process that it started keeps its output open"))),
        }
    }

    fn lost(&self, source: io::Error) -> Error {
        Error::Lost { command: self.command.clone(), source }
    }

    /// Takes what the child writes and what it reads, for a conversation; nothing unless the command has
    /// [`Output::Pipe`] and [`Command::input_pipe`], or if they were taken before. The child lives no longer
    /// than this value all the same.
    pub fn take_streams(&mut self) -> Option<(PipeReader, PipeWriter)> {
        let output = self.output.take()?;
        let input = self.pipe.take()?;
        Some((OwnedFd::from(output).into(), OwnedFd::from(input).into()))
    }

    /// Writes to the child's standard input, which must be a pipe that nobody has taken.
    pub fn write_input(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let written = match &mut self.pipe {
            Some(pipe) => pipe.write_all(bytes).and_then(|()| pipe.flush()),
            None => Err(io::ErrorKind::NotConnected.into()),
        };
        written.map_err(|source| self.lost(source))
    }

    /// Lets go of the child's standard input, so that it reads the end of it.
    pub fn close_input(&mut self) {
        self.pipe = None;
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if self.bond == Bond::Owned {
            self.kill();
            // Reap it; a process that was just killed needs no long wait.
            let _status = self.process.wait();
        }
    }
}

/// Writes from a thread of its own: a child that writes before it has read everything must not stop us.
fn feed(mut stdin: ChildStdin, bytes: Vec<u8>) {
    thread::spawn(move || {
        // A child that ends without reading its input is judged by its status, not by this.
        let _unread = stdin.write_all(&bytes);
    });
}

impl Finished {
    /// Fails unless the status is 0; `command` names it in the error.
    pub fn check(self, command: &str) -> Result<Self, Error> {
        if self.status.success() {
            return Ok(self);
        }
        let stderr = String::from_utf8_lossy(&self.stderr).into_owned();
        Err(Error::Failed { command: command.to_owned(), status: self.status, stderr })
    }

    /// Standard output as text, without the white space at its end.
    #[must_use]
    pub fn stdout_text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).trim_end().to_owned()
    }

    /// Standard error as text, without the white space at its end.
    #[must_use]
    pub fn stderr_text(&self) -> String {
        String::from_utf8_lossy(&self.stderr).trim_end().to_owned()
    }

    /// The exit code as a shell would give it: 128 and the signal's number for a killed child.
    #[must_use]
    pub fn code(&self) -> i32 {
        self.status.code().unwrap_or_else(|| 128 + self.status.signal().unwrap_or(0))
    }
}
