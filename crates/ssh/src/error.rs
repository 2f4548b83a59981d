//! What can go wrong on the way to a program on a host, each with what ssh or sudo said and what to do next.

use std::fmt;
use std::io;
use std::time::Duration;

use crate::address::Address;
use crate::program::Elevation;
use crate::sockets::NoSockets;

/// A program that could not be reached, started or followed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no address to try.
    #[error("the host has no address")]
    NoAddress,
    /// There is no place for the connection's socket.
    #[error(transparent)]
    Sockets(#[from] NoSockets),
    /// No address led to a login.
    #[error("cannot log in{}", list(.0))]
    Unreached(Vec<Failure>),
    /// `ssh`, or a program on this machine, could not be started or followed.
    #[error("cannot run a program on this machine")]
    Run(#[from] run::Error),
    /// The connection was there and is gone.
    #[error("lost the connection to {}{}", .0.address, tail(&.0.said))]
    Lost(Box<Told>),
    /// The host takes no more programs on this connection.
    #[error("{} refuses to start another program on this connection{}", .0.address, tail(&.0.said))]
    NoSession(Box<Told>),
    /// The program is not on the host.
    #[error("{} has no program `{}`{}", .0.address, .0.program, tail(&.0.said))]
    NotFound(Box<Told>),
    /// The program is there, and the host cannot execute it: wrong kind of machine, or no permission.
    #[error("{} cannot execute `{}`{}", .0.address, .0.program, tail(&.0.said))]
    NotExecutable(Box<Told>),
    /// The login worked, becoming root did not.
    #[error("{elevation} on {}: {refusal}{}", told.address, tail(&told.said))]
    Refused {
        /// By what.
        elevation: Elevation,
        /// Why.
        refusal: Refusal,
        /// The rest.
        told: Box<Told>,
    },
    /// The program ended before it said what it had to say, or failed.
    #[error("`{}` on {} ended with {code}{}", told.command, told.address, tail(&told.said))]
    Ended {
        /// The exit code as a shell would give it.
        code: i32,
        /// The rest.
        told: Box<Told>,
    },
    /// The program ran and did not say what it had to say, or did not end, in its time.
    #[error("`{}` on {} did not answer within {limit:?}{}", told.command, told.address, tail(&told.said))]
    Silent {
        /// The time it had.
        limit: Duration,
        /// The rest.
        told: Box<Told>,
    },
    /// The program said more than we are ready to hold, or too much that is not its greeting.
    #[error("`{}` on {} said more than {limit} bytes{}", told.command, told.address, tail(&told.said))]
    TooMuch {
        /// The bound, in bytes.
        limit: usize,
        /// The rest.
        told: Box<Told>,
    },
    /// The streams of a running program failed.
    #[error("cannot talk to `{}` on {}", told.command, told.address)]
    Streams {
        /// Whose.
        told: Box<Told>,
        /// What the system said.
        source: io::Error,
    },
}

/// What an error is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// Where.
    pub address: Address,
    /// The program's name or path.
    pub program: String,
    /// The whole command line, for people.
    pub command: String,
    /// The last lines of ssh, of sudo or its like, or of the program itself; may be empty.
    pub said: String,
}

/// An address that did not lead to a login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Which.
    pub address: Address,
    /// Why.
    pub reason: Reason,
    /// The last lines of ssh; may be empty.
    pub said: String,
}

/// Why there was no login, as far as ssh's words show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// No address belongs to the name.
    #[error("the name is not known")]
    NameNotFound,
    /// The host is there, and nothing listens on the port.
    #[error("the connection was refused")]
    Refused,
    /// Nothing answered in time.
    #[error("it does not answer")]
    TimedOut,
    /// The network has no way there.
    #[error("there is no route to it")]
    NoRoute,
    /// The host's key is in no list.
    #[error("its host key is not known here")]
    HostKeyUnknown,
    /// The host's key is not the one in the list.
    #[error("its host key is not the one that is known here")]
    HostKeyChanged,
    /// The host did not let the user in.
    #[error("the login was denied")]
    PermissionDenied,
    /// The host hung up before the login.
    #[error("it hung up before the login")]
    HungUp,
    /// ssh refused its own settings.
    #[error("ssh refuses its configuration or options")]
    Configuration,
    /// Something else; ssh's words follow.
    #[error("ssh failed")]
    Other,
}

/// Why a program was not elevated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A password is needed, and there was none to give.
    #[error("a password is needed, and none was given")]
    PasswordNeeded,
    /// The password was wrong.
    #[error("the password is wrong")]
    WrongPassword,
    /// The rules do not let this user run this program.
    #[error("the user is not allowed to run this program")]
    NotAllowed,
    /// It insists on a terminal.
    #[error("it insists on a terminal")]
    NeedsTerminal,
    /// The host does not have it.
    #[error("it is not installed")]
    NotInstalled,
    /// It does not work there: not setuid, broken rules, an expired account.
    #[error("it does not work for this user")]
    Broken,
}

impl Error {
    /// What the operator can do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NoAddress => "give the host an address, such as `root@web1.example.org`",
            Self::Sockets(_) => "give XDG_RUNTIME_DIR or TMPDIR a short path that you can write to",
            Self::Unreached(failures) => failures.last().map_or("", |failure| failure.reason.hint()),
            Self::Run(_) => "check that `ssh` and the program are installed and in PATH",
            Self::Lost(_) => "run it again; what was started on the host finishes or goes back by itself",
            Self::NoSession(_) => "raise MaxSessions in the host's sshd_config",
            Self::NotFound(_) => "check the path, and the PATH of the user who logs in",
            Self::NotExecutable(_) => "check that the program was built for the host's kind of machine",
            Self::Refused { elevation, refusal, .. } => refusal.hint(*elevation),
            Self::Ended { .. } | Self::Silent { .. } | Self::Streams { .. } => {
                "log in as the same user and run the command by hand"
            }
            Self::TooMuch { .. } => "check that the user's shell prints nothing at login",
        }
    }
}

impl Reason {
    /// What the operator can do about it.
    #[must_use]
    pub fn hint(self) -> &'static str {
        match self {
            Self::NameNotFound => "check the name, or add an address that is a number",
            Self::Refused => "check that sshd runs on the host, and the port",
            Self::TimedOut | Self::NoRoute => "check that the host is up, its firewall and your network",
            Self::HostKeyUnknown => "compare the host's key, then log in once by hand to accept it",
            Self::HostKeyChanged => {
                "if the host was installed anew, `ssh-keygen -R` its name and log in once by hand; \
                 otherwise somebody may be listening"
            }
            Self::PermissionDenied => {
                "check the user and that its authorized keys have yours; a key that asks needs an agent or a terminal"
            }
            Self::HungUp => {
                "sshd may be starting, or punish failed logins (PerSourcePenalties, fail2ban): wait a minute"
            }
            Self::Configuration => "check the ssh options of the host and your ssh_config",
            Self::Other => "run the same ssh by hand with -v",
        }
    }
}

impl Refusal {
    /// What the operator can do about it.
    #[must_use]
    pub fn hint(self, elevation: Elevation) -> &'static str {
        match (self, elevation) {
            (Self::PasswordNeeded, Elevation::Run0) => {
                "run0 reads no password here: let a polkit rule allow the user, or use sudo"
            }
            (Self::PasswordNeeded, Elevation::Doas) => {
                "doas reads no password here: add `nopass` to the user's rule, or use sudo"
            }
            (Self::PasswordNeeded, _) => "run on a terminal to be asked for it, or add a NOPASSWD rule",
            (Self::WrongPassword, _) => "the password of the user who logs in is asked for, not root's",
            (Self::NotAllowed, _) => "add a rule for this user and program, or log in as root",
            (Self::NeedsTerminal, _) => "remove `requiretty` from the host's sudoers for this user",
            (Self::NotInstalled, _) => "choose another way to become root, or log in as root",
            (Self::Broken, _) => "log in as the same user and try it by hand",
        }
    }
}

/// Each failed address on lines of its own.
fn list(failures: &[Failure]) -> String {
    failures.iter().map(|failure| format!("\n{failure}")).collect()
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}{}", self.address, self.reason, tail(&self.said))
    }
}

/// The last lines, below the message.
fn tail(said: &str) -> String {
    const SHOWN: usize = 8;
    let lines: Vec<&str> = said.lines().filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(SHOWN)..].iter().map(|line| format!("\n  {line}")).collect()
}
