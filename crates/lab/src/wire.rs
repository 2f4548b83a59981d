//! What the outside says to a keeper: one JSON line each way, over the lab's control socket.

use serde::{Deserialize, Serialize};

/// What a keeper can be asked.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Request {
    /// How are all hosts?
    Status,
    /// Do something to one host.
    Host {
        /// The host's name.
        host: String,
        /// What to do.
        action: Action,
    },
}

/// What can be done to a host from outside.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Action {
    /// Cuts the power: what was not synced is lost. The host is down afterwards.
    CutPower,
    /// Switches a host on that is down.
    PowerOn,
    /// Pulls or plugs the network cable.
    Link {
        /// Plugged.
        up: bool,
    },
    /// Limits the line to so many kbit/s in each direction, or lifts the limit.
    Rate {
        /// kbit/s.
        kbit: Option<u32>,
    },
    /// Delays every frame by so many milliseconds in each direction, or not.
    Delay {
        /// Milliseconds, one way.
        ms: Option<u32>,
    },
    /// Limits the memory of everything on the host, or lifts the limit.
    Memory {
        /// MiB.
        mib: Option<u64>,
    },
    /// Stops the host's disk from taking writes, as an ext4 does after an error.
    BreakDisk,
    /// Stops the host's PID 1 (`SIGSTOP`), or lets it go on.
    FreezeInit {
        /// Stopped.
        frozen: bool,
    },
}

/// What a keeper answers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Reply {
    /// Done.
    Done,
    /// How the hosts are.
    Status(Vec<HostStatus>),
    /// Not done: the chain of causes.
    Failed(String),
}

/// How one host is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostStatus {
    /// Its name.
    pub name: String,
    /// Its IPv4 address.
    pub address: String,
    /// Its power.
    pub power: Power,
    /// How often it was booted.
    pub boots: u32,
    /// The boot entry it was booted by.
    pub entry: Option<String>,
    /// The init that entry names.
    pub init: Option<String>,
}

/// Whether a host is on, and if not, why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Power {
    /// Its init runs.
    On {
        /// Its PID 1, as the keeper sees it.
        init: u32,
    },
    /// It switched itself off.
    Off,
    /// Its power was cut.
    Cut,
    /// Its init ended: a real kernel panics then. It stays down until its power is cut.
    Panicked {
        /// The exit code.
        code: i32,
    },
    /// The firmware found nothing to boot.
    NothingToBoot {
        /// Why.
        reason: String,
    },
}
