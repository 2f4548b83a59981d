//! A running program: two byte streams, and a handle that outlives them.

use std::fmt;
use std::io::{self, Chain, Cursor, PipeReader, PipeWriter, Read};
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use run::{Child, Finished};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use crate::address::Address;
use crate::connection::Link;
use crate::error::{Error, Told};
use crate::program::{Elevation, Program};
use crate::reading::{self, Verdict};
use crate::tail::Tail;

/// A program that ended may have left somebody who holds its standard error; its last lines get this long.
const SAID_LIMIT: Duration = Duration::from_secs(1);

/// A conversation with a program. Made for taking apart:
///
/// ```no_run
/// # fn stream<R: std::io::Read + Send + 'static, W: std::io::Write + Send + 'static>(
/// #     _reader: R, _writer: W, _hang_up: impl Fn() + Send + Sync + 'static) {}
/// # fn talk(channel: ssh::Channel) {
/// let ssh::Channel { reader, writer, control } = channel;
/// let later = control.clone();
/// stream(reader, writer, move || control.hang_up());
/// let code = later.wait();
/// # }
/// ```
#[derive(Debug)]
pub struct Channel {
    /// What the program writes, from the greeting on.
    pub reader: Reader,
    /// What the program reads; it sees the end of its input when this is dropped.
    pub writer: PipeWriter,
    /// The program's end, and what it says on standard error. The program is killed when the last clone is dropped.
    pub control: Control,
}

/// The stream that a program writes.
#[derive(Debug)]
pub struct Reader(Chain<Cursor<Vec<u8>>, PipeReader>);

impl Reader {
    /// What was read already comes first.
    pub(crate) fn new(read: Vec<u8>, rest: PipeReader) -> Self {
        Self(Cursor::new(read).chain(rest))
    }
}

impl Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

/// How a running program is waited for and ended, from any thread. Clones are the same.
#[derive(Clone)]
pub struct Control(Arc<Inner>);

struct Inner {
    /// Whom to ask whether the connection is still there; `None` on this machine. It must not end before us.
    link: Link,
    told: Told,
    elevation: Elevation,
    process: Mutex<Process>,
    /// Readable once the process has ended.
    ended: OwnedFd,
    tail: Tail,
}

enum Process {
    Running(Child),
    Ended(i32),
    /// Following it failed.
    Unknown,
}

impl Control {
    pub(crate) fn new(link: Link, program: &Program, child: Child, tail: Tail) -> Result<Self, Error> {
        let told = link.told(program);
        let pid = Pid::from_raw(child.id().cast_signed()).ok_or(io::Error::from(io::ErrorKind::InvalidData));
        // The child was not reaped, so the number is its own.
        let ended = pid.and_then(|pid| Ok(pidfd_open(pid, PidfdFlags::empty())?));
        let ended = ended.map_err(|source| Error::Streams { told: Box::new(told.clone()), source })?;
        let process = Mutex::new(Process::Running(child));
        Ok(Self(Arc::new(Inner { link, told, elevation: program.elevation, process, ended, tail })))
    }

    /// Ends the program's streams, in both directions; a program that reads or writes them ends by that. May be called
    /// from any thread and more than once.
    pub fn hang_up(&self) {
        if let Process::Running(child) = &mut *self.process() {
            child.kill();
        }
    }

    /// The last lines of standard error until now, at most 16 KiB.
    #[must_use]
    pub fn stderr(&self) -> String {
        self.0.tail.text()
    }

    /// Waits for the program's end and returns its exit code as a shell would give it. 255 from a host is also what
    /// comes of a program that a signal killed. Fails with [`Error::Lost`] when the connection ended first.
    pub fn wait(&self) -> Result<i32, Error> {
        self.end(None)
    }

    /// Waits for the program's end; any other exit code than 0 is an error, typed where the program never began.
    pub fn check(&self) -> Result<(), Error> {
        match self.wait()? {
            0 => Ok(()),
            code => Err(self.failure(code)),
        }
    }

    /// Waits for the end, at most `limit`: then the program is hung up on.
    pub(crate) fn end(&self, limit: Option<Duration>) -> Result<i32, Error> {
        match self.wait_until(limit.map(|limit| Instant::now() + limit)) {
            Ok(true) => {}
            Ok(false) => {
                self.hang_up();
                return Err(Error::Silent { limit: limit.unwrap_or_default(), told: Box::new(self.told()) });
            }
            Err(source) => return Err(self.streams(source)),
        }
        let code = self.reap()?;
        self.0.tail.wait_end(SAID_LIMIT);
        if code == 255 {
            if reading::session_refused(code, &self.stderr()) {
                return Err(Error::NoSession(Box::new(self.told())));
            }
            self.0.link.check(&self.0.told)?;
        }
        Ok(code)
    }

    fn reap(&self) -> Result<i32, Error> {
        let mut process = self.process();
        match std::mem::replace(&mut *process, Process::Unknown) {
            Process::Running(child) => {
                let code = child.wait().map(|finished: Finished| finished.code())?;
                *process = Process::Ended(code);
                Ok(code)
            }
            Process::Ended(code) => {
                *process = Process::Ended(code);
                Ok(code)
            }
            Process::Unknown => Err(self.streams(io::ErrorKind::NotConnected.into())),
        }
    }

    /// Waits without holding the process, so that others can hang up; false if `deadline` came first.
    fn wait_until(&self, deadline: Option<Instant>) -> io::Result<bool> {
        loop {
            let left = deadline.map(|at| at.saturating_duration_since(Instant::now()));
            let left = left.map(Timespec::try_from).transpose().map_err(|_| io::ErrorKind::InvalidInput)?;
            match poll(&mut [PollFd::new(&self.0.ended, PollFlags::IN)], left.as_ref()) {
                Ok(0) => return Ok(false),
                Ok(_) => return Ok(true),
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// The error for a program that ended with this, too early or wrongly.
    pub(crate) fn failure(&self, code: i32) -> Error {
        self.unbegun(code).unwrap_or_else(|| Error::Ended { code, told: Box::new(self.told()) })
    }

    /// The error if this end means that the program never began.
    pub(crate) fn unbegun(&self, code: i32) -> Option<Error> {
        let told = self.told();
        let verdict = reading::verdict(self.0.elevation, code, &told.said)?;
        let told = Box::new(told);
        Some(match verdict {
            Verdict::NotFound => Error::NotFound(told),
            Verdict::NotExecutable => Error::NotExecutable(told),
            Verdict::Refused(refusal) => Error::Refused { elevation: self.0.elevation, refusal, told },
        })
    }

    pub(crate) fn elevation(&self) -> Elevation {
        self.0.elevation
    }

    pub(crate) fn address(&self) -> &Address {
        &self.0.told.address
    }

    /// What errors are about, with the last lines until now.
    pub(crate) fn told(&self) -> Told {
        Told { said: self.stderr(), ..self.0.told.clone() }
    }

    pub(crate) fn streams(&self, source: io::Error) -> Error {
        Error::Streams { told: Box::new(self.told()), source }
    }

    fn process(&self) -> std::sync::MutexGuard<'_, Process> {
        self.0.process.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Control").field(&self.0.told).finish()
    }
}
