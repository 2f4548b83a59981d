//! The last rungs of a way back: systemd itself is in trouble, and the host comes back all the same.

use std::time::Duration;

use anyhow::{Result, ensure};
use lab::{Host, wait};
use order::{Limits, Mode, Settings};
use report::{Cause, CauseKind, Ending};
use session::Request;

use super::{
    agents::{self, Going, Session, promise, settings},
    example, lab,
    systems::{self, BOOT, SOON},
};

const HANDS: &str = "/root/hands";
/// A mount that fails, until the next boot, and the start of what waits for it.
const EMERGENCY: &str = "cd /run/systemd/system; mkdir local-fs.target.requires; \
    printf '[Unit]\\nBefore=local-fs.target\\n[Mount]\\nWhat=none\\nWhere=/data\\nType=nothing\\n' > data.mount; \
    ln -s ../data.mount local-fs.target.requires/; systemctl daemon-reload; systemctl --no-block start local-fs.target";
/// The control group of process 1 stands still, or goes on: it takes calls, and answers none. So does the lab's console,
/// which lies in it.
const SILENCE: &str = "echo 1 > /sys/fs/cgroup/init.scope/cgroup.freeze";
const SPEECH: &str = "echo 0 > /sys/fs/cgroup/init.scope/cgroup.freeze";

fn hands(host: &Host<'_>) -> Result<()> {
    host.copy(&example("hands"), "/root")?;
    host.run(["sync"]).map(drop)
}

/// What a look at systemd says, and that it leaves nothing behind.
fn look(host: &Host<'_>, words: &str) -> Result<String> {
    let said = host.run([HANDS, words])?;
    let left = host.output(["pgrep", "-a", "systemctl"])?.stdout_text();
    ensure!(left.is_empty(), "left behind: {left}");
    Ok(said)
}

fn expect(host: &Host<'_>, words: &str, expected: &str) -> Result<()> {
    let said = look(host, words)?;
    ensure!(said.contains(expected), "expected '{expected}', found '{said}'");
    Ok(())
}

/// Brings a host into emergency mode, as a mount does that fails while a system is activated.
fn into_emergency(host: &Host<'_>) -> Result<()> {
    host.sh(EMERGENCY)?;
    wait::until("emergency mode", SOON, || expect(host, "trouble", "emergency.target is active"))
}

#[test]
fn trouble_with_systemd_is_told_in_words() -> Result<()> {
    let lab = lab(["web1"])?;
    let host = lab.host("web1");
    hands(&host)?;
    expect(&host, "trouble", "none")?;

    let bus = host.run(["systemctl", "show", "--value", "-p", "MainPID", "dbus.service"])?;
    host.signal("STOP", &bus)?;
    expect(&host, "trouble", "D-Bus is silent")?;
    host.signal("CONT", &bus)?;
    expect(&host, "lasting-trouble", "none")?;
    host.run(["systemctl", "stop", "dbus.socket", "dbus.service"])?;
    expect(&host, "trouble", "D-Bus is gone")?;
    expect(&host, "lasting-trouble", "D-Bus is gone")?;
    host.run(["systemctl", "start", "dbus.socket"])?;
    expect(&host, "lasting-trouble", "none")?;

    host.sh(&serve(&format!("{SILENCE}; {HANDS} trouble > /run/part; {SPEECH}; mv /run/part /run/said")))?;
    wait::until("what is said of a silent systemd", SOON, || {
        let said = host.run(["cat", "/run/said"])?;
        ensure!(said.contains("systemd (process 1) is silent"), "{said}");
        Ok(())
    })?;
    expect(&host, "lasting-trouble", "none")?;
    host.freeze_init(true)?;
    for words in ["trouble", "lasting-trouble"] {
        expect(&host, words, "systemd (process 1) was stopped by a signal")?;
    }
    host.freeze_init(false)?;
    expect(&host, "lasting-trouble", "none")?;

    host.run(["systemctl", "--no-block", "isolate", "rescue.target"])?;
    wait::until("rescue mode", SOON, || expect(&host, "trouble", "rescue.target is active"))?;
    host.run(["systemctl", "--no-block", "default"])?;
    wait::until("the host to be well again", SOON, || expect(&host, "trouble", "none"))?;
    into_emergency(&host)
}

/// Runs a script in a service like the guard's.
fn serve(script: &str) -> String {
    let properties = "--property=DefaultDependencies=no --property=IgnoreOnIsolate=yes";
    format!("systemd-run --quiet --collect --unit=hands {properties} sh -c '{script}'")
}

/// Reboots the host by the hands, in a service like the guard's, after something was done to it and by the service.
fn reboots(
    host: &Host<'_>,
    before: impl Fn(&Host<'_>) -> Result<()>,
    script: &str,
    seconds: &str,
) -> Result<()> {
    let boots = host.status()?.boots;
    let begin = "while ! test -e /run/begin; do sleep 0.1; done";
    host.sh(&serve(&format!("{begin}; {script}; exec {HANDS} reboot {seconds} > /root/said 2>&1")))?;
    before(host)?;
    // It may go down before the console has answered.
    drop(host.run(["touch", "/run/begin"]));
    wait::until_true("the host to reboot", BOOT, || host.status().is_ok_and(|status| status.boots > boots))?;
    host.wait_ssh(BOOT)?;
    wait::until("the host to be well", SOON, || expect(host, "trouble", "none"))
}

#[test]
fn a_host_is_rebooted_whatever_still_answers() -> Result<()> {
    let lab = lab(["web1"])?;
    let host = lab.host("web1");
    hands(&host)?;
    host.run(["sync"])?;
    // So much patience that it is systemd that reboots, and not the kernel at the end of it.
    reboots(&host, |_| Ok(()), ":", "1000")?;
    reboots(&host, |host| host.freeze_init(true), ":", "1000")?;
    reboots(&host, |_| Ok(()), SILENCE, "1000")?;
    reboots(
        &host,
        |host| host.run(["systemctl", "stop", "dbus.socket", "dbus.service"]).map(drop),
        ":",
        "1000",
    )
}

#[test]
fn a_host_in_emergency_mode_is_rebooted() -> Result<()> {
    let lab = lab(["web1"])?;
    let host = lab.host("web1");
    hands(&host)?;
    reboots(&host, into_emergency, ":", "1000")
}

#[test]
fn a_reboot_that_hangs_in_a_stop_job_is_made_by_the_kernel() -> Result<()> {
    let lab = lab(["web1"])?;
    let host = lab.host("web1");
    hands(&host)?;
    let before = |host: &Host<'_>| {
        let stays = "--property=TimeoutStopSec=infinity --property=ExecStop='/bin/sleep infinity'";
        host.sh(&format!("systemd-run --quiet --unit=stays {stays} sleep infinity")).map(drop)
    };
    reboots(&host, before, ":", "3")
}

/// Until the deadline.
const WINDOW: Duration = Duration::from_secs(4);
const MOTD: &str = r#"environment.etc."motd".text = "new";"#;
/// How long a host may take to be rebooted, the patience with systemd included, and to be there again.
const REBOOT: Duration = Duration::from_secs(150);

/// Follows an activation over the reboot of the host that ends it; says why it was taken back and what differs.
fn over_a_reboot(host: &Host<'_>, going: Going, boots: u32) -> Result<(Cause, Vec<String>)> {
    let Going { session, order } = going;
    // A console of the lab that stays open holds up the end of a shutdown.
    drop(session);
    wait::until_true("the host to reboot", REBOOT, || {
        host.status().is_ok_and(|status| status.boots > boots)
    })?;
    host.wait_ssh(BOOT)?;
    let mut session = Session::start(host)?;
    session.send(&Request::Follow { order: order.id })?;
    match session.until_ended()? {
        Ending::RolledBack { cause, aftermath } => Ok((cause, aftermath)),
        other => anyhow::bail!("{other:?}; states {:?}, log:\n{}", session.states, session.log),
    }
}

fn was_rebooted(aftermath: &[String]) -> Result<()> {
    let expected = "the host was rebooted into its boot default";
    ensure!(aftermath == [expected], "{aftermath:?}");
    Ok(())
}

/// Timeline B.
#[test]
fn a_system_that_leads_into_emergency_mode_is_taken_back_by_a_reboot() -> Result<()> {
    let lab = lab(["web1"])?;
    let host = lab.host("web1");
    agents::install(&host)?;
    let old = systems::current(&host)?;
    let [new] =
        systems::build(&host, [r#"fileSystems."/data" = { device = "none"; fsType = "nothing"; };"#])?;
    host.run(["sync"])?;
    let boots = host.status()?.boots;
    let limits = Limits { idle: Duration::from_secs(10), ..agents::limits(WINDOW) };
    let going = Going::start(&host, &new, Mode::Switch, Settings { limits, ..Settings::default() })?;
    let (cause, aftermath) = over_a_reboot(&host, going, boots)?;
    assert_eq!(cause.kind, CauseKind::Activation, "{cause:?}");
    was_rebooted(&aftermath)?;
    promise(&host, &old)
}

/// Timeline C.
#[test]
fn a_systemd_that_freezes_is_left_behind_by_a_reboot() -> Result<()> {
    let lab = lab(["web1"])?;
    let host = lab.host("web1");
    agents::install(&host)?;
    let old = systems::current(&host)?;
    let [new] = systems::build(&host, [MOTD])?;
    host.run(["sync"])?;
    for killed in [false, true] {
        let boots = host.status()?.boots;
        let mut going = Going::start(&host, &new, Mode::Switch, settings(WINDOW))?;
        going.session.until_awaits()?;
        host.freeze_init(true)?;
        if killed {
            // Then it is the guard that has to reboot.
            host.sh("pkill -KILL -f 'lockstep-agent own'")?;
        }
        let (cause, aftermath) = over_a_reboot(&host, going, boots)?;
        let kind = if killed { CauseKind::Interrupted } else { CauseKind::Unconfirmed };
        assert_eq!(cause.kind, kind, "{cause:?}");
        was_rebooted(&aftermath)?;
        promise(&host, &old)?;
    }
    Ok(())
}

/// Timeline D.
#[test]
fn what_a_system_left_in_the_network_goes_by_a_reboot_if_nobody_comes() -> Result<()> {
    let lab = lab(["web1"])?;
    let host = lab.host("web1");
    agents::install(&host)?;
    let old = systems::current(&host)?;
    let left = r#"boot.kernel.sysctl."net.ipv4.icmp_errors_use_inbound_ifaddr" = 1; networking.localCommands = "ip route add blackhole 192.0.2.0/24; ip link add br-left type bridge; ip rule add priority 77 from 192.0.2.1 lookup 77";"#;
    let [new] = systems::build(&host, [left])?;
    host.run(["sync"])?;
    let boots = host.status()?.boots;
    let going = Going::start(&host, &new, Mode::Switch, settings(WINDOW))?;
    let (cause, aftermath) = over_a_reboot(&host, going, boots)?;
    assert_eq!(cause.kind, CauseKind::Unconfirmed);
    was_rebooted(&aftermath)?;
    promise(&host, &old)
}

/// Timeline P.
#[test]
fn the_last_rung_does_not_wait_for_stop_jobs() -> Result<()> {
    let lab = lab(["web1"])?;
    let host = lab.host("web1");
    agents::install(&host)?;
    let old = systems::current(&host)?;
    let [new] =
        systems::build(&host, [r#"networking.localCommands = "ip route add blackhole 192.0.2.0/24";"#])?;
    host.run(["sync"])?;
    let stays = "--property=TimeoutStopSec=infinity --property=ExecStop='/bin/sleep infinity'";
    host.sh(&format!("systemd-run --quiet --unit=stays {stays} sleep infinity"))?;
    let boots = host.status()?.boots;
    let going = Going::start(&host, &new, Mode::Switch, settings(WINDOW))?;
    let (_, aftermath) = over_a_reboot(&host, going, boots)?;
    was_rebooted(&aftermath)?;
    promise(&host, &old)
}

/// The guard's process, and how much memory it holds in KiB.
fn guard(host: &Host<'_>) -> Result<(String, u64)> {
    let pid = host.run(["pgrep", "-f", "lockstep-agent guard"])?;
    let status = host.run(["cat", &format!("/proc/{pid}/status")])?;
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    let kib = resident.split_whitespace().next().unwrap_or_default().parse()?;
    Ok((pid, kib))
}

#[test]
fn the_guard_outlives_whatever_systemd_does() -> Result<()> {
    let lab = lab(["web1"])?;
    let host = lab.host("web1");
    agents::install(&host)?;
    hands(&host)?;
    let old = systems::current(&host)?;
    let [new] = systems::build(&host, [MOTD])?;
    host.run(["sync"])?;
    let boots = host.status()?.boots;
    let mut going = Going::start(&host, &new, Mode::Switch, settings(Duration::from_secs(600)))?;
    going.session.until_awaits()?;
    let (pid, kib) = guard(&host)?;
    ensure!(kib <= 4096, "the guard holds {kib} KiB");
    let unit = format!("lockstep-guard-{}.service", going.order.id);
    let asked = "DefaultDependencies,IgnoreOnIsolate,OOMScoreAdjust,RequiresMountsFor,StateDirectory,WorkingDirectory";
    let properties = host.run(["systemctl", "show", "-p", asked, &unit])?;
    let mut set: Vec<&str> = properties.lines().filter(|line| !line.ends_with('=')).collect();
    set.sort_unstable();
    assert_eq!(set, ["DefaultDependencies=no", "IgnoreOnIsolate=yes", "OOMScoreAdjust=-1000"]);
    let lives = |what: &str| -> Result<()> {
        let (now, _) = guard(&host)?;
        ensure!(now == pid, "after {what} it is {now} and was {pid}");
        Ok(())
    };
    host.run(["systemctl", "daemon-reload"])?;
    host.run(["systemctl", "daemon-reexec"])?;
    lives("daemon-reexec")?;
    host.run(["systemctl", "--no-block", "isolate", "rescue.target"])?;
    wait::until("rescue mode", SOON, || expect(&host, "trouble", "rescue.target is active"))?;
    lives("rescue mode")?;
    host.run(["systemctl", "--no-block", "default"])?;
    wait::until("the host to be well again", SOON, || expect(&host, "trouble", "none"))?;
    into_emergency(&host)?;
    lives("emergency mode")?;
    host.freeze_init(true)?;
    host.sh("pkill -KILL -f 'lockstep-agent own'")?;
    let (cause, aftermath) = over_a_reboot(&host, going, boots)?;
    assert_eq!(cause.kind, CauseKind::Interrupted);
    was_rebooted(&aftermath)?;
    promise(&host, &old)
}
