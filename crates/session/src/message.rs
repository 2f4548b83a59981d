//! The messages on the control channel.

use std::time::Duration;

use order::{HostName, Nonce, Order, OrderId, Settings, SystemPath};
use report::{Cause, Ending, Generation, HostStatus, LastActivation, LoaderDefault};
use store::store_path::StorePath;

/// What the operator asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// Comes first.
    Begin {
        /// The version that both speak.
        version: u16,
        /// Whom the operator believes to talk to.
        host: HostName,
    },
    /// What do you say of yourself? Answered by [`Reply::Status`].
    Status,
    /// What have you done? Answered by [`Reply::History`].
    History {
        /// Most entries, newest first.
        limit: u32,
    },
    /// The order that has not ended, with its nonce. Answered by [`Reply::Current`].
    Current,
    /// From here on the store channel is Nix's daemon. Answered by [`Reply::StoreReady`] or [`Reply::Refused`].
    Store,
    /// The store channel is no longer needed. Answered by [`Reply::StoreEnded`].
    StoreEnd,
    /// From here on store paths come on their channel, and the answers to them go there. Since version 3; there is
    /// no reply. A second one ends the first.
    Receive {
        /// The name by which another session may carry a part of them.
        lane: Nonce,
    },
    /// What comes on the paths channel of this session belongs to another one. Since version 3. Answered by
    /// [`Reply::LaneReady`] or [`Reply::Refused`].
    Lane {
        /// The name that the other one was given.
        lane: Nonce,
    },
    /// Carry this out. Answered by [`Reply::Accepted`] or [`Reply::Refused`].
    Deliver(Box<Order>),
    /// Tell how this order goes on: [`Reply::Progress`], bytes on the log channel, last [`Reply::Ended`].
    Follow {
        /// Which.
        order: OrderId,
    },
    /// The operator reached the host over a new connection. Answered by [`Reply::Answer`].
    Confirm {
        /// Which order.
        order: OrderId,
        /// Its nonce.
        nonce: Nonce,
    },
    /// Go back. Answered by [`Reply::Answer`].
    Abort {
        /// Which order.
        order: OrderId,
    },
    /// What would become of an order for this system? Since version 2. Answered by [`Reply::Survey`].
    Survey {
        /// The system, whose closure the host has.
        system: StorePath,
    },
    /// Do these checks hold, each within its time? Since version 2. Answered by [`Reply::Checked`].
    Check(Box<Settings>),
    /// Restart the machine. Since version 2. Answered by [`Reply::Rebooting`] or [`Reply::Refused`], and after the
    /// first perhaps by the second, if it does not begin.
    Reboot {
        /// The boot that is to end: a host that has been restarted meanwhile is not restarted again.
        boot_id: String,
    },
    /// Run a program. Its output comes on its channels, last [`Reply::Exited`].
    Exec(Exec),
    /// The operator has no more to ask.
    End,
}

/// A program to run on the host, as root, without a shell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exec {
    /// Program and arguments; not empty.
    pub words: Vec<String>,
    /// After this time it is killed.
    pub limit: Option<Duration>,
}

/// What the agent says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// Comes first, unasked.
    Hello(Box<Hello>),
    /// To [`Request::Status`].
    Status(Box<HostStatus>),
    /// To [`Request::History`].
    History {
        /// Activations, newest first.
        entries: Vec<LastActivation>,
        /// Generations of the system profile, newest first.
        generations: Vec<Generation>,
    },
    /// To [`Request::Current`].
    Current(Option<Box<Order>>),
    /// To [`Request::Store`].
    StoreReady,
    /// To [`Request::Lane`].
    LaneReady,
    /// To [`Request::StoreEnd`], or by itself when the daemon hung up.
    StoreEnded {
        /// Why, if it was not asked for.
        error: Option<String>,
    },
    /// To [`Request::Deliver`]: an owner has it now, whatever happens to this session.
    Accepted {
        /// Which.
        order: OrderId,
    },
    /// To any request that is not granted.
    Refused(Cause),
    /// To [`Request::Follow`], again and again.
    Progress(Progress),
    /// To [`Request::Follow`], last.
    Ended {
        /// Which.
        order: OrderId,
        /// How.
        ending: Ending,
    },
    /// To [`Request::Confirm`] and [`Request::Abort`].
    Answer(Answer),
    /// To [`Request::Survey`].
    Survey(Survey),
    /// To [`Request::Check`]: each check that does not hold, in a sentence.
    Checked {
        /// None if all hold.
        faults: Vec<String>,
    },
    /// To [`Request::Reboot`]: the machine is about to go down.
    Rebooting,
    /// To [`Request::Exec`], last.
    Exited(Exit),
}

/// What the agent says of itself and its host at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hello {
    /// The oldest version that it speaks.
    pub oldest: u16,
    /// The newest.
    pub newest: u16,
    /// The agent's own version, for people.
    pub agent: String,
    /// The store path that it runs from, if it does.
    pub path: Option<StorePath>,
    /// The kind of machine as Nix names it: `x86_64-linux`.
    pub platform: String,
    /// Free bytes of the file system that holds the store.
    pub free_store: u64,
    /// Free bytes of the boot file system, if there is one of its own.
    pub free_boot: Option<u64>,
    /// The system that runs.
    pub running: Option<SystemPath>,
    /// The system that the profile names.
    pub profile: Option<SystemPath>,
    /// What the boot loader itself names as the next to boot.
    pub default: LoaderDefault,
    /// The last order that it accepted.
    pub last: Option<OrderId>,
    /// The order that has not ended.
    pub pending: Option<OrderId>,
}

/// What speaks against an order for a system, as far as the host can tell beforehand.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Survey {
    /// Why the system refuses to be switched to: what its own checks say.
    pub refused: Option<String>,
    /// Why a reboot into it would not be guarded: the loader, or the start unit that it lacks.
    pub unguarded: Option<String>,
}

/// How far an activation is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// The state of its machine, a word.
    pub state: String,
    /// What happens now, for people.
    pub text: String,
    /// Whether a confirmation is waited for.
    pub awaits_confirm: bool,
    /// Until the deadline.
    pub left: Option<Duration>,
}

/// What became of a confirmation or of a wish to go back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It was taken; how the order ends is told to those who follow it, and here.
    Done(Ending),
    /// The old system is on its way back, as was wished.
    Aborting,
    /// The order had ended, or its decision had fallen.
    TooLate(Option<Ending>),
    /// It is refused: another order, another nonce, another system runs, or it does not wait.
    Refused {
        /// Why.
        why: String,
    },
}

/// How a program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// With this status.
    Code(i32),
    /// By this signal.
    Signal(i32),
    /// Its time was over and it was killed.
    TimedOut,
}
