//! The ways in: ports, host keys, sockets and addresses that a switch changes under the operator's feet.

use std::time::Duration;

use anyhow::{Result, ensure};
use lab::{Host, Login, wait};
use run::{Child, Finished};

use super::lab;
use super::systems::{BOOT, SOON, build, current, power_cycle, test, test_while_logged_in};

fn login(port: u16) -> Login<'static> {
    Login { port, patience: Duration::from_secs(2), ..Login::default() }
}

/// Logs in at this address and port and runs a script.
fn at(host: &Host<'_>, address: &str, port: u16, script: &str) -> Result<Finished> {
    let command = host.ssh_command(login(port)).args(["-o", &format!("HostName={address}")]);
    Ok(command.arg(script).output()?)
}

/// Where the host answers over ssh.
fn answers(host: &Host<'_>, port: u16) -> Result<bool> {
    Ok(at(host, &host.address(), port, "true")?.status.success())
}

fn wait_answer(host: &Host<'_>, port: u16) -> Result<()> {
    wait::until("sshd to answer", SOON, || {
        ensure!(answers(host, port)?, "port {port} does not answer");
        Ok(())
    })
}

/// A connection that says `held` once its input ends.
fn hold(host: &Host<'_>) -> Result<Child> {
    let held = host.ssh_command(login(22)).arg("touch /run/held; read line; echo held").input_pipe();
    let held = held.timeout(BOOT).spawn()?;
    wait::until("the connection to stand", SOON, || host.run(["rm", "/run/held"]))?;
    Ok(held)
}

#[test]
fn a_moved_port_ends_new_connections_and_keeps_old_ones() -> Result<()> {
    let lab = lab(["web1"])?;
    let host = lab.host("web1");
    let [moved] = build(&host, ["services.openssh.ports = [ 2222 ];"])?;
    let mut held = hold(&host)?;
    test_while_logged_in(&host, &moved)?;
    wait_answer(&host, 2222)?;
    assert!(!answers(&host, 22)?, "the firewall and sshd know the new port only");
    held.close_input();
    assert_eq!(held.wait()?.stdout_text(), "held", "a connection that exists goes on");
    power_cycle(&host)?;
    assert!(answers(&host, 22)?, "the boot default still has the old port");
    Ok(())
}

#[test]
fn sshd_by_socket_starts_one_daemon_for_each_connection() -> Result<()> {
    let lab = lab(["web1"])?;
    let host = lab.host("web1");
    let old = current(&host)?;
    let [socket] = build(&host, ["services.openssh.startWhenNeeded = true;"])?;
    test(&host, &socket)?;
    wait_answer(&host, 22)?;
    let units = host.ssh("systemctl list-units --no-legend --plain 'sshd*'")?;
    assert!(units.contains("sshd.socket") && units.contains("sshd@"), "{units}");
    assert_eq!(host.output(["systemctl", "is-active", "sshd.service"])?.stdout_text(), "inactive");
    let session =
        host.ssh_command(login(22)).arg(format!("{old}/bin/switch-to-configuration test && echo done"));
    let said = session.run()?.stdout_text();
    assert_eq!(said.lines().last(), Some("done"), "a switch back goes on over the connection that began it");
    wait_answer(&host, 22)?;
    assert_eq!(host.run(["systemctl", "is-active", "sshd.service"])?, "active");
    Ok(())
}

#[test]
fn a_changed_host_key_is_refused_by_who_knew_the_old_one() -> Result<()> {
    let lab = lab(["web1"])?;
    let host = lab.host("web1");
    let old = current(&host)?;
    let [new] = build(
        &host,
        [r#"services.openssh.hostKeys = [ { type = "ed25519"; path = "/var/lib/ssh/other_key"; } ];"#],
    )?;
    test(&host, &new)?;
    wait::until("the new key to be shown", SOON, || {
        let refused = at(&host, &host.address(), 22, "true")?;
        ensure!(
            refused.stderr_text().contains("HOST IDENTIFICATION HAS CHANGED"),
            "{}",
            refused.stderr_text()
        );
        Ok(())
    })?;
    assert!(
        host.run(["cat", "/var/lib/ssh/other_key.pub"])?.starts_with("ssh-ed25519 "),
        "made by the switch"
    );
    test(&host, &old)?;
    wait_answer(&host, 22)
}

#[test]
fn a_host_can_be_reached_over_ipv6_alone() -> Result<()> {
    let lab = lab(["web1"])?;
    let host = lab.host("web1");
    let [only6] = build(&host, [r#"lab.dhcp.family = "ipv6";"#])?;
    for address in [host.address(), host.address6()] {
        assert_eq!(at(&host, &address, 22, "hostname")?.stdout_text(), "web1", "{address}");
    }
    test(&host, &only6)?;
    wait::until("the IPv6 address to answer", SOON, || {
        let done = at(&host, &host.address6(), 22, "hostname")?;
        ensure!(done.stdout_text() == "web1", "{}", done.stderr_text());
        Ok(())
    })?;
    let addresses = host.run(["ip", "-brief", "-4", "address", "show", "host0"])?;
    assert!(!addresses.contains(&host.address()), "{addresses}");
    assert!(!answers(&host, 22)?, "the IPv4 address is gone");
    Ok(())
}

/// Each kind of rules: both keep what stands, drop what is new, and let it in again when they go back.
#[test]
fn a_closed_firewall_keeps_connections_and_drops_new_ones() -> Result<()> {
    let lab = lab(["web1"])?;
    let host = lab.host("web1");
    let old = current(&host)?;
    let closed = "services.openssh.openFirewall = false;";
    let [plain, tables, rejecting] = build(
        &host,
        [
            closed,
            &format!("{closed} networking.nftables.enable = true;"),
            &format!("{closed} networking.firewall.rejectPackets = true;"),
        ],
    )?;
    let mut held = Vec::new();
    for (system, refusal) in [(plain, "timed out"), (tables, "timed out"), (rejecting, "Connection refused")]
    {
        held.push((hold(&host)?, system, refusal));
    }
    for (mut connection, system, refusal) in held {
        test_while_logged_in(&host, &system)?;
        let refused = at(&host, &host.address(), 22, "true")?;
        assert!(refused.stderr_text().contains(refusal), "{}", refused.stderr_text());
        connection.close_input();
        assert_eq!(connection.wait()?.stdout_text(), "held", "a connection that exists goes on");
    }
    test(&host, &old)?;
    wait_answer(&host, 22)
}
