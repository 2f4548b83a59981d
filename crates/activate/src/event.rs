//! What the machine hears, what it asks for, and what it answers.

use std::time::Duration;

use order::{Nonce, OrderId, SystemPath};

use crate::{Aftermath, BootDefault, BootId, Cause, Fault, Moment};

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A new activation: nothing has been written or done.
    Begin,
    /// An unfinished (or finished) activation is found: after a crash, at boot, at contact, by the guard.
    Start,
    /// An effect is done, or not. The effect is the one that was asked for.
    Done(Effect, Result<(), Fault>),
    /// The answer to [`Effect::Compare`].
    Compared(Aftermath),
    /// The unit of the new system's activation has ended, by its result file.
    SwitchEnded(SwitchResult),
    /// The operator confirms over a new connection.
    Confirm {
        /// The order that is meant.
        order: OrderId,
        /// Proof that it is the operator who gave the order.
        nonce: Nonce,
    },
    /// The operator wants the old system back.
    Abort,
    /// Somebody came over a new connection, while [`crate::RevertPart::Contact`] waits for it.
    Contact,
    /// The moment given to [`crate::Host::wait`] is over.
    Deadline,
    /// The activation has shown progress (its output grew, a job ended). At most one for each second.
    Progress,
    /// The journal could not be written; made by the driver only.
    JournalFailed(Fault),
}

/// How the unit of the new system's activation has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SwitchResult {
    /// `switch-to-configuration` exited with this code.
    Exited {
        /// The exit code.
        code: i32,
        /// The last lines of its output.
        output: Fault,
    },
    /// The unit is gone and has left no result: killed, out of memory, or never run.
    Lost {
        /// What is known.
        why: Fault,
    },
}

/// What the host is asked to do. Every effect may be asked for again: each is idempotent, or what it did is observed
/// before it is done again. None may last for ever; where `until` is given the host stops there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Root the new system, the running one, the boot default and the agent. Again: the same links.
    Root,
    /// Start the guard and wait until it says that it is ready. Again: a guard of this order is left as it is.
    Arm,
    /// Start `NEW/bin/switch-to-configuration test` in its own unit and return as soon as it is started; its end is
    /// [`Event::SwitchEnded`], later, from [`crate::Host::wait`]. Asked for once only.
    Switch,
    /// Compare failed and protected units with the snapshot; an error names what newly failed.
    Units {
        /// No later than this. The host may break off early and answer with [`Event::Abort`].
        until: Moment,
    },
    /// Wait until the network facts have held still (the host knows whether the change touches them at all).
    Settle {
        /// For this long.
        still: Duration,
        /// No later than this. The host may break off early and answer with [`Event::Abort`].
        until: Moment,
    },
    /// Try the checks of the order until all hold or one's time is over.
    Checks {
        /// No later than this. The host may break off early and answer with [`Event::Abort`].
        until: Moment,
    },
    /// `nix-env --profile /nix/var/nix/profiles/system --set`: always a new generation. Again: the same link.
    SetProfile(SystemPath),
    /// `switch-to-configuration boot` of this system, without a kill limit. Again: the same default.
    SetDefault(SystemPath),
    /// End the unit of the new system's activation: its whole control group, SIGKILL after a grace, until it is
    /// empty and `switch-to-configuration`'s lock is free. An error if that cannot be had. Again: nothing is there.
    EndSwitch,
    /// Run this system: drop the names that it lacks from the lists in `/run/nixos`, then its own
    /// `switch-to-configuration test` with `NIXOS_NO_CHECK=1`. Good if it ran to its end with exit code 0 or 4 (units
    /// are compared afterwards), an error otherwise. Again: a second activation of the same system.
    Back {
        /// The system.
        system: SystemPath,
        /// No later than this: then its control group is ended, and it is an error.
        until: Moment,
    },
    /// The trial profile names this system, so that a loader's installer lists it. Again: the same link.
    SetTrial(SystemPath),
    /// The trial profile is removed. Again: nothing is there.
    DropTrial,
    /// The loader boots this system's entry at the next boot only. Again: the same.
    SetOnce(SystemPath),
    /// The next boot is the default's. Again: the same.
    ClearOnce,
    /// Reboot: what is in memory is written, systemd is asked, and after a while the kernel. Comes back only with an
    /// error.
    Reboot,
    /// Compare the host with the snapshot: units, network. Answered by [`Event::Compared`].
    Compare,
    /// Stop the guard of this order. A guard that performs this itself does nothing: it ends with the activation.
    Disarm,
    /// Remove the roots of this order.
    Unroot,
}

/// What the host looks like. Looking changes nothing, takes no lock and never waits for another process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    /// The current boot.
    pub boot: BootId,
    /// What `/run/current-system` names; `None` if it is missing or names no system.
    pub running: Option<SystemPath>,
    /// What `/run/booted-system` names.
    pub booted: Option<SystemPath>,
    /// What the system profile names.
    pub profile: Option<SystemPath>,
    /// What would boot.
    pub default: BootDefault,
    /// The unit of the new system's activation (of this order).
    pub switch: SwitchUnit,
    /// What is booted once.
    pub once: Once,
}

/// What the boot loader was told to boot at the next boot only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Once {
    /// Nothing: the next boot is the default's.
    Absent,
    /// This system.
    Set(SystemPath),
    /// It cannot be told, or names no system.
    Unreadable {
        /// Why not.
        why: Fault,
    },
}

/// The unit of the new system's activation, by its control group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SwitchUnit {
    /// No process of it is left, or it never was.
    Absent,
    /// It has processes.
    Running,
    /// It cannot be told.
    Unknown,
}

/// The answer to a [`Event::Confirm`] or [`Event::Abort`]. Each is answered exactly once; an answer for which nobody
/// waits (the activation was taken over in between) is dropped by the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// The new system runs, and (mode `switch`) the boot default was read back.
    Confirmed,
    /// The confirmation is for another order, or does not know its nonce.
    WrongOrder,
    /// The activation or its checks still run; confirm when they have ended.
    TooEarly,
    /// The deadline is over, or the old system is on its way back, or the activation has ended.
    TooLate,
    /// What runs is not the new system.
    NotRunning {
        /// What runs instead.
        running: Option<SystemPath>,
    },
    /// The confirmation was taken, the new system could not be made to last, and the old one is on its way back.
    NotCommitted {
        /// Why.
        cause: Cause,
    },
    /// The old system is on its way back (or, where the policy is to keep it, the new one is left as it is).
    Aborting,
}
