//! Why a host must be rebooted to run a system whole.

use std::{collections::BTreeMap, fmt};

use crate::{
    System,
    text::{excerpt, listed},
};

/// What the comparison of a booted system with the next one found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RebootCheck {
    /// Why a reboot is needed; empty: it is not, as far as was compared.
    pub reasons: Vec<RebootReason>,
    /// What only one of the systems has: no reason to reboot, but worth a word.
    pub not_compared: Vec<NotCompared>,
}

/// What takes effect only at the next boot. Prints as a short sentence.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum RebootReason {
    /// One of the boot files is another one.
    File {
        /// Which one.
        file: BootFile,
        /// The booted system's, in the store.
        booted: String,
        /// The next system's.
        next: String,
    },
    /// The kernel's command line is another one.
    Parameters {
        /// Words that only the booted system has.
        removed: Vec<String>,
        /// Words that only the next system has. Both lists are empty if only the order differs.
        added: Vec<String>,
    },
    /// A value that the system names as a reason to reboot (`reboot-triggers`).
    Trigger(Change),
    /// A value that a switch must not change (`switch-inhibitors`).
    Inhibitor(Change),
    /// The interface between init and the activation: a switch ends with exit code 100.
    InitInterface {
        /// The booted system's.
        booted: String,
        /// The next system's.
        next: String,
    },
}

/// A key of an inhibitors' or triggers' file with two values.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Change {
    /// The key, `dbus-implementation` for example.
    pub key: String,
    /// Its old value.
    pub old: String,
    /// Its new value.
    pub new: String,
}

/// A part of a system that is loaded at boot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum BootFile {
    /// `kernel`.
    Kernel,
    /// `initrd`.
    Initrd,
    /// `kernel-modules`.
    Modules,
    /// `firmware`.
    Firmware,
}

/// Something that only one of two systems has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct NotCompared {
    /// What it is, in words.
    pub what: &'static str,
    /// Whether the booted system has it; otherwise the next one has.
    pub booted_has_it: bool,
}

/// Compares what is booted with what is to run.
///
/// It must be the booted system (`/run/booted-system`), not the current one: a system that was set for the next boot
/// and then tested has been current without having been booted. systemd itself is no reason: a switch executes it
/// again, and a systemd with which that cannot be done has another init interface.
#[must_use]
pub fn reboot_reasons(booted: &System, next: &System) -> RebootCheck {
    let mut check = RebootCheck::default();
    let files = [
        (BootFile::Kernel, &booted.kernel, &next.kernel),
        (BootFile::Initrd, &booted.initrd, &next.initrd),
        (BootFile::Modules, &booted.kernel_modules, &next.kernel_modules),
        (BootFile::Firmware, &booted.firmware, &next.firmware),
    ];
    for (file, old, new) in files {
        check.pair(file.word(), old, new, |booted, next| RebootReason::File {
            file,
            booted: booted.clone(),
            next: next.clone(),
        });
    }
    check.pair("kernel parameters", &booted.kernel_params, &next.kernel_params, |booted, next| {
        RebootReason::Parameters { removed: missing_in(next, booted), added: missing_in(booted, next) }
    });
    check.pair("init interface", &booted.init_interface, &next.init_interface, |booted, next| {
        RebootReason::InitInterface { booted: booted.clone(), next: next.clone() }
    });
    check.keys(
        "list of reboot triggers",
        [&booted.reboot_triggers, &next.reboot_triggers],
        RebootReason::Trigger,
    );
    check.keys(
        "list of switch inhibitors",
        [&booted.switch_inhibitors, &next.switch_inhibitors],
        RebootReason::Inhibitor,
    );
    check
}

impl RebootCheck {
    fn pair<T: PartialEq>(
        &mut self,
        what: &'static str,
        booted: &Option<T>,
        next: &Option<T>,
        reason: impl FnOnce(&T, &T) -> RebootReason,
    ) {
        match (booted, next) {
            (Some(booted), Some(next)) if booted != next => self.reasons.push(reason(booted, next)),
            (Some(_), None) => self.not_compared.push(NotCompared { what, booted_has_it: true }),
            (None, Some(_)) => self.not_compared.push(NotCompared { what, booted_has_it: false }),
            _ => {}
        }
    }

    fn keys(
        &mut self,
        what: &'static str,
        [booted, next]: [&Option<BTreeMap<String, String>>; 2],
        reason: fn(Change) -> RebootReason,
    ) {
        match (booted, next) {
            (Some(booted), Some(next)) => {
                self.reasons.extend(changed_keys(booted, next).into_iter().map(reason));
            }
            (None, None) => {}
            _ => self.not_compared.push(NotCompared { what, booted_has_it: booted.is_some() }),
        }
    }
}

fn changed_keys(old: &BTreeMap<String, String>, new: &BTreeMap<String, String>) -> Vec<Change> {
    let both = old.iter().filter_map(|(key, old)| Some((key, old, new.get(key)?)));
    both.filter(|(_, old, new)| old != new)
        .map(|(key, old, new)| Change { key: key.clone(), old: old.clone(), new: new.clone() })
        .collect()
}

/// The words of `from` that `other` does not have as often.
fn missing_in(other: &[String], from: &[String]) -> Vec<String> {
    let mut left: Vec<&String> = other.iter().collect();
    let mut missing = Vec::new();
    for word in from {
        match left.iter().position(|candidate| *candidate == word) {
            Some(position) => drop(left.remove(position)),
            None => missing.push(word.clone()),
        }
    }
    missing
}

impl BootFile {
    /// The word for it in sentences.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Kernel => "kernel",
            Self::Initrd => "initrd",
            Self::Modules => "kernel modules",
            Self::Firmware => "firmware",
        }
    }
}

impl fmt::Display for RebootReason {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { file, booted, next } => {
                let verb = if *file == BootFile::Modules { "change" } else { "changes" };
                let (booted, next) = (package(booted), package(next));
                match booted == next {
                    true => write!(out, "the {} {verb} (both are {booted})", file.word()),
                    false => write!(out, "the {} {verb} from {booted} to {next}", file.word()),
                }
            }
            Self::Parameters { removed, added } => {
                let words = |words: &[String]| listed(words.iter().map(|word| excerpt(word)));
                match (removed.is_empty(), added.is_empty()) {
                    (true, true) => write!(out, "the kernel parameters change their order"),
                    (true, false) => write!(out, "the kernel parameters gain {}", words(added)),
                    (false, true) => write!(out, "the kernel parameters lose {}", words(removed)),
                    (false, false) => {
                        write!(out, "the kernel parameters gain {} and lose {}", words(added), words(removed))
                    }
                }
            }
            Self::Trigger(change) => write!(out, "the reboot trigger {change}"),
            Self::Inhibitor(change) => write!(out, "the switch inhibitor {change}"),
            Self::InitInterface { booted, next } => {
                write!(out, "the init interface changes from {} to {}", excerpt(booted), excerpt(next))
            }
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (old, new) = (excerpt(&self.old), excerpt(&self.new));
        write!(out, "{} changes from '{old}' to '{new}'", excerpt(&self.key))
    }
}

impl fmt::Display for NotCompared {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let several = matches!(self.what, "kernel modules" | "kernel parameters");
        let verb = if several { "were" } else { "was" };
        let without = if self.booted_has_it { "next" } else { "booted" };
        write!(out, "the {} {verb} not compared: the {without} system has none", self.what)
    }
}

/// The name of the package that a path in the store belongs to, `linux-6.12.43`.
fn package(path: &str) -> String {
    let base = path.strip_prefix("/nix/store/").and_then(|rest| rest.split('/').next());
    excerpt(base.and_then(|base| base.get(33..)).unwrap_or(path))
}

#[cfg(test)]
mod tests;
