//! What a new system leaves behind in the network when it goes.

use std::time::Duration;

use anyhow::{Result, ensure};
use order::Mode;
use report::CauseKind;

use super::{
    agents::{self, Going, promise, settings},
    lab, systems,
};

#[test]
fn what_a_new_system_left_in_the_network_is_named() -> Result<()> {
    let lab = lab(["web1"])?;
    let host = lab.host("web1");
    agents::install(&host)?;
    let old = systems::current(&host)?;
    let [new] = systems::build(
        &host,
        [
            r#"boot.kernel.sysctl."net.ipv4.conf.all.arp_ignore" = 1; networking.localCommands = "ip route add blackhole 192.0.2.0/24; ip link add br-left type bridge";"#,
        ],
    )?;
    let mut going = Going::start(&host, &new, Mode::Switch, settings(Duration::from_secs(1)))?;
    let (cause, aftermath) = going.until_rolled_back()?;
    assert_eq!(cause.kind, CauseKind::Unconfirmed);
    let told = aftermath.join("\n");
    for expected in [
        "route IPv4 blackhole 192.0.2.0/24",
        "interface br-left is new",
        "net/ipv4/conf/all/arp_ignore is now 1",
    ] {
        ensure!(told.contains(expected), "{expected} is not in:\n{told}");
    }
    promise(&host, &old)
}
