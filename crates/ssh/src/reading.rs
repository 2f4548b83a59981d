//! What the words of ssh and sudo mean. They are the only thing that tells one failure from another: ssh ends with 255
//! for all of its own, sudo with 1. The texts are those of OpenSSH 8.7 to 10, sudo 1.9, systemd 257 and OpenDoas 6.8.

use crate::error::{Reason, Refusal};
use crate::program::Elevation;

/// Why a master did not log in.
pub(crate) fn login(said: &str) -> Reason {
    let meanings = [
        (Reason::HostKeyChanged, "REMOTE HOST IDENTIFICATION HAS CHANGED"),
        (Reason::HostKeyUnknown, "Host key verification failed"),
        (Reason::NameNotFound, "Could not resolve hostname"),
        (Reason::Refused, "Connection refused"),
        (Reason::TimedOut, "timed out"),
        (Reason::NoRoute, "No route to host"),
        (Reason::NoRoute, "Network is unreachable"),
        (Reason::PermissionDenied, "Permission denied ("),
        (Reason::PermissionDenied, "Too many authentication failures"),
        (Reason::Configuration, "onfiguration option"),
        (Reason::Configuration, "command-line line 0"),
        (Reason::Configuration, "Bad owner or permissions"),
        (Reason::HungUp, "Connection closed by"),
        (Reason::HungUp, "Connection reset by"),
        (Reason::HungUp, "onnection closed by remote host"),
    ];
    meanings.into_iter().find(|(_, words)| said.contains(words)).map_or(Reason::Other, |(reason, _)| reason)
}

/// Whether a session was refused by a master that is alive.
pub(crate) fn session_refused(code: i32, said: &str) -> bool {
    code == 255 && said.contains("session request failed")
}

/// Why a program did not begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    NotFound,
    NotExecutable,
    Refused(Refusal),
}

/// Whether this end means that the program never began; `None` if it is the program's own.
pub(crate) fn verdict(elevation: Elevation, code: i32, said: &str) -> Option<Verdict> {
    let by_elevation = if elevation == Elevation::None { None } else { refused(elevation, code, said) };
    by_elevation.or(match code {
        127 => Some(Verdict::NotFound),
        126 => Some(Verdict::NotExecutable),
        // The C shells have no status of their own for it.
        1 if said.lines().any(|line| line.ends_with(": Command not found.")) => Some(Verdict::NotFound),
        _ => None,
    })
}

/// Only the elevation's own lines count, so that a program may fail with the same words.
fn refused(elevation: Elevation, code: i32, said: &str) -> Option<Verdict> {
    let name = elevation.name();
    let missing = |line: &str| line.starts_with("env: ") && line.contains(name);
    if code == 127 && said.lines().any(missing) {
        return Some(Verdict::Refused(Refusal::NotInstalled));
    }
    if code == 0 {
        return None;
    }
    said.lines().rev().find_map(|line| match elevation {
        Elevation::None => None,
        Elevation::Sudo => sudo(line),
        Elevation::Run0 => run0(line),
        Elevation::Doas => line.strip_prefix("doas: ").and_then(doas),
    })
}

fn sudo(line: &str) -> Option<Verdict> {
    // These two come without the program's name in front.
    let told = ["Sorry, user ", "is not in the sudoers file"].iter().any(|words| line.contains(words));
    if told || line.starts_with("Sorry, ") && line.contains("may not run sudo") {
        return Some(Verdict::Refused(Refusal::NotAllowed));
    }
    let line = line.strip_prefix("sudo: ")?;
    let meanings = [
        (Refusal::WrongPassword, "incorrect password attempt"),
        (Refusal::PasswordNeeded, "a password is required"),
        (Refusal::PasswordNeeded, "no password was provided"),
        (Refusal::PasswordNeeded, "a terminal is required to"),
        (Refusal::PasswordNeeded, "interactive authentication is required"),
        (Refusal::NeedsTerminal, "you must have a tty"),
        (Refusal::NotAllowed, "may not run sudo"),
        (Refusal::NotAllowed, "not allowed to"),
        (Refusal::Broken, "must be owned by uid 0"),
        (Refusal::Broken, "effective uid is not 0"),
        (Refusal::Broken, "no new privileges"),
        (Refusal::Broken, "no valid sudoers"),
        (Refusal::Broken, "error initializing"),
        (Refusal::Broken, "unable to initialize"),
        (Refusal::Broken, "account validation failure"),
        (Refusal::Broken, "ccount expired"),
        (Refusal::Broken, "you do not exist in the passwd database"),
    ];
    if line.ends_with(": command not found") {
        return Some(Verdict::NotFound);
    }
    meaning(line, &meanings)
}

fn run0(line: &str) -> Option<Verdict> {
    if line.starts_with("Failed to find executable") || line.starts_with("Failed to resolve executable") {
        return Some(Verdict::NotFound);
    }
    if !line.starts_with("Failed to ") {
        return None;
    }
    meaning(
        line,
        &[
            (Refusal::PasswordNeeded, "nteractive authentication required"),
            (Refusal::PasswordNeeded, "Access denied"),
            (Refusal::Broken, "Failed to connect to"),
        ],
    )
}

fn doas(line: &str) -> Option<Verdict> {
    if line.ends_with(": command not found") {
        return Some(Verdict::NotFound);
    }
    meaning(
        line,
        &[
            (Refusal::PasswordNeeded, "Authentication required"),
            (Refusal::PasswordNeeded, "Authorization required"),
            (Refusal::PasswordNeeded, "a tty is required"),
            (Refusal::WrongPassword, "Authentication failed"),
            (Refusal::NotAllowed, "Operation not permitted"),
            (Refusal::Broken, "not installed setuid"),
            (Refusal::Broken, "doas.conf"),
            (Refusal::Broken, "doas is not enabled"),
        ],
    )
}

fn meaning(line: &str, meanings: &[(Refusal, &str)]) -> Option<Verdict> {
    meanings.iter().find(|(_, words)| line.contains(words)).map(|(refusal, _)| Verdict::Refused(*refusal))
}

#[cfg(test)]
mod tests;
