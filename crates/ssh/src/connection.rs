//! A connection that stands, and the programs that are started over it.

use std::fmt;
use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use run::{Child, Command};

use crate::address::{Address, Remote};
use crate::arguments;
use crate::channel::{Channel, Control, Reader};
use crate::error::{Error, Told};
use crate::program::{Elevation, Program};
use crate::secret::Ask;
use crate::sockets::{Sockets, random_hex};
use crate::start::{self, Event, Outcome, Started, Until};
use crate::tail::Tail;

/// The most that [`Connection::output`] holds of standard output, in bytes.
const OUTPUT_LIMIT: usize = 1024 * 1024;

/// How long the last lines of an ended master may take to arrive.
const SAID_LIMIT: Duration = Duration::from_secs(1);

/// A login that stands; this machine itself for `local`. Clones are the same connection. It ends when the last clone
/// and the last [`Control`] of a program that runs over it are dropped.
#[derive(Clone, Debug)]
pub struct Connection {
    link: Link,
    /// How long a program may take to speak, or to end.
    answer: Duration,
}

/// A small command that has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// Its exit code, as a shell would give it.
    pub code: i32,
    /// All of its standard output.
    pub stdout: Vec<u8>,
    /// The last lines of its standard error.
    pub stderr: String,
}

/// What programs are started over.
#[derive(Clone, Debug)]
pub(crate) enum Link {
    Local,
    Master(Arc<Master>),
}

/// The `ssh` that holds a connection.
pub(crate) struct Master {
    pub(crate) remote: Remote,
    pub(crate) socket: PathBuf,
    pub(crate) child: Mutex<Child>,
    pub(crate) tail: Tail,
    /// The directory of the socket must not go before.
    pub(crate) _sockets: Sockets,
}

impl Connection {
    pub(crate) fn new(link: Link, answer: Duration) -> Self {
        Self { link, answer }
    }

    /// The address that led here.
    #[must_use]
    pub fn address(&self) -> Address {
        self.link.address()
    }

    /// Whether it stands, as far as we know: a cut is noticed only after the silence that [`crate::Reach`] allows.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.link.is_alive()
    }

    /// Starts a program that speaks first and returns once it has. By then it is known to run, elevated as asked.
    ///
    /// The stream begins at `greeting`, and what a talkative login shell printed before is dropped; without a greeting
    /// it begins at the first byte. `ask` is called if sudo wants a password.
    ///
    /// Fails with [`Error::NotFound`], [`Error::NotExecutable`], [`Error::Refused`] where the program did not begin,
    /// [`Error::Ended`] or [`Error::Silent`] where it did not greet, [`Error::Lost`] where the connection ended.
    pub fn open(&self, program: &Program, greeting: &[u8], ask: &mut Ask<'_>) -> Result<Channel, Error> {
        let prompt = prompt_for(program)?;
        let started = self.start(program, prompt.as_deref())?;
        match started.follow(Until::Greeting(greeting.to_vec()), self.answer, ask)? {
            Outcome::Spoke(read, rest, writer, control) => {
                Ok(Channel { reader: Reader::new(read, rest), writer, control })
            }
            Outcome::Closed(_, control) => {
                let code = control.end(Some(self.answer))?;
                Err(control.failure(code))
            }
        }
    }

    /// Starts a program that waits for our first word, and returns at once.
    ///
    /// Since nobody can tell when sudo has stopped listening and such a program has begun, no password can be given to
    /// it: sudo fails where it needs one. Whether it began shows at its end: [`Control::check`].
    pub fn open_quiet(&self, program: &Program) -> Result<Channel, Error> {
        let Started { control, reader, writer, .. } = self.start(program, None)?;
        Ok(Channel { reader: Reader::new(Vec::new(), reader), writer, control })
    }

    /// Runs a small command that reads nothing to its end. (Its input is at its end; under sudo, which may read a
    /// password from it, it stays open and empty.) An exit code other than 0 is no error, unless it means that
    /// the command never began; more than 1 MiB of output is one.
    pub fn output(&self, program: &Program, ask: &mut Ask<'_>) -> Result<Output, Error> {
        let prompt = prompt_for(program)?;
        let mut started = self.start(program, prompt.as_deref())?;
        if prompt.is_none() {
            // The end of the input at once. (sudo's must stay open for the password.)
            started.writer = io::pipe().map_err(|source| started.control.streams(source))?.1;
        }
        let outcome = started.follow(Until::End(OUTPUT_LIMIT), self.answer, ask)?;
        let (stdout, control) = match outcome {
            Outcome::Closed(stdout, control) | Outcome::Spoke(stdout, _, _, control) => (stdout, control),
        };
        let code = control.end(Some(self.answer))?;
        match control.unbegun(code) {
            Some(error) => Err(error),
            None => Ok(Output { code, stdout, stderr: control.stderr() }),
        }
    }

    fn start(&self, program: &Program, prompt: Option<&str>) -> Result<Started, Error> {
        let (sender, events) = start::events();
        let failed = |source| Error::Streams { told: Box::new(self.link.told(program)), source };
        let (stderr, theirs) = io::pipe().map_err(failed)?;
        let command = self.link.command(&arguments::words(program, prompt));
        let command = command.input_pipe().stdout(run::Output::Pipe);
        let child = command.stderr(run::Output::File(OwnedFd::from(theirs).into())).spawn();
        let mut child = child.map_err(|error| self.not_started(program, error))?;
        let streams = child.take_streams();
        let prompted = sender.clone();
        let tail =
            Tail::follow(stderr, prompt.unwrap_or_default(), move || drop(prompted.send(Event::Prompt)));
        let control = Control::new(self.link.clone(), program, child, tail)?;
        let (reader, writer) = streams.ok_or_else(|| failed(io::ErrorKind::NotConnected.into()))?;
        Ok(Started { control, reader, writer, sender, events })
    }

    /// On this machine it is the system, not a shell, that does not find a program.
    fn not_started(&self, program: &Program, error: run::Error) -> Error {
        let run::Error::Start { source, .. } = &error else { return error.into() };
        if !matches!(self.link, Link::Local) {
            return error.into();
        }
        let told = Box::new(Told { said: source.to_string(), ..self.link.told(program) });
        match source.kind() {
            io::ErrorKind::NotFound => Error::NotFound(told),
            io::ErrorKind::PermissionDenied => Error::NotExecutable(told),
            _ => error.into(),
        }
    }
}

/// What sudo is to ask with: 128 random bits, so that no program says it by accident or on purpose.
fn prompt_for(program: &Program) -> Result<Option<String>, Error> {
    match program.elevation {
        Elevation::Sudo => Ok(Some(format!("lockstep-{}-", random_hex()?))),
        Elevation::None | Elevation::Run0 | Elevation::Doas => Ok(None),
    }
}

impl Link {
    fn address(&self) -> Address {
        match self {
            Self::Local => Address::Local,
            Self::Master(master) => Address::Remote(master.remote.clone()),
        }
    }

    fn command(&self, words: &[String]) -> Command {
        match (self, words) {
            (Self::Local, [name, arguments @ ..]) => Command::new(name).args(arguments),
            (Self::Local, []) => Command::new(""),
            (Self::Master(master), words) => {
                Command::new("ssh").args(arguments::session(&master.remote, &master.socket, words))
            }
        }
    }

    /// What errors about this program are about.
    pub(crate) fn told(&self, program: &Program) -> Told {
        let name = program.name().to_owned();
        Told { address: self.address(), program: name, command: program.to_string(), said: String::new() }
    }

    fn is_alive(&self) -> bool {
        match self {
            Self::Local => true,
            Self::Master(master) => master.is_alive(),
        }
    }

    /// Whether a program's strange end is the connection's.
    pub(crate) fn check(&self, told: &Told) -> Result<(), Error> {
        match self {
            Self::Master(master) if !master.is_alive() => {
                master.tail.wait_end(SAID_LIMIT);
                Err(Error::Lost(Box::new(Told { said: master.tail.text(), ..told.clone() })))
            }
            Self::Local | Self::Master(_) => Ok(()),
        }
    }
}

impl Master {
    pub(crate) fn is_running(&self) -> bool {
        self.child.lock().unwrap_or_else(PoisonError::into_inner).is_running()
    }

    /// A master that ends closes its socket before the programs' streams, so this is right by the time that they end.
    fn is_alive(&self) -> bool {
        self.is_running() && UnixStream::connect(&self.socket).is_ok()
    }
}

impl Drop for Master {
    fn drop(&mut self) {
        self.child.lock().unwrap_or_else(PoisonError::into_inner).kill();
        // The directory goes with its last user, and this with it.
        let _gone = fs::remove_file(&self.socket);
    }
}

impl fmt::Debug for Master {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Master")
            .field("remote", &self.remote)
            .field("socket", &self.socket)
            .finish_non_exhaustive()
    }
}
