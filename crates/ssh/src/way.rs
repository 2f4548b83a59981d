//! How one host is reached, and the logins that are made.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::thread;
use std::time::{Duration, Instant};

use run::Command;

use crate::address::{Address, Remote};
use crate::arguments;
use crate::connection::{Connection, Link, Master};
use crate::error::{Error, Failure, Reason};
use crate::options::Options;
use crate::reading;
use crate::sockets::Sockets;
use crate::tail::Tail;

/// How often we look whether the login has come.
const LOOK: Duration = Duration::from_millis(5);
/// How long the last lines of a failed login may take to arrive.
const SAID_LIMIT: Duration = Duration::from_secs(1);
/// Beyond the time for connecting, what a host and who answers its questions have for the login itself: sshd's own
/// limit (LoginGraceTime).
const LOGIN_LIMIT: Duration = Duration::from_secs(120);

/// One terminal, so one question at a time.
static TERMINAL: Mutex<()> = Mutex::new(());

/// How a host is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reach {
    /// Tried in this order; the first that leads to a login wins.
    pub addresses: Vec<Address>,
    /// More options for ssh.
    pub options: Options,
    /// Whether ssh may ask the operator.
    pub prompts: Prompts,
    /// How long one address may take to answer, in whole seconds. Default: 10 s.
    pub connect: Duration,
    /// After about this much silence the connection is lost, in whole seconds. Default: 15 s.
    pub silence: Duration,
    /// How long a program may take to speak first, or a small command to end. Default: 60 s.
    pub answer: Duration,
}

/// Whether ssh itself may ask for a password, a passphrase or the trust in a host key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Prompts {
    /// If there is a terminal and a login without questions failed for the lack of them: once more, with questions,
    /// for one host at a time. (That `ssh` belongs to the terminal's foreground, so Ctrl-C ends it, too.)
    #[default]
    Terminal,
    /// Never.
    Never,
}

/// The way to one host in this run.
#[derive(Debug)]
pub struct Way {
    reach: Reach,
    sockets: Sockets,
    shared: Mutex<Option<Connection>>,
}

impl Reach {
    /// These addresses, all else as it is by default.
    #[must_use]
    pub fn to(addresses: impl IntoIterator<Item = Address>) -> Self {
        Self {
            addresses: addresses.into_iter().collect(),
            options: Options::default(),
            prompts: Prompts::default(),
            connect: Duration::from_secs(10),
            silence: Duration::from_secs(15),
            answer: Duration::from_secs(60),
        }
    }
}

impl Way {
    /// A way whose sockets lie there. Nothing is connected yet.
    #[must_use]
    pub fn new(reach: Reach, sockets: Sockets) -> Self {
        Self { reach, sockets, shared: Mutex::new(None) }
    }

    /// The connection of this run: made at the first call, and again when it was lost. A second caller waits for the
    /// first one's login.
    pub fn shared(&self) -> Result<Connection, Error> {
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(connection) = shared.as_ref().filter(|connection| connection.is_alive()) {
            return Ok(connection.clone());
        }
        let connection = self.connect(None, None)?;
        *shared = Some(connection.clone());
        Ok(connection)
    }

    /// A new login, whatever connections there are: if this works, so does the next run. The address that the shared
    /// connection uses is tried first.
    pub fn fresh(&self) -> Result<Connection, Error> {
        self.fresh_by(None)
    }

    /// As [`Way::fresh`], but does not begin to ask on a terminal that is not free by `deadline`, and does not go on with
    /// a login then.
    pub fn fresh_before(&self, deadline: Instant) -> Result<Connection, Error> {
        self.fresh_by(Some(deadline))
    }

    fn fresh_by(&self, deadline: Option<Instant>) -> Result<Connection, Error> {
        let shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let first = shared.map(|connection| connection.address());
        self.connect(first.as_ref(), deadline)
    }

    /// Lets go of the shared connection; it ends when nobody else holds it.
    pub fn close(&self) {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    fn connect(&self, first: Option<&Address>, deadline: Option<Instant>) -> Result<Connection, Error> {
        let mut addresses: Vec<&Address> = self.reach.addresses.iter().collect();
        addresses.sort_by_key(|address| Some(*address) != first);
        let mut failures = Vec::new();
        for address in addresses {
            match self.log_in(address, deadline)? {
                Ok(link) => return Ok(Connection::new(link, self.reach.answer)),
                Err(failure) => failures.push(failure),
            }
        }
        if failures.is_empty() { Err(Error::NoAddress) } else { Err(Error::Unreached(failures)) }
    }

    /// One address: first without questions, so that many hosts go side by side and a signal from the terminal does
    /// not reach `ssh`.
    fn log_in(&self, address: &Address, deadline: Option<Instant>) -> Result<Result<Link, Failure>, Error> {
        let Address::Remote(remote) = address else { return Ok(Ok(Link::Local)) };
        let failure = match self.attempt(remote, true, deadline)? {
            Ok(link) => return Ok(Ok(link)),
            Err(failure) => failure,
        };
        let answerable = matches!(failure.reason, Reason::PermissionDenied | Reason::HostKeyUnknown);
        if answerable && self.reach.prompts == Prompts::Terminal && has_terminal() {
            // If it stays with somebody else, the first answer stands.
            if let Some(_one) = terminal(deadline) {
                return self.attempt(remote, false, deadline);
            }
        }
        Ok(Err(failure))
    }

    fn attempt(
        &self,
        remote: &Remote,
        batch: bool,
        deadline: Option<Instant>,
    ) -> Result<Result<Link, Failure>, Error> {
        let master = self.start(remote, batch)?;
        let own = Instant::now() + self.reach.connect + LOGIN_LIMIT;
        let deadline = deadline.map_or(own, |deadline| deadline.min(own));
        // ssh shows its socket when the login is complete.
        while !master.socket.exists() {
            let late = Instant::now() >= deadline;
            if late || !master.is_running() {
                return Ok(Err(failure(&master, late)));
            }
            thread::sleep(LOOK);
        }
        Ok(Ok(Link::Master(Arc::new(master))))
    }

    fn start(&self, remote: &Remote, batch: bool) -> Result<Master, Error> {
        let socket: PathBuf = self.sockets.next();
        let arguments = arguments::master(remote, &socket, &self.reach, batch);
        let failed = |source| run::Error::Lost { command: "ssh".to_owned(), source };
        let (stderr, theirs) = io::pipe().map_err(failed)?;
        let command = Command::new("ssh").args(arguments);
        // In the foreground, so that the terminal lets it read.
        let command = if batch { command } else { command.foreground() };
        let command = command.input("").stdout(run::Output::Null);
        let child = command.stderr(run::Output::File(OwnedFd::from(theirs).into())).spawn()?;
        let tail = Tail::follow(stderr, "", || ());
        let (remote, sockets) = (remote.clone(), self.sockets.clone());
        Ok(Master { remote, socket, child: Mutex::new(child), tail, _sockets: sockets })
    }
}

fn failure(master: &Master, late: bool) -> Failure {
    if !late {
        master.tail.wait_end(SAID_LIMIT);
    }
    let said = master.tail.text();
    let reason = if late { Reason::TimedOut } else { reading::login(&said) };
    Failure { address: Address::Remote(master.remote.clone()), reason, said }
}

/// The terminal for one question, when nobody else asks there; none if that is not so by `deadline`.
fn terminal(deadline: Option<Instant>) -> Option<MutexGuard<'static, ()>> {
    let Some(deadline) = deadline else {
        return Some(TERMINAL.lock().unwrap_or_else(PoisonError::into_inner));
    };
    loop {
        match TERMINAL.try_lock() {
            Ok(one) => return Some(one),
            Err(TryLockError::Poisoned(poisoned)) => return Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) if Instant::now() >= deadline => return None,
            Err(TryLockError::WouldBlock) => thread::sleep(LOOK),
        }
    }
}

/// Whether we have a terminal; ssh asks there, whatever its streams are.
fn has_terminal() -> bool {
    let terminal: io::Result<File> = OpenOptions::new().read(true).write(true).open("/dev/tty");
    terminal.is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_that_is_taken_is_waited_for_until_the_deadline() {
        let taken = terminal(None).expect("without a deadline it is always had");
        assert!(terminal(Some(Instant::now())).is_none());
        drop(taken);
        assert!(terminal(Some(Instant::now())).is_some());
    }
}
