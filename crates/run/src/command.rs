//! What to run: a program, its arguments and where its streams go.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{self, Stdio};
use std::time::Duration;

use crate::child::{Child, Finished};
use crate::error::Error;
use crate::spawner::{self, Bond};

/// Standard output of a captured child is held up to this many bytes unless the caller says otherwise.
const DEFAULT_LIMIT: usize = 16 * 1024 * 1024;

/// Where an output stream of a child goes.
#[derive(Debug)]
pub enum Output {
    /// Held in memory, bounded: all of standard output, the end of standard error.
    Capture,
    /// Into a file; nobody has to read for the child to go on.
    File(File),
    /// Where ours goes.
    Inherit,
    /// Nowhere.
    Null,
    /// Standard output only: to the caller, who takes both pipes with [`Child::take_streams`]. Standard error
    /// is captured all the same.
    Pipe,
}

/// Where standard input of a child comes from.
#[derive(Debug)]
pub(crate) enum Input {
    Null,
    Bytes(Vec<u8>),
    Pipe,
    Inherit,
}

/// A program with its arguments, ready to run. Standard input is empty and output is captured unless set.
#[derive(Debug)]
pub struct Command {
    program: OsString,
    arguments: Vec<OsString>,
    environment: Vec<(OsString, Option<OsString>)>,
    clear_environment: bool,
    directory: Option<PathBuf>,
    pub(crate) input: Input,
    pub(crate) stdout: Output,
    pub(crate) stderr: Output,
    pub(crate) limit: usize,
    pub(crate) timeout: Option<Duration>,
    pub(crate) bond: Bond,
    foreground: bool,
}

impl Command {
    /// A command for `program`, looked up in `PATH` unless it holds a slash.
    pub fn new(program: impl AsRef<OsStr>) -> Self {
        Self {
            program: program.as_ref().to_owned(),
            arguments: Vec::new(),
            environment: Vec::new(),
            clear_environment: false,
            directory: None,
            input: Input::Null,
            stdout: Output::Capture,
            stderr: Output::Capture,
            limit: DEFAULT_LIMIT,
            timeout: None,
            bond: Bond::Owned,
            foreground: false,
        }
    }

    /// Adds one argument.
    #[must_use]
    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.arguments.push(argument.as_ref().to_owned());
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<A: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.arguments.extend(arguments.into_iter().map(|a| a.as_ref().to_owned()));
        self
    }

    /// Adds the words of another command, program first, as arguments: for wrappers such as `nsenter`.
    #[must_use]
    pub fn wrapping(self, inner: &Self) -> Self {
        self.arg(&inner.program).args(&inner.arguments)
    }

    /// Sets an environment variable.
    #[must_use]
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.environment.push((name.as_ref().to_owned(), Some(value.as_ref().to_owned())));
        self
    }

    /// Removes an environment variable.
    #[must_use]
    pub fn env_remove(mut self, name: impl AsRef<OsStr>) -> Self {
        self.environment.push((name.as_ref().to_owned(), None));
        self
    }

    /// Starts from an empty environment.
    #[must_use]
    pub fn env_clear(mut self) -> Self {
        self.clear_environment = true;
        self
    }

    /// Sets the working directory.
    #[must_use]
    pub fn current_dir(mut self, directory: impl AsRef<Path>) -> Self {
        self.directory = Some(directory.as_ref().to_owned());
        self
    }

    /// Feeds these bytes to standard input.
    #[must_use]
    pub fn input(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.input = Input::Bytes(bytes.into());
        self
    }

    /// Gives the child a pipe as standard input, held open by [`Child`] until it is dropped or taken with
    /// [`Child::take_streams`].
    #[must_use]
    pub fn input_pipe(mut self) -> Self {
        self.input = Input::Pipe;
        self
    }

    /// Sends standard output somewhere else than into memory.
    #[must_use]
    pub fn stdout(mut self, output: Output) -> Self {
        self.stdout = output;
        self
    }

    /// Sends standard error somewhere else than into memory.
    #[must_use]
    pub fn stderr(mut self, output: Output) -> Self {
        self.stderr = output;
        self
    }

    /// Holds at most this many bytes of standard output; more is an error.
    #[must_use]
    pub fn limit(mut self, bytes: usize) -> Self {
        self.limit = bytes;
        self
    }

    /// Kills the child's group when it is not done after this time.
    #[must_use]
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.timeout = Some(limit);
        self
    }

    /// Shares our terminal: all three streams are inherited and the child stays in our process group.
    #[must_use]
    pub fn foreground(mut self) -> Self {
        self.input = Input::Inherit;
        self.stdout = Output::Inherit;
        self.stderr = Output::Inherit;
        self.foreground = true;
        self
    }

    /// Lets the child outlive us, in a session of its own.
    #[must_use]
    pub fn detached(mut self) -> Self {
        self.bond = Bond::Detached;
        self
    }

    /// Runs to the end and fails unless the status is 0.
    pub fn run(self) -> Result<Finished, Error> {
        let command = self.to_string();
        self.output()?.check(&command)
    }

    /// Runs to the end and returns what came out, whatever the status.
    pub fn output(self) -> Result<Finished, Error> {
        self.spawn()?.wait()
    }

    /// Starts the child and returns at once.
    pub fn spawn(mut self) -> Result<Child, Error> {
        let display = self.to_string();
        let command = self.prepare();
        let child = spawner::spawn(command, self.bond)
            .map_err(|source| Error::Start { command: display.clone(), source })?;
        Ok(Child::follow(child, display, self))
    }

    /// Becomes the program, with our own streams; returns only if that failed.
    pub fn exec(self) -> Error {
        let mut this = self.foreground();
        let command = this.to_string();
        let source = this.prepare().exec();
        Error::Start { command, source }
    }

    fn prepare(&mut self) -> process::Command {
        #[expect(clippy::disallowed_methods, reason = "this is the door")]
        let mut command = process::Command::new(&self.program);
        command.args(&self.arguments);
        if self.clear_environment {
            command.env_clear();
        }
        for (name, value) in &self.environment {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        if let Some(directory) = &self.directory {
            command.current_dir(directory);
        }
        if !self.foreground && self.bond == Bond::Owned {
            command.process_group(0);
        }
        command.stdin(self.input.stdio());
        command.stdout(self.stdout.stdio()).stderr(self.stderr.stdio());
        command
    }
}

/// The command line for people: words that a shell would split stand in quotes.
impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = std::iter::once(&self.program).chain(&self.arguments);
        for (index, word) in words.enumerate() {
            let gap = if index == 0 { "" } else { " " };
            let word = word.to_string_lossy();
            let plain =
                !word.is_empty() && word.chars().all(|c| c.is_alphanumeric() || "-_./=:,+@%".contains(c));
            if plain { write!(f, "{gap}{word}")? } else { write!(f, "{gap}'{word}'")? }
        }
        Ok(())
    }
}

impl Input {
    fn stdio(&self) -> Stdio {
        match self {
            Self::Null => Stdio::null(),
            Self::Bytes(_) | Self::Pipe => Stdio::piped(),
            Self::Inherit => Stdio::inherit(),
        }
    }
}

impl Output {
    /// The stream for the child; a file is handed over, so that only the child holds it.
    fn stdio(&mut self) -> Stdio {
        match std::mem::replace(self, Self::Null) {
            kept @ (Self::Capture | Self::Pipe) => {
                *self = kept;
                Stdio::piped()
            }
            Self::File(file) => Stdio::from(file),
            Self::Inherit => Stdio::inherit(),
            Self::Null => Stdio::null(),
        }
    }
}
