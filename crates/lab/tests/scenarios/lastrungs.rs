//! The last rungs of a way back: systemd itself is in trouble, and the host comes back all the same.

use anyhow::{Result, ensure};
use lab::{Host, wait};

use super::{
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
    let said = || Ok(ensure!(host.run(["cat", "/run/said"])?.contains("systemd (process 1) is silent")));
    wait::until("what is said of a silent systemd", SOON, said)?;
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
    reboots(&host, before, ":", "3")?;
    systems::current(&host).map(drop)
}
