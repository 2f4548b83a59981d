//! The lab's network: one bridge in the keeper's own network namespace, a cable to each host.

use anyhow::{Context, Result};
use run::Command;

/// The bridge all hosts hang on.
pub(super) const BRIDGE: &str = "br0";
/// The keeper's own addresses: the hosts' gateway.
pub(super) const GATEWAY: &str = "10.9.0.1";
/// The network card inside a host.
pub(super) const CARD: &str = "host0";
/// How long a rate limit may queue a frame: about what a home router does.
const QUEUE: &str = "200ms";

/// The name systemd-nspawn knows a host by; the interface below follows from it.
pub(super) fn machine(index: usize) -> String {
    format!("h{index}")
}

/// The keeper's end of a host's cable.
pub(super) fn cable(index: usize) -> String {
    format!("vb-{}", machine(index))
}

/// Sets up the bridge.
pub(super) fn create() -> Result<()> {
    ip(&["link", "set", "lo", "up"])?;
    // An address of its own: otherwise it takes a port's, and changes it when that port goes.
    ip(&["link", "add", BRIDGE, "address", "02:00:00:09:00:01", "type", "bridge"])
        .context("the kernel may lack bridges (module `bridge`)")?;
    ip(&["address", "add", &format!("{GATEWAY}/24"), "dev", BRIDGE])?;
    ip(&["address", "add", "fd09::1/64", "dev", BRIDGE, "nodad"])?;
    ip(&["link", "set", BRIDGE, "up"])
}

/// Pulls or plugs a host's cable.
pub(super) fn plug(index: usize, up: bool) -> Result<()> {
    ip(&["link", "set", &cable(index), if up { "up" } else { "down" }])
}

/// Whether systemd-nspawn has put the host's cable on the bridge, which it does while init starts.
pub(super) fn is_plugged(index: usize) -> bool {
    let ports = Command::new("ip").args(["-brief", "link", "show", "master", BRIDGE]).run();
    ports.is_ok_and(|ports| ports.stdout_text().lines().any(|line| line.starts_with(&cable(index))))
}

/// Limits both directions of a host's line: towards it on our end of the cable, from it on its card.
pub(super) fn limit_rate(index: usize, init: u32, kbit: Option<u32>) -> Result<()> {
    let init = init.to_string();
    let inside = || Command::new("nsenter").args(["--target", &init, "--net", "--", "tc"]);
    for (tc, device) in [(Command::new("tc"), cable(index)), (inside(), CARD.to_owned())] {
        set_bucket(tc, &device, kbit)?;
    }
    Ok(())
}

fn set_bucket(tc: Command, device: &str, kbit: Option<u32>) -> Result<()> {
    let Some(kbit) = kbit else {
        // Without a limit there is nothing to delete, and that is as asked.
        tc.args(["qdisc", "delete", "dev", device, "root"]).output()?;
        return Ok(());
    };
    let (rate, burst) = (format!("{kbit}kbit"), (kbit * 2).max(4000).to_string());
    tc.args(["qdisc", "replace", "dev", device, "root", "tbf", "rate", &rate, "burst", &burst])
        .args(["latency", QUEUE])
        .run()
        .context("the kernel may lack the token bucket filter (module `sch_tbf`)")?;
    Ok(())
}

/// Runs `ip` with these words.
pub(super) fn ip(words: &[&str]) -> Result<()> {
    Command::new("ip").args(words).run()?;
    Ok(())
}
