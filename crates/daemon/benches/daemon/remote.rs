//! A daemon somewhere, and the programs beside it.

use std::{
    os::unix::process::CommandExt as _,
    path::Path,
    process::{Command, Stdio},
    thread,
};

use daemon::Stream;
use rustix::process::{Pid, Signal, kill_process_group};

/// Where a daemon is, and the words that begin a command to be run there.
pub(crate) struct Remote<'a> {
    /// Its socket, within reach from here; without one a daemon is started for each connection.
    socket: Option<&'a str>,
    prefix: &'a [&'a str],
}

impl<'a> Remote<'a> {
    /// A daemon that listens.
    pub(crate) fn listening(socket: &'a str, prefix: &'a [&'a str]) -> Self {
        Self { socket: Some(socket), prefix }
    }

    /// A daemon that is started as `nix-daemon --stdio`.
    pub(crate) fn started(prefix: &'a [&'a str]) -> Self {
        Self { socket: None, prefix }
    }

    pub(crate) fn connect(&self) -> Stream {
        match self.socket {
            Some(socket) => Stream::connect(Path::new(socket)).unwrap(),
            None => start(&[self.prefix, &["nix-daemon", "--stdio"]].concat()),
        }
    }

    pub(crate) fn socket(&self) -> &str {
        self.socket.unwrap()
    }

    /// The output of a command.
    pub(crate) fn run(&self, command: &[&str]) -> Vec<u8> {
        run(&[self.prefix, command].concat())
    }
}

/// A connection to the two pipes of a command.
fn start(command: &[&str]) -> Stream {
    let (program, arguments) = command.split_first().unwrap();
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).process_group(0);
    let mut child = command.spawn().unwrap();
    let (stdin, stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let group = Pid::from_child(&child);
    // It ends with its input.
    thread::spawn(move || child.wait());
    Stream::new(stdout, stdin, move || {
        let _gone = kill_process_group(group, Signal::KILL);
    })
}

/// The output of a command; panics if it fails.
pub(crate) fn run(command: &[&str]) -> Vec<u8> {
    let (program, arguments) = command.split_first().unwrap();
    let output = Command::new(program).args(arguments).stderr(Stdio::piped()).output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}
