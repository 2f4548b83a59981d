//! What a new system leaves behind in the network when it goes.

use std::time::Duration;

use anyhow::{Result, ensure};
use order::Mode;
use report::CauseKind;
use session::Request;

use super::{
    agents::{self, Going, Session, promise, settings},
    lab, systems,
};

/// Until the deadline, and until nobody has come after the way back.
const WINDOW: Duration = Duration::from_secs(8);

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
