//! The network before, while and after a switch: leases that take long or are lost, and what is left behind.

use anyhow::{Result, ensure};
use lab::{Host, wait};

use super::lab;
use super::systems::{SOON, build, current, reboot, test};

fn has_address(host: &Host<'_>) -> Result<bool> {
    let shown = host.run(["ip", "-brief", "-4", "address", "show", "host0"])?;
    Ok(shown.contains(&format!("{}/24", host.address())))
}

fn wait_address(host: &Host<'_>, expected: bool) -> Result<()> {
    wait::until("the address to come or go", SOON, || {
        ensure!(
            has_address(host)? == expected,
            "the address is {}",
            if expected { "missing" } else { "there" }
        );
        Ok(())
    })
}

/// Returning from a switch proves nothing about the network: dhcpcd goes on in the background.
#[test]
fn a_slow_lease_comes_and_a_short_one_goes_after_the_switch_returned() -> Result<()> {
    let lab = lab(["web1"])?;
    let host = lab.host("web1");
    let old = current(&host)?;
    let [slow, short] =
        build(&host, ["lab.dhcp = { seconds = 3600; timeout = 1; };", "lab.dhcp.loseAfter = 6;"])?;
    test(&host, &slow)?;
    assert!(!has_address(&host)?, "the switch has returned, the address has not");
    assert_eq!(host.run(["systemctl", "is-active", "dhcpcd.service"])?, "active");
    // A reload stands for the answer, so that nobody has to be faster than it.
    host.run(["systemctl", "reload", "dhcpcd.service"])?;
    wait_address(&host, true)?;
    host.wait_ssh(SOON)?;

    test(&host, &short)?;
    assert!(has_address(&host)?, "all was well when the switch returned");
    wait_address(&host, false)?;
    assert!(!host.answers_ssh());
    assert_eq!(host.run(["systemctl", "is-active", "dhcpcd.service"])?, "active", "no unit failed");
    test(&host, &old)?;
    wait_address(&host, true)?;
    host.wait_ssh(SOON)
}

/// Going back takes back what units own; the rest stays until a boot.
#[test]
fn what_a_system_set_outside_its_units_stays_when_it_goes() -> Result<()> {
    let lab = lab(["web1"])?;
    let host = lab.host("web1");
    let old = current(&host)?;
    let [new] = build(
        &host,
        [r#"
            boot.kernel.sysctl."net.ipv6.conf.host0.disable_ipv6" = 1;
            networking.localCommands = ''
              ip route add blackhole 192.0.2.0/24
              ip rule add from 198.51.100.0/24 table 99
              ip link add br-left type bridge
            '';
            networking.bridges.br-owned.interfaces = [ ];
            networking.interfaces.lo.ipv4.addresses = [ { address = "203.0.113.1"; prefixLength = 32; } ];
        "#],
    )?;
    let facts = || -> Result<[bool; 6]> {
        let has = |script| host.output(["sh", "-c", script]).map(|done| done.status.success());
        Ok([
            has("grep -q 1 /proc/sys/net/ipv6/conf/host0/disable_ipv6")?,
            has("ip route show type blackhole | grep -q 192.0.2.0/24")?,
            has("ip rule | grep -q 'from 198.51.100.0/24'")?,
            has("ip link show br-left")?,
            has("ip link show br-owned")?,
            has("ip address show lo | grep -q 203.0.113.1")?,
        ])
    };
    assert_eq!(facts()?, [false; 6]);
    test(&host, &new)?;
    assert_eq!(facts()?, [true; 6]);
    test(&host, &old)?;
    assert_eq!(facts()?, [true, true, true, true, false, false]);
    let addresses = host.run(["ip", "-brief", "-6", "address", "show", "host0"])?;
    assert!(
        !addresses.contains(&host.address6()),
        "the old system does not get its own address back: {addresses}"
    );
    reboot(&host)?;
    assert_eq!(facts()?, [false; 6]);
    Ok(())
}

#[test]
fn a_switch_changes_the_name_of_the_host() -> Result<()> {
    let lab = lab(["web1"])?;
    let host = lab.host("web1");
    let old = current(&host)?;
    let [renamed] = build(&host, [r#"networking.hostName = "renamed";"#])?;
    let names = |script: &str| host.ssh(script);
    let all =
        "hostname; cat /etc/hostname; cat /proc/sys/kernel/hostname; getent hosts renamed | cut -d' ' -f1";
    assert_eq!(names(all)?, "web1\nweb1\nweb1");
    test(&host, &renamed)?;
    assert_eq!(names(all)?, "renamed\nrenamed\nrenamed\n127.0.0.2");
    test(&host, &old)?;
    assert_eq!(names(all)?, "web1\nweb1\nweb1");
    Ok(())
}
