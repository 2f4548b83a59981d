//! Why an activation ended otherwise than asked, and what a person does about it: values that print as sentences.

use std::fmt;

use order::SystemPath;
use store::store_path::StoreDir;

use crate::{BootDefault, Fault, SwitchResult};

/// Why the new system was not (or not yet) made to last. Prints as a sentence without a full stop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// The operator asked for the old system.
    Aborted,
    /// Nobody confirmed in time.
    NotConfirmed,
    /// The activation or its checks took longer than the total limit.
    TotalLimit,
    /// The activation showed no progress for the idle limit.
    IdleLimit,
    /// The owner ended before the activation did.
    Interrupted,
    /// The host booted anew in between.
    Rebooted,
    /// The systems could not be rooted.
    NotRooted(Fault),
    /// The guard could not be started.
    NotGuarded(Fault),
    /// The unit of the activation could not be started.
    NotStarted(Fault),
    /// The activation of the new system failed.
    SwitchFailed(SwitchResult),
    /// The activation said that all is well, and the new system does not run.
    NotSwitched {
        /// What runs instead.
        running: Option<SystemPath>,
    },
    /// Units failed newly, or protected ones are gone.
    Units(Fault),
    /// The network facts do not hold still.
    Unsettled(Fault),
    /// A check of the order does not hold.
    Checks(Fault),
    /// The journal could not be written, so nothing may be begun.
    Journal(Fault),
    /// The boot default cannot be told, so nothing would bring the old system back after a boot.
    NoWayBack,
    /// The boot loader could not be given an entry for the new system.
    EntryNotMade(Fault),
    /// The boot loader could not be told to boot the new system once.
    OnceNotSet(Fault),
    /// The reboot did not happen.
    NotRebooted(Fault),
    /// The host came back with another system than the one that it was to boot once.
    NotBooted,
    /// The host has no system profile, so nothing can be made to last.
    NoProfile,
    /// The system profile could not be set.
    ProfileNotSet(Fault),
    /// The boot loader's installer failed.
    DefaultNotSet(Fault),
    /// The boot loader's installer said that all is well, and the boot default is another.
    DefaultNotTaken {
        /// What would boot.
        found: BootDefault,
    },
    /// Somebody else switched this host.
    TakenOver,
}

impl fmt::Display for Cause {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Aborted => out.write_str("the operator asked for the old system"),
            Self::NotConfirmed => out.write_str("nobody confirmed in time over a new connection"),
            Self::TotalLimit => {
                out.write_str("the activation and its checks took longer than the total limit")
            }
            Self::IdleLimit => out.write_str("the activation showed no progress for the idle limit"),
            Self::Interrupted => out.write_str("the activation's owner ended before the activation did"),
            Self::Rebooted => out.write_str("the host booted anew before the activation had ended"),
            Self::NotRooted(fault) => {
                write!(out, "the systems could not be protected from the garbage collector: {fault}")
            }
            Self::NotGuarded(fault) => write!(out, "the guard could not be started: {fault}"),
            Self::NotStarted(fault) => write!(out, "the activation could not be started: {fault}"),
            Self::SwitchFailed(result) => write!(out, "the activation of the new system failed: {result}"),
            Self::NotSwitched { running } => {
                write!(out, "the activation reported success, but {} runs", shown(running.as_ref()))
            }
            Self::Units(fault) => write!(out, "units do not hold on the new system: {fault}"),
            Self::Unsettled(fault) => write!(out, "the network of the new system does not settle: {fault}"),
            Self::Checks(fault) => write!(out, "a check does not hold on the new system: {fault}"),
            Self::Journal(fault) => write!(out, "the journal could not be written: {fault}"),
            Self::NoWayBack => out.write_str(
                "the boot default cannot be told, so nothing would bring the old system back after a reboot",
            ),
            Self::EntryNotMade(fault) => {
                write!(out, "the boot loader could not be given an entry for the new system: {fault}")
            }
            Self::OnceNotSet(fault) => {
                write!(out, "the boot loader could not be told to boot the new system once: {fault}")
            }
            Self::NotRebooted(fault) => write!(out, "the host did not reboot: {fault}"),
            Self::NotBooted => out.write_str(
                "the new system was to be booted once, and the host came back with its boot default: the new one \
                 did not come up, or somebody chose another entry or cut the power",
            ),
            Self::NoProfile => {
                out.write_str("the host has no system profile, so no system can be made its next boot")
            }
            Self::ProfileNotSet(fault) => write!(out, "the system profile could not be set: {fault}"),
            Self::DefaultNotSet(fault) => write!(out, "the boot loader could not be installed: {fault}"),
            Self::DefaultNotTaken { found } => {
                write!(out, "the boot loader's installer reported success, but the boot default is {found}")
            }
            Self::TakenOver => out.write_str("somebody else switched this host in between"),
        }
    }
}

impl fmt::Display for SwitchResult {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exited { code, output } => {
                write!(out, "switch-to-configuration exited with {code}{}", meaning(*code))?;
                if output.as_str().is_empty() { Ok(()) } else { write!(out, ": {output}") }
            }
            Self::Lost { why } => write!(out, "its unit ended without a result: {why}"),
        }
    }
}

/// The exit codes of `switch-to-configuration` (its source, `switch-to-configuration-ng`).
fn meaning(code: i32) -> &'static str {
    match code {
        1 => " (a pre-switch check or the boot loader)",
        2 => " (a part of the activation script failed)",
        4 => " (units failed)",
        11 => " (another activation held its lock)",
        100 => " (the new system needs a reboot: its init interface is another)",
        101 => " (it crashed)",
        _ => "",
    }
}

/// What is wrong at the end, and what a person does about it. Prints as sentences with the commands to type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Remedy {
    /// A third system runs (then nothing was undone) or is the profile (then only what runs was).
    TakenOver {
        /// What runs.
        running: Option<SystemPath>,
        /// What the system profile names.
        profile: Option<SystemPath>,
    },
    /// The order's policy is to keep the new system on failure. It runs unconfirmed (or half), the boot default is
    /// as it was.
    Kept {
        /// What runs.
        running: Option<SystemPath>,
        /// The system to go back to.
        back: SystemPath,
    },
    /// The old system could not be made to run again; the next boot is as it was.
    NotBack {
        /// What runs.
        running: Option<SystemPath>,
        /// The system that should.
        back: SystemPath,
        /// What would boot.
        default: BootDefault,
        /// What failed last.
        fault: Option<Fault>,
        /// A reboot was tried, and has not helped.
        rebooted: bool,
    },
    /// Profile or boot default could not be put back.
    NotRestored {
        /// What runs.
        running: Option<SystemPath>,
        /// The profile as it should be.
        profile: Option<SystemPath>,
        /// What would boot.
        default: BootDefault,
        /// What should.
        boot: Option<SystemPath>,
        /// What failed last.
        fault: Option<Fault>,
    },
}

impl fmt::Display for Remedy {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TakenOver { running, profile } => write!(
                out,
                "{} runs and the system profile names {}; somebody else changed this host. Lockstep has left alone \
                 what it did not put there. Find out who did, then deploy what the host is to run.",
                shown(running.as_ref()),
                shown(profile.as_ref()),
            ),
            Self::Kept { running, back } => write!(
                out,
                "{} runs unconfirmed, as the order asked; the next boot is as it was. Repair it and deploy again, or \
                 go back with '{}/bin/switch-to-configuration test' or a reboot.",
                shown(running.as_ref()),
                path(back),
            ),
            Self::NotBack { running, back, default, fault, rebooted } => write!(
                out,
                "{} runs, and {} could not be activated{}. {}: its boot default is {default}. Or repair \
                 what is said here and run 'NIXOS_NO_CHECK=1 {}/bin/switch-to-configuration test'.",
                shown(running.as_ref()),
                path(back),
                because(fault.as_ref()),
                if *rebooted { "It was rebooted, and that has not helped" } else { "Reboot the host" },
                path(back),
            ),
            Self::NotRestored { .. } => self.not_restored(out),
        }
    }
}

impl Remedy {
    fn not_restored(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::NotRestored { running, profile, default, boot, fault } = self else { return Ok(()) };
        write!(
            out,
            "{} runs, but the next boot could not be put back{}. The boot default is {default}. Do not reboot before",
            shown(running.as_ref()),
            because(fault.as_ref()),
        )?;
        if let Some(profile) = profile {
            write!(out, " 'nix-env --profile /nix/var/nix/profiles/system --set {}'", path(profile))?;
        }
        match boot.as_ref().or(profile.as_ref()) {
            Some(system) => {
                write!(out, " and '{}/bin/switch-to-configuration boot' have succeeded.", path(system))
            }
            None => out.write_str(" the boot loader names a system that you trust."),
        }
    }
}

fn path(system: &SystemPath) -> String {
    system.in_store(&StoreDir::default())
}

fn shown(system: Option<&SystemPath>) -> String {
    system.map_or_else(|| "an unknown system".to_owned(), path)
}

fn because(fault: Option<&Fault>) -> String {
    fault.map_or_else(String::new, |fault| format!(": {fault}"))
}
