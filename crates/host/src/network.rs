//! The host's network facts: read with `ip` and from `/proc`, compared by crate `system`.

use std::{
    fs,
    net::SocketAddr,
    thread,
    time::{Duration, Instant},
};

use activate::Fault;
use order::SystemPath;
use run::Command;
use system::network::{
    Answer, NetworkAnswers, NetworkComparison, NetworkSight, Unread, from_proc_net_tcp, sysctl_named_in,
    sysctl_paths,
};

use crate::{chain, links};

/// How long `ip` may take.
const LIMIT: Duration = Duration::from_secs(10);
/// Longest answer of `ip` in bytes.
const MAX_ANSWER: usize = 16 << 20;
/// How long the network of a system that came back may take to be as it was: leases, duplicate address detection.
pub(crate) const RETURN: Duration = Duration::from_secs(15);
/// How often it is looked at meanwhile.
const LOOK: Duration = Duration::from_millis(500);
/// Most settings of a system that are looked at.
const MAX_SET: usize = 500;
/// Where sshd's ports are written down.
const SSHD: &str = "/etc/ssh/sshd_config";
/// Longest settings of sshd that are read.
const MAX_SSHD: usize = 1 << 20;

/// What the network is like now; what cannot be read is known as such.
#[must_use]
pub fn sight() -> NetworkSight {
    sight_with(&[])
}

/// The same with these settings beside those that are always looked at, by their paths below `/proc/sys`.
fn sight_with(more: &[String]) -> NetworkSight {
    let answers = NetworkAnswers {
        addresses: ip(&["addr"]),
        routes: ["-4", "-6"].map(|family| ip(&[family, "route", "show", "table", "all"])),
        rules: ["-4", "-6"].map(|family| ip(&[family, "rule"])),
        settings: settings(more),
        listeners: listeners(),
    };
    NetworkSight::new(answers, &ssh_ports())
}

fn ip(words: &[&str]) -> Answer {
    let running = links::running().ok_or_else(|| Unread("/run/current-system names no system".to_owned()))?;
    let program = links::program_of(&running, "sw/bin/ip");
    let command = Command::new(program).arg("-json").args(words).limit(MAX_ANSWER).timeout(LIMIT);
    command.run().map(|finished| finished.stdout).map_err(|error| Unread(chain(&error)))
}

fn interfaces() -> Vec<String> {
    let names = fs::read_dir("/sys/class/net").into_iter().flatten().flatten();
    names.filter_map(|entry| entry.file_name().into_string().ok()).collect()
}

fn settings(more: &[String]) -> Vec<(String, String)> {
    let interfaces = interfaces();
    let mut paths = sysctl_paths(interfaces.iter().map(String::as_str));
    paths.extend_from_slice(more);
    let read = |path: String| fs::read_to_string(format!("/proc/sys/{path}")).ok().map(|value| (path, value));
    paths.into_iter().filter_map(read).collect()
}

/// The settings that a system sets: what is left of them when another one runs again is found by this.
fn set_by(system: &SystemPath) -> Vec<String> {
    let (interfaces, folder) = (interfaces(), format!("{}/etc/sysctl.d", links::folder(system)));
    let interfaces: Vec<&str> = interfaces.iter().map(String::as_str).collect();
    let files = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let texts = files.filter_map(|file| fs::read_to_string(file).ok());
    let mut paths: Vec<String> = texts.flat_map(|text| sysctl_named_in(&text, &interfaces)).collect();
    paths.truncate(MAX_SET);
    paths
}

fn listeners() -> Result<Vec<SocketAddr>, Unread> {
    let mut all = Vec::new();
    for path in ["/proc/net/tcp", "/proc/net/tcp6"] {
        match fs::read(path) {
            Ok(text) => {
                let found = from_proc_net_tcp(&text).map_err(|error| Unread(format!("{path}: {error}")))?;
                all.extend(found);
            }
            // A kernel without IPv6.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(Unread(format!("{path}: {error}"))),
        }
    }
    Ok(all)
}

/// The ports that sshd is told to listen on; 22 always, for whatever else speaks ssh here.
fn ssh_ports() -> Vec<u16> {
    let text = fs::read(SSHD).ok().filter(|text| text.len() <= MAX_SSHD).unwrap_or_default();
    let mut ports = ports_in(&String::from_utf8_lossy(&text));
    ports.push(22);
    ports
}

/// The ports of the lines `Port` and `ListenAddress` of `sshd_config(5)`.
fn ports_in(config: &str) -> Vec<u16> {
    let port = |line: &str| {
        let (key, value) = line.trim().split_once([' ', '\t', '='])?;
        let value = value.trim();
        match key.to_ascii_lowercase().as_str() {
            "port" => value.parse().ok(),
            "listenaddress" => value.split_whitespace().next()?.rsplit_once(':')?.1.parse().ok(),
            _ => None,
        }
    };
    config.lines().filter_map(port).collect()
}

/// The facts in the form that the journal carries, with all settings that the new system is about to change.
pub(crate) fn snapshot(new: &SystemPath) -> String {
    sight_with(&set_by(new)).to_json()
}

/// The network against a snapshot, once it is as it was or `patience` is over.
pub(crate) fn return_to(before: &str, patience: Duration) -> NetworkComparison {
    let before = NetworkSight::from_json(before)
        .unwrap_or_else(|error| NetworkSight::unknown(&format!("the snapshot: {}", chain(&error))));
    let settings: Vec<String> = before.facts().sysctls.keys().cloned().collect();
    let start = Instant::now();
    loop {
        let comparison = before.compare(&sight_with(&settings));
        if comparison.changes.is_empty() || start.elapsed() >= patience {
            return comparison;
        }
        thread::sleep(LOOK);
    }
}

/// What differs, in words; none if nothing does.
pub(crate) fn differs(comparison: &NetworkComparison) -> Option<Fault> {
    /// How many differences are told.
    const MOST: usize = 10;
    let changes = &comparison.changes;
    let mut words: Vec<String> = changes.iter().take(MOST).map(ToString::to_string).collect();
    if changes.len() > MOST {
        words.push(format!("and {} more", changes.len() - MOST));
    }
    (!words.is_empty()).then(|| Fault::new(words.join("; ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ports_of_sshd_are_found() {
        let cases: [(&str, &[u16]); 5] = [
            ("Port 2222\n", &[2222]),
            ("port=22\nPort 2022", &[22, 2022]),
            (
                "ListenAddress 0.0.0.0:8022\nListenAddress [::]:8023 rdomain x\nListenAddress ::1x",
                &[8022, 8023],
            ),
            ("ListenAddress 10.0.0.1\n# Port 7\n", &[]),
            ("Portable yes\nPort many", &[]),
        ];
        for (config, expected) in cases {
            assert_eq!(ports_in(config), expected, "{config}");
        }
    }
}
