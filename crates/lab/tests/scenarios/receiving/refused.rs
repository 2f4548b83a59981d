//! Daemons that do not answer, or do not take what they are given.

use std::time::Duration;

use anyhow::{Result, ensure};
use transfer::{Error, Refusal, Side};

use super::{
    There, Wish,
    shelf::{Shelf, items},
};

/// All of it goes over as if nothing had been.
fn works(there: &There<'_>, shelf: &Shelf) -> Result<()> {
    there.send(&mut Wish::all(shelf)?)?;
    there.check(shelf)
}

pub(super) fn a_daemon_that_is_not_there_is_said_to_be_so(there: &There<'_>) -> Result<()> {
    let shelf = Shelf::of(&items(3, 1_000))?;
    there
        .0
        .sh("systemctl stop nix-daemon.socket nix-daemon.service; rm -f /nix/var/nix/daemon-socket/socket")?;
    let error = Wish::all(&shelf)?.fail(&there.line()?)?;
    ensure!(matches!(error, Error::Host { .. }) && !error.can_resume(), "{error:?}");
    ensure!(error.to_string().contains("Nix's daemon does not answer"), "{error}");
    ensure!(error.to_string().contains("No such file"), "{error}");
    there.0.run(["systemctl", "start", "nix-daemon.socket"])?;
    works(there, &shelf)
}

pub(super) fn a_daemon_that_says_nothing_is_not_waited_for_without_end(there: &There<'_>) -> Result<()> {
    let shelf = Shelf::of(&items(3, 1_000))?;
    there.0.sh("systemctl start nix-daemon; systemctl kill --signal=STOP nix-daemon")?;
    let line = there.line()?;
    let limit = Duration::from_secs(2);
    let error = Wish { limit, ..Wish::all(&shelf)? }.fail(&line)?;
    let stalled = matches!(error, Error::Stalled { side: Side::Remote, limit: of } if of == limit);
    ensure!(stalled && error.can_resume(), "{error:?}");
    drop(line);
    there.wait_left()?;
    there.0.sh("systemctl kill --signal=CONT nix-daemon")?;
    works(there, &shelf)
}

pub(super) fn a_daemon_that_does_not_trust_root_is_said_to_be_so(there: &There<'_>) -> Result<()> {
    let shelf = Shelf::of(&items(3, 1_000))?;
    configure(there, "trusted-users = nobody")?;
    let error = Wish::all(&shelf)?.fail(&there.line()?)?;
    ensure!(matches!(error, Error::Refused { refusal: Refusal::Signature, .. }), "{error:?}");
    let text = error.to_string();
    ensure!(text.contains("trusted-users") && text.contains("trusted-public-keys"), "{text}");
    there.has_none(&shelf.infos)?;
    configure(there, "trusted-users = root")?;
    works(there, &shelf)
}

/// Puts a line into the daemon's configuration.
pub(super) fn configure(there: &There<'_>, line: &str) -> Result<()> {
    let script = "cat /etc/nix/nix.conf > /root/nix.conf; printf '%s\\n' \"$1\" >> /root/nix.conf; \
                  rm /etc/nix/nix.conf; mv /root/nix.conf /etc/nix/nix.conf; systemctl restart nix-daemon";
    there.0.run(["sh", "-euc", script, "sh", line]).map(drop)
}
