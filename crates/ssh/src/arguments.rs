//! The argument vectors: pure, so that a test can show them all.
//!
//! Of a setting that is given more than once ssh takes the first, and arguments come before files. So the order is:
//! what the connection depends on, the operator's options, what is merely a default of ours. The operator's files stay
//! in force for everything else; `-F` would drop the system's file. (ssh(1), ssh_config(5); OpenSSH 8.7 or later.)

use std::path::Path;

use crate::address::Remote;
use crate::program::{Elevation, Program};
use crate::way::Reach;

/// The `ssh` that logs in and holds the connection: no program of its own, no background process.
pub(crate) fn master(remote: &Remote, socket: &Path, reach: &Reach, batch: bool) -> Vec<String> {
    let mut arguments = vec!["-N".to_owned(), "-T".to_owned(), "-S".to_owned(), control_path(socket)];
    arguments.extend(settings(&[
        ("ControlMaster", "yes"),
        ("ControlPersist", "no"),
        ("ForkAfterAuthentication", "no"),
        ("RemoteCommand", "none"),
        ("PermitLocalCommand", "no"),
        ("ClearAllForwardings", "yes"),
        ("Tunnel", "no"),
        ("LogLevel", "INFO"),
    ]));
    if batch {
        arguments.extend(settings(&[("BatchMode", "yes")]));
    }
    if let Some(user) = remote.user() {
        arguments.extend(["-l".to_owned(), user.to_owned()]);
    }
    if let Some(port) = remote.port() {
        arguments.extend(["-p".to_owned(), port.to_string()]);
    }
    arguments.extend_from_slice(reach.options.as_slice());
    let (connect, alive) = (reach.connect.as_secs().max(1), (reach.silence.as_secs() / 3).max(1));
    arguments.extend(settings(&[
        ("ConnectTimeout", &connect.to_string()),
        ("ServerAliveInterval", &alive.to_string()),
        ("ServerAliveCountMax", "3"),
    ]));
    arguments.extend(["--".to_owned(), remote.host().to_owned()]);
    arguments
}

/// The `ssh` that asks a master for one program. It makes no connection of its own, so it reads no files (their
/// `RemoteCommand` or `SendEnv` would only get in the way), and where the master is gone it must not log in by
/// itself: its way out is a proxy that ends at once.
pub(crate) fn session(remote: &Remote, socket: &Path, words: &[String]) -> Vec<String> {
    let mut arguments = vec!["-F".to_owned(), "none".to_owned(), "-T".to_owned()];
    arguments.extend(["-S".to_owned(), control_path(socket)]);
    let fixed =
        [("ControlMaster", "no"), ("ProxyCommand", "false"), ("BatchMode", "yes"), ("LogLevel", "ERROR")];
    arguments.extend(settings(&fixed));
    arguments.extend(["--".to_owned(), remote.host().to_owned()]);
    arguments.extend_from_slice(words);
    arguments
}

/// The words that run on the host: elevation, then the program. With a `prompt` sudo reads a password from standard
/// input when it needs one, and says this before; without one nothing is ever read.
pub(crate) fn words(program: &Program, prompt: Option<&str>) -> Vec<String> {
    let elevation: &[&str] = match (program.elevation, prompt) {
        (Elevation::None, _) => &[],
        (Elevation::Sudo, Some(prompt)) => &["sudo", "-S", "-p", prompt, "--"],
        (Elevation::Sudo, None) => &["sudo", "-n", "--"],
        (Elevation::Run0, _) => &["run0", "--no-ask-password", "--"],
        (Elevation::Doas, _) => &["doas", "-n", "--"],
    };
    // Their complaints are read by us, so they must not come in the host's language.
    let plain: &[&str] = if elevation.is_empty() { &[] } else { &["env", "LC_ALL=C"] };
    let program = program.words.iter().map(ToString::to_string);
    plain.iter().chain(elevation).map(|word| (*word).to_owned()).chain(program).collect()
}

fn settings(pairs: &[(&str, &str)]) -> Vec<String> {
    pairs.iter().flat_map(|(name, value)| ["-o".to_owned(), format!("{name}={value}")]).collect()
}

/// ssh expands `%` in the path of a socket.
fn control_path(socket: &Path) -> String {
    socket.to_string_lossy().replace('%', "%%")
}

#[cfg(test)]
mod tests;
