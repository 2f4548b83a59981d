//! The lab's network: one bridge in the keeper's own network namespace, a cable to each host.

use anyhow::{Context, Result};
use run::Command;

/// The bridge all hosts hang on.
pub(super) const BRIDGE: &str = "br0";
/// The keeper's own addresses: the hosts' gateway.
pub(super) const GATEWAY: &str = "10.9.0.1";
/// The network card inside a host.
pub(super) const CARD: &str = "host0";

/// The name systemd-nspawn knows a host by; the interface below follows from it.
pub(super) fn machine(index: usize) -> String {
    format!("h{index}")
}

/// The keeper's end of a host's cable.
pub(super) fn cable(index: usize) -> String {
    format!("ve-{}", machine(index))
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

/// Takes away what is left of the cable of an earlier boot: it lives as long as the kernel clears up behind the host.
pub(super) fn unplug(index: usize) {
    // Mostly there is none.
    let _absent = ip(&["link", "delete", &cable(index)]);
}

/// Runs `ip` with these words.
pub(super) fn ip(words: &[&str]) -> Result<()> {
    Command::new("ip").args(words).run()?;
    Ok(())
}
