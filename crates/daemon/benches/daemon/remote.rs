//! A daemon somewhere, and the programs beside it.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use daemon::Stream;

/// A daemon whose socket is within reach, and the words that begin a command to be run where it is.
pub(crate) struct Remote<'a> {
    socket: &'a str,
    prefix: &'a [&'a str],
}

impl<'a> Remote<'a> {
    pub(crate) fn new(socket: &'a str, prefix: &'a [&'a str]) -> Self {
        Self { socket, prefix }
    }

    pub(crate) fn connect(&self) -> Stream {
        Stream::connect(Path::new(self.socket)).unwrap()
    }

    pub(crate) fn socket(&self) -> &str {
        self.socket
    }

    /// The output of a command.
    pub(crate) fn run(&self, command: &[&str]) -> Vec<u8> {
        run(&[self.prefix, command].concat())
    }
}

/// The output of a command; panics if it fails.
pub(crate) fn run(command: &[&str]) -> Vec<u8> {
    let (program, arguments) = command.split_first().unwrap();
    let output = Command::new(program).args(arguments).stderr(Stdio::piped()).output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}
