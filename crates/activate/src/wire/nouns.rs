//! The forms of the record's nouns. Each `...Def` repeats the fields of the noun that it is named for.

use std::time::Duration;

use order::{SystemPath, UnitName};
use serde::{Deserialize, Serialize};

use super::texts::{fault, faults, maybe_fault, maybe_system, maybe_text, nanoseconds, system, text, units};
use crate::{
    Aftermath, Before, BootDefault, BootId, Cause, CheckPart, CommitPart, Contact, EntryPart, Fault, Lasting,
    Moment, Phase, Reach, RebootPart, Remedy, RevertPart, Reverting, State, SwitchResult, Transition,
};

/// What older journals lack is left out where it says nothing.
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Moment", deny_unknown_fields)]
struct MomentDef {
    #[serde(with = "text")]
    boot: BootId,
    #[serde(rename = "since_boot_ns", with = "nanoseconds")]
    since_boot: Duration,
    unix: u64,
}

#[derive(Serialize, Deserialize)]
pub(super) struct TransitionWire(#[serde(with = "TransitionDef")] pub(super) Transition);

#[derive(Serialize, Deserialize)]
#[serde(remote = "Transition", deny_unknown_fields)]
struct TransitionDef {
    #[serde(with = "PhaseDef")]
    phase: Phase,
    #[serde(with = "MomentDef")]
    at: Moment,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Phase", rename_all = "kebab-case")]
enum PhaseDef {
    Prepared,
    Armed,
    Switching,
    Entry,
    Rebooting,
    Landed,
    Checking,
    AwaitingConfirm,
    Committing,
    Reverting,
    Confirmed,
    RolledBack,
    Unchanged,
    Stuck,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Before", deny_unknown_fields)]
pub(super) struct BeforeDef {
    #[serde(with = "text")]
    boot: BootId,
    #[serde(with = "system")]
    running: SystemPath,
    #[serde(with = "maybe_system")]
    booted: Option<SystemPath>,
    #[serde(with = "maybe_system")]
    profile: Option<SystemPath>,
    #[serde(with = "BootDefaultDef")]
    default: BootDefault,
    #[serde(with = "units")]
    failed: Vec<UnitName>,
    #[serde(with = "units")]
    active: Vec<UnitName>,
    network: String,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "BootDefault", rename_all = "kebab-case", deny_unknown_fields)]
enum BootDefaultDef {
    System(#[serde(with = "system")] SystemPath),
    Unreadable {
        #[serde(with = "fault")]
        why: Fault,
    },
    None,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "State", rename_all = "kebab-case", deny_unknown_fields)]
pub(super) enum StateDef {
    Prepared,
    Armed,
    Switching {
        #[serde(with = "MomentDef")]
        until: Moment,
        #[serde(with = "MomentDef")]
        idle: Moment,
    },
    Entry {
        #[serde(with = "EntryPartDef")]
        part: EntryPart,
    },
    Rebooting {
        #[serde(with = "RebootPartDef")]
        part: RebootPart,
        #[serde(with = "MomentDef")]
        until: Moment,
    },
    Landed,
    Checking {
        #[serde(with = "MomentDef")]
        until: Moment,
        #[serde(with = "CheckPartDef")]
        part: CheckPart,
    },
    AwaitingConfirm {
        #[serde(with = "MomentDef")]
        deadline: Moment,
    },
    Committing {
        #[serde(with = "CommitPartDef")]
        part: CommitPart,
        tries: u32,
    },
    Reverting(#[serde(with = "RevertingDef")] Reverting),
    Confirmed {
        #[serde(with = "LastingDef")]
        lasting: Lasting,
    },
    RolledBack {
        #[serde(with = "CauseDef")]
        cause: Cause,
        #[serde(with = "AftermathDef")]
        aftermath: Aftermath,
    },
    Unchanged {
        #[serde(with = "CauseDef")]
        cause: Cause,
    },
    Stuck {
        #[serde(with = "CauseDef")]
        cause: Cause,
        #[serde(with = "RemedyDef")]
        remedy: Remedy,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "EntryPart", rename_all = "kebab-case")]
enum EntryPartDef {
    Trial,
    Entries,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "RebootPart", rename_all = "kebab-case")]
enum RebootPartDef {
    Once,
    Reboot,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Contact", rename_all = "kebab-case")]
enum ContactDef {
    Unknown,
    Made,
    Missed,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "CheckPart", rename_all = "kebab-case")]
enum CheckPartDef {
    Units,
    Settle,
    Checks,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "CommitPart", rename_all = "kebab-case")]
enum CommitPartDef {
    Profile,
    Trial,
    Default,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "RevertPart", rename_all = "kebab-case")]
enum RevertPartDef {
    End,
    Once,
    Profile,
    Default,
    Back,
    Reboot,
    Trial,
    Entries,
    Compare,
    Contact,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Reach", deny_unknown_fields)]
struct ReachDef {
    running: bool,
    boot: bool,
    #[serde(default, skip_serializing_if = "is_default")]
    trial: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Reverting", deny_unknown_fields)]
struct RevertingDef {
    #[serde(with = "CauseDef")]
    cause: Cause,
    #[serde(with = "ReachDef")]
    reach: Reach,
    #[serde(with = "RevertPartDef")]
    part: RevertPart,
    tries: u32,
    #[serde(with = "MomentDef")]
    until: Moment,
    #[serde(with = "maybe_fault")]
    running: Option<Fault>,
    #[serde(with = "maybe_fault")]
    boot: Option<Fault>,
    #[serde(default, with = "maybe_text", skip_serializing_if = "is_default")]
    left: Option<BootId>,
    #[serde(default, skip_serializing_if = "is_default")]
    stays: bool,
    #[serde(default, with = "ContactDef", skip_serializing_if = "is_default")]
    contact: Contact,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Lasting", rename_all = "kebab-case")]
enum LastingDef {
    Always,
    Unread,
    UntilReboot,
    FromNextBoot,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Aftermath", deny_unknown_fields)]
struct AftermathDef {
    #[serde(with = "units")]
    units: Vec<UnitName>,
    #[serde(with = "maybe_fault")]
    network: Option<Fault>,
    #[serde(default, with = "maybe_fault", skip_serializing_if = "is_default")]
    manager: Option<Fault>,
    #[serde(default, skip_serializing_if = "is_default")]
    rebooted: bool,
    #[serde(with = "faults")]
    notes: Vec<Fault>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "SwitchResult", rename_all = "kebab-case", deny_unknown_fields)]
enum SwitchResultDef {
    Exited {
        code: i32,
        #[serde(with = "fault")]
        output: Fault,
    },
    Lost {
        #[serde(with = "fault")]
        why: Fault,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Cause", rename_all = "kebab-case", deny_unknown_fields)]
enum CauseDef {
    Aborted,
    NotConfirmed,
    TotalLimit,
    IdleLimit,
    Interrupted,
    Rebooted,
    NotRooted(#[serde(with = "fault")] Fault),
    NotGuarded(#[serde(with = "fault")] Fault),
    NotStarted(#[serde(with = "fault")] Fault),
    SwitchFailed(#[serde(with = "SwitchResultDef")] SwitchResult),
    NotSwitched {
        #[serde(with = "maybe_system")]
        running: Option<SystemPath>,
    },
    Units(#[serde(with = "fault")] Fault),
    Unsettled(#[serde(with = "fault")] Fault),
    Checks(#[serde(with = "fault")] Fault),
    Journal(#[serde(with = "fault")] Fault),
    NoWayBack,
    EntryNotMade(#[serde(with = "fault")] Fault),
    OnceNotSet(#[serde(with = "fault")] Fault),
    NotRebooted(#[serde(with = "fault")] Fault),
    NotBooted,
    NoProfile,
    ProfileNotSet(#[serde(with = "fault")] Fault),
    DefaultNotSet(#[serde(with = "fault")] Fault),
    DefaultNotTaken {
        #[serde(with = "BootDefaultDef")]
        found: BootDefault,
    },
    TakenOver,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Remedy", rename_all = "kebab-case", deny_unknown_fields)]
enum RemedyDef {
    TakenOver {
        #[serde(with = "maybe_system")]
        running: Option<SystemPath>,
        #[serde(with = "maybe_system")]
        profile: Option<SystemPath>,
    },
    Kept {
        #[serde(with = "maybe_system")]
        running: Option<SystemPath>,
        #[serde(with = "system")]
        back: SystemPath,
    },
    NotBack {
        #[serde(with = "maybe_system")]
        running: Option<SystemPath>,
        #[serde(with = "system")]
        back: SystemPath,
        #[serde(with = "BootDefaultDef")]
        default: BootDefault,
        #[serde(with = "maybe_fault")]
        fault: Option<Fault>,
        #[serde(default, skip_serializing_if = "is_default")]
        rebooted: bool,
    },
    NotRestored {
        #[serde(with = "maybe_system")]
        running: Option<SystemPath>,
        #[serde(with = "maybe_system")]
        profile: Option<SystemPath>,
        #[serde(with = "BootDefaultDef")]
        default: BootDefault,
        #[serde(with = "maybe_system")]
        boot: Option<SystemPath>,
        #[serde(with = "maybe_fault")]
        fault: Option<Fault>,
    },
}
