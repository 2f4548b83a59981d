//! What a transfer costs, seen from outside of the product: bytes on the line, processor time, peaks of memory.

use std::{
    collections::HashMap,
    fs,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use lab::Host;
use run::{Command, Finished};

/// How often processes are looked at.
const LOOK: Duration = Duration::from_millis(10);
/// After so many looks at which a process was not one of those that are looked for, it is not looked at any more.
const LOOKS: u8 = 50;
/// Ethernet, IPv4 and TCP with its timestamps: what each packet has besides ssh's own bytes.
const HEADERS: u64 = 14 + 20 + 32;

/// Two programs whose memory is watched, each on a host.
pub(crate) struct Watch<'lab> {
    pub(crate) operator: Host<'lab>,
    pub(crate) host: Host<'lab>,
}

/// What one command took.
#[derive(Clone, Copy, Default)]
pub(crate) struct Taken {
    /// Its seconds.
    pub(crate) seconds: f64,
    /// What ssh sent and received, in bytes, without the headers of packets.
    pub(crate) bytes: u64,
    /// The same with them.
    pub(crate) on_line: u64,
    /// Processor seconds of the operator's whole host, and of the other.
    pub(crate) sender_cpu: f64,
    pub(crate) receiver_cpu: f64,
    /// Peaks of `lockstep` and of `lockstep-agent`, in KiB; 0 if there was none.
    pub(crate) sender_kib: u64,
    pub(crate) receiver_kib: u64,
}

/// Counters of a host.
struct Counters {
    bytes: u64,
    packets: u64,
    cpu: f64,
}

impl Watch<'_> {
    /// Runs the command to its end, which must be a good one.
    pub(crate) fn take(&self, command: Command, what: &str) -> Result<Taken> {
        let before = (counters(&self.operator)?, counters(&self.host)?);
        let ended = AtomicBool::new(false);
        let namespaces = [namespace(&self.operator)?, namespace(&self.host)?];
        let (done, seconds, peaks) = thread::scope(|scope| {
            let looking = scope.spawn(|| look(&namespaces, &ended));
            let start = Instant::now();
            let done = command.output();
            let seconds = start.elapsed().as_secs_f64();
            ended.store(true, Ordering::Relaxed);
            (done, seconds, looking.join())
        });
        let done = done?;
        ensure!(done.code() == 0, "{what} ended with {}:\n{}", done.code(), last_lines(&done));
        let [sender_kib, receiver_kib] = peaks.unwrap_or_default();
        let after = (counters(&self.operator)?, counters(&self.host)?);
        let on_line = after.1.bytes - before.1.bytes;
        let headers = HEADERS * (after.1.packets - before.1.packets);
        Ok(Taken {
            seconds,
            bytes: on_line.saturating_sub(headers),
            on_line,
            sender_cpu: after.0.cpu - before.0.cpu,
            receiver_cpu: after.1.cpu - before.1.cpu,
            sender_kib,
            receiver_kib,
        })
    }
}

/// The end of what it said, on both ways.
fn last_lines(done: &Finished) -> String {
    let said = [done.stdout_text(), done.stderr_text()].join("\n");
    let last: Vec<_> = said.lines().rev().take(20).collect();
    last.into_iter().rev().collect::<Vec<_>>().join("\n")
}

/// The counters of the host's card, both directions together, and of its control group.
fn counters(host: &Host<'_>) -> Result<Counters> {
    let said = host.run(["cat", "/proc/net/dev", "/sys/fs/cgroup/cpu.stat"])?;
    let words = |start: &str| {
        let line = said.lines().find_map(|line| line.trim_start().strip_prefix(start));
        line.map(|line| line.split_whitespace().filter_map(|word| word.parse().ok()).collect::<Vec<u64>>())
    };
    let card = words("host0:").filter(|card| card.len() == 16).context("the host has no card")?;
    let cpu = words("usage_usec").context("the host's control group counts nothing")?;
    let micros = *cpu.first().context("the host's control group says nothing")?;
    let cpu = Duration::from_micros(micros).as_secs_f64();
    Ok(Counters { bytes: card[0] + card[8], packets: card[1] + card[9], cpu })
}

/// What its processes are known by from outside.
fn namespace(host: &Host<'_>) -> Result<String> {
    host.run(["readlink", "/proc/self/ns/net"])
}

/// The peaks of `lockstep` in the first namespace and of `lockstep-agent` in the second, in KiB; of several that run
/// at once the sum.
fn look(namespaces: &[String; 2], ended: &AtomicBool) -> [u64; 2] {
    let mut seen = HashMap::new();
    let mut peaks = [0, 0];
    while !ended.load(Ordering::Relaxed) {
        let mut now = [0, 0];
        for pid in processes() {
            let looks: &mut u8 = seen.entry(pid).or_default();
            if *looks >= LOOKS {
                continue;
            }
            match peak(pid, namespaces) {
                Some((which, kib)) => now[which] += kib,
                None => *looks += 1,
            }
        }
        peaks = [peaks[0].max(now[0]), peaks[1].max(now[1])];
        thread::sleep(LOOK);
    }
    peaks
}

fn processes() -> Vec<u32> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect()
}

/// Which of the two a process is, and its peak.
fn peak(pid: u32, namespaces: &[String; 2]) -> Option<(usize, u64)> {
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
    let which = ["lockstep", "lockstep-agent"].iter().position(|program| *program == name.trim_end())?;
    let namespace = fs::read_link(format!("/proc/{pid}/ns/net")).ok()?;
    if namespace.to_str()? != namespaces[which] {
        return None;
    }
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some((which, peak.split_whitespace().next()?.parse().ok()?))
}
