//! New systems that cut the way in: nobody can confirm, and the host is reachable again by itself.

use std::time::Duration;

use anyhow::{Result, ensure};
use lab::Host;
use order::{Limits, Mode, Settings};
use report::CauseKind;
use session::Request;

use super::{
    agents::{self, Going, Session, promise, settings},
    lab, systems,
};

/// Until the deadline: long enough to see on a busy machine that nobody comes in.
const WINDOW: Duration = Duration::from_secs(8);

/// Lets a host try a system that cuts it off; returns what differs after it came back.
fn cut_off(host: &Host<'_>, system: &str, settings: Settings) -> Result<Vec<String>> {
    let old = systems::current(host)?;
    let mut going = Going::start(host, system, Mode::Switch, settings)?;
    going.session.until_awaits()?;
    ensure!(!host.answers_ssh(), "somebody could have confirmed");
    let (cause, aftermath) = going.until_rolled_back()?;
    assert_eq!(cause.kind, CauseKind::Unconfirmed);
    promise(host, &old)?;
    Ok(aftermath)
}

#[test]
fn a_system_that_shuts_ssh_out_is_taken_back() -> Result<()> {
    let lab = lab(["web1"])?;
    let host = lab.host("web1");
    agents::install(&host)?;
    let [stopped, moved, walled] = systems::build(
        &host,
        [
            "services.openssh.enable = lib.mkForce false;",
            "services.openssh.ports = lib.mkForce [ 2222 ];",
            "networking.firewall.enable = lib.mkForce true; services.openssh.openFirewall = lib.mkForce false;",
        ],
    )?;
    for system in [&stopped, &moved, &walled] {
        let aftermath = cut_off(&host, system, settings(WINDOW))?;
        ensure!(aftermath.is_empty(), "{aftermath:?}");
    }
    Ok(())
}

#[test]
fn a_lease_that_is_lost_after_the_switch_takes_the_system_back() -> Result<()> {
    let lab = lab(["web1"])?;
    let host = lab.host("web1");
    agents::install(&host)?;
    let [short] = systems::build(&host, ["lab.dhcp.loseAfter = 5;"])?;
    let limits = Limits { settle: Duration::from_secs(7), ..agents::limits(WINDOW) };
    let aftermath = cut_off(&host, &short, Settings { limits, ..Settings::default() })?;
    ensure!(aftermath.is_empty(), "the lease is back: {aftermath:?}");
    Ok(())
}

#[test]
fn what_a_new_system_left_in_the_network_is_named() -> Result<()> {
    let lab = lab(["web1"])?;
    let host = lab.host("web1");
    agents::install(&host)?;
    let old = systems::current(&host)?;
    let [new] = systems::build(
        &host,
        [
            r#"boot.kernel.sysctl = { "net.ipv4.conf.all.arp_ignore" = 1; "net.ipv4.icmp_errors_use_inbound_ifaddr" = 1; }; networking.localCommands = "ip route add blackhole 192.0.2.0/24; ip link add br-left type bridge; ip rule add priority 77 from 192.0.2.1 lookup 77";"#,
        ],
    )?;
    let mut going = Going::start(&host, &new, Mode::Switch, settings(WINDOW))?;
    // Without this the host would be rebooted.
    going.until_doing("waits for somebody to come")?;
    Session::start(&host)?.ask(&Request::Current)?;
    let (cause, aftermath) = going.until_rolled_back()?;
    assert_eq!(cause.kind, CauseKind::Unconfirmed);
    let told = aftermath.join("\n");
    for expected in [
        "route IPv4 blackhole 192.0.2.0/24",
        "interface br-left is new",
        "rule IPv4 priority 77",
        "net/ipv4/conf/all/arp_ignore is now 1",
        "net/ipv4/icmp_errors_use_inbound_ifaddr is now 1",
    ] {
        ensure!(told.contains(expected), "{expected} is not in:\n{told}");
    }
    promise(&host, &old)
}
