//! The daemon's own checks, with a real `nix-daemon --stdio` for each connection.

use std::sync::Mutex;

use anyhow::Result;
use daemon::Stream;
use run::Output;

use super::{LIMIT, Oracle};

#[path = "../../../../daemon/tests/oracle/daemon.rs"]
mod checks;

/// Runs every check for each version of the protocol that we offer, then those for a user without rights.
pub(super) fn check(oracle: &Oracle<'_>) -> Result<()> {
    let run = |words: &[&str]| oracle.bytes(words).unwrap();
    checks::check_all(&|| connect(oracle, &["nix-daemon", "--stdio"]).unwrap(), &run);
    // Without rights to the store this one only passes on to the daemon behind the socket.
    let untrusted = ["setpriv", "--reuid=nobody", "--clear-groups", "nix-daemon", "--stdio"];
    checks::check_untrusted(&|| connect(oracle, &untrusted).unwrap());
    Ok(())
}

fn connect(oracle: &Oracle<'_>, words: &[&str]) -> Result<Stream> {
    let command = oracle.host.command(words)?.timeout(LIMIT).input_pipe().stdout(Output::Pipe);
    let mut child = command.spawn()?;
    let (output, input) = child.take_streams().expect("invariant: both were asked for");
    let child = Mutex::new(child);
    Ok(Stream::new(output, input, move || child.lock().unwrap().kill()))
}
