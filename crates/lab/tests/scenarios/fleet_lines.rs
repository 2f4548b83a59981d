//! Deploys over lines that are cut or narrow, to hosts that are full, small or many.

use anyhow::{Context, Result, ensure};
use lab::{Host, HostSpec, wait};

use super::{
    fleets::{self, Fleet, running},
    outcomes::{Deploying, settled},
    systems::{BOOT, SOON},
};

/// A lost line is noticed soon, and a host goes back soon.
const HASTY: &str = r#"{ defaults = {
    confirmTimeout = "8s"; settle = "0s"; substitute = false;
    sshOptions = [ "ConnectTimeout=2" "ServerAliveInterval=1" ];
}; }"#;
/// The most memory that an agent may ever have had, in KiB.
const AGENT_PEAK: u64 = 32 << 10;
const MIB: u64 = 1 << 20;

/// Packages of so many bytes each, whose bytes nobody has yet.
fn packages<const N: usize>(names: [&str; N], size: u64) -> String {
    let package =
        |name| format!(r#"(pkgs.labPackage {{ pname = "{name}"; version = "1"; size = {size}; }})"#);
    format!("environment.systemPackages = [ {} ];", names.map(package).join(" "))
}

/// A unit whose start takes until `/run/go` is there.
fn gated(mark: &str) -> String {
    format!(
        r#"systemd.services.gated = {{
            wantedBy = [ "multi-user.target" ];
            serviceConfig = {{ Type = "oneshot"; RemainAfterExit = true; }};
            script = "until [ -e /run/go ]; do sleep 0.1; done; : {mark}";
        }};"#
    )
}

/// Waits until this many packages of a copy have begun to arrive.
fn wait_arriving(host: &Host<'_>, pattern: &str, number: usize) -> Result<()> {
    wait::until("the copy to be under way", BOOT, || {
        let found =
            host.sh(&format!("ls -d /nix/store/*-{pattern} 2>/dev/null | grep -v -e drv -e lock | wc -l"))?;
        ensure!(found.parse::<usize>()? >= number, "{found} have begun");
        Ok(())
    })
}

fn wait_activating(host: &Host<'_>) -> Result<()> {
    wait::until("the unit to be starting", BOOT, || {
        let state = host.output(["systemctl", "is-active", "gated.service"])?.stdout_text();
        ensure!(state == "activating", "it is {state}");
        Ok(())
    })
}

#[test]
fn a_disk_that_is_full_or_fills_up_leaves_the_host_as_it_was() -> Result<()> {
    let lab = fleets::with_operator(["web1"])?.start()?;
    let host = lab.host("web1");
    let mut fleet = Fleet::new(&lab, &["web1"])?;
    fleet.settings(HASTY)?;
    let old = settled(&host)?;
    fleet.define("web1", &packages(["part-a", "part-b"], 6 * MIB))?;

    host.fill_disk("/", 22 * MIB)?;
    let outcome = fleet.deploy(1, &["--all"])?;
    let web1 = outcome.of("web1")?;
    web1.is("failed", "space", &["MiB are to be copied", "MiB are free"])?;
    assert_eq!((web1.stage.as_deref(), web1.bytes), (Some("ship"), 0), "{web1:?}");
    assert_eq!(host.sh("ls -d /nix/store/*-part-* 2>/dev/null || true")?, "", "nothing was copied");
    assert_eq!(settled(&host)?, old);
    host.run(["rm", "/lab-fill"])?;

    host.limit_rate(Some(16_000))?;
    let deploying = fleet.start_deploy(&["--all"])?;
    wait_arriving(&host, "part-*", 1)?;
    host.fill_disk("/", MIB / 2)?;
    let outcome = deploying.end(1)?;
    outcome.of("web1")?.is("failed", "space", &["its disk is full", "collect garbage"])?;
    assert_eq!(settled(&host)?, old);
    host.wait_ssh(SOON)?;

    host.run(["rm", "/lab-fill"])?;
    host.limit_rate(None)?;
    fleet.deploy(0, &["--all"])?.of("web1")?.is("confirmed", "", &[])?;
    assert_ne!(settled(&host)?, old);
    host.wait_ssh(SOON)
}

#[test]
fn a_copy_that_is_cut_off_is_gone_on_with() -> Result<()> {
    let lab = fleets::with_operator(["web1"])?.start()?;
    let host = lab.host("web1");
    let mut fleet = Fleet::new(&lab, &["web1"])?;
    fleet.settings(HASTY)?;
    let old = settled(&host)?;
    fleet.define("web1", &packages(["part-a", "part-b", "part-c", "part-d"], 4 * MIB))?;

    host.limit_rate(Some(12_000))?;
    let deploying = fleet.start_deploy(&["--all"])?;
    wait_arriving(&host, "part-*", 3)?;
    host.plug(false)?;
    let outcome = deploying.end(1)?;
    host.plug(true)?;
    let web1 = outcome.of("web1")?;
    web1.is("failed", "transfer", &[])?;
    web1.noted("the copy was cut off and is taken up again")?;
    assert_eq!((web1.stage.as_deref(), settled(&host)?), (Some("ship"), old.clone()));
    host.wait_ssh(SOON)?;

    // Short enough for the tries of one run.
    let deploying = fleet.start_deploy(&["--all"])?;
    wait_arriving(&host, "part-*", 4)?;
    host.plug(false)?;
    fleet.wait_log("is taken up again: ", SOON)?;
    host.plug(true)?;
    host.limit_rate(None)?;
    let outcome = deploying.end(0)?;
    let web1 = outcome.of("web1")?;
    web1.is("confirmed", "", &[])?;
    ensure!(web1.bytes < 12 * MIB, "{} bytes were sent, though at least two parts were there", web1.bytes);
    assert_ne!(settled(&host)?, old);
    host.wait_ssh(SOON)
}

#[test]
fn a_line_that_is_cut_during_the_activation_does_not_hide_how_it_ended() -> Result<()> {
    let lab = fleets::with_operator(["web1"])?.start()?;
    let host = lab.host("web1");
    let mut fleet = Fleet::new(&lab, &["web1"])?;
    fleet.settings(HASTY)?;
    let old = settled(&host)?;

    // It comes back while the activation goes on: the operator is there again in time.
    fleet.define("web1", &gated("first"))?;
    let deploying = fleet.start_deploy(&["--all"])?;
    wait_activating(&host)?;
    host.plug(false)?;
    fleet.wait_log("the connection was lost during the activation", SOON)?;
    host.plug(true)?;
    host.run(["touch", "/run/go"])?;
    confirmed_after_a_loss(deploying)?;
    let new = settled(&host)?;
    assert_ne!(new, old);

    // It comes back when the host has gone back: the operator learns that.
    fleet.define("web1", &gated("second"))?;
    host.run(["rm", "/run/go"])?;
    let deploying = fleet.start_deploy(&["--all"])?;
    wait_activating(&host)?;
    host.plug(false)?;
    host.run(["touch", "/run/go"])?;
    wait::until_true("the new system to run", SOON, || running(&host).is_ok_and(|found| found != new))?;
    wait::until_true("the host to go back", BOOT, || running(&host).is_ok_and(|found| found == new))?;
    host.plug(true)?;
    let outcome = deploying.end(3)?;
    let web1 = outcome.of("web1")?;
    web1.is("rolled_back", "unconfirmed", &[])?;
    web1.noted("the connection was lost during the activation")?;
    assert_eq!(settled(&host)?, new);
    host.wait_ssh(SOON)
}

fn confirmed_after_a_loss(deploying: Deploying) -> Result<()> {
    let outcome = deploying.end(0)?;
    let web1 = outcome.of("web1")?;
    web1.is("confirmed", "", &[])?;
    web1.noted("the connection was lost during the activation")
}

/// The full size, 167 MB, takes more than two minutes on such a line and is measured by the bench instead.
#[test]
fn a_small_host_on_a_narrow_line_is_deployed_with_a_small_agent() -> Result<()> {
    let small = HostSpec { memory_mib: Some(512), ..HostSpec::new("small") };
    let lab = fleets::with_operator([])?.host(small).start()?;
    let host = lab.host("small");
    host.limit_rate(Some(10_000))?;
    let mut fleet = Fleet::new(&lab, &["small"])?;
    fleet.define("small", &packages(["big"], 24_000_000))?;
    let mut deploying = fleet.start_deploy(&["--all"])?;
    let mut peak = 0;
    while deploying.goes_on() {
        peak = peak.max(agent_peak(&host)?);
    }
    let outcome = deploying.end(0)?;
    let small = outcome.of("small")?;
    small.is("confirmed", "", &[])?;
    ensure!(small.bytes > 24_000_000, "{small:?}");
    ensure!((1..=AGENT_PEAK).contains(&peak), "the agent had {peak} KiB");
    settled(&host)?;
    host.wait_ssh(SOON)
}

/// The most that any session of an agent has had of memory up to now, in KiB; 0 if there is none.
fn agent_peak(host: &Host<'_>) -> Result<u64> {
    let script = "for pid in $(pgrep -f 'lockstep-agent session$'); do grep VmHWM: /proc/$pid/status; done 2>/dev/null || true";
    let found = host.sh(script)?;
    let peaks = found
        .lines()
        .map(|line| line.split_whitespace().nth(1).context("no figure")?.parse().context(line.to_owned()));
    Ok(peaks.collect::<Result<Vec<u64>>>()?.into_iter().max().unwrap_or(0))
}

#[test]
fn twenty_hosts_are_deployed_at_once() -> Result<()> {
    let names: [String; 20] = std::array::from_fn(|number| format!("h{}", number + 1));
    let hosts = names.each_ref().map(String::as_str);
    let lab = fleets::with_operator(hosts)?.start()?;
    let mut fleet = Fleet::new(&lab, &hosts)?;
    fleet.settings(r#"{ defaults.settle = "0s"; }"#)?;
    for host in hosts {
        fleet.define(host, &format!(r#"environment.etc."motd".text = "{host}\n";"#))?;
    }
    let outcome = fleet.deploy(0, &["--all"])?;
    for name in hosts {
        outcome.of(name)?.is("confirmed", "", &[])?;
        let host = lab.host(name);
        assert_eq!(host.run(["cat", "/etc/motd"])?, name);
        settled(&host)?;
    }
    Ok(())
}

#[test]
fn a_long_path_goes_on_where_a_pulled_cable_left_it() -> Result<()> {
    let lab = fleets::with_operator(["web1"])?.start()?;
    let host = lab.host("web1");
    let mut fleet = Fleet::new(&lab, &["web1"])?;
    fleet.settings(HASTY)?;
    fleet.define("web1", &packages(["long"], 24 * MIB))?;
    host.limit_rate(Some(24_000))?;
    let deploying = fleet.start_deploy(&["--all"])?;
    wait::until("half of it to come", BOOT, || {
        let come = host.sh("cat /nix/var/lockstep/incoming/* | wc -c")?;
        ensure!(come.parse::<u64>()? >= 12 * MIB, "{come} bytes");
        Ok(())
    })?;
    host.plug(false)?;
    fleet.wait_log("is taken up again: ", SOON)?;
    host.plug(true)?;
    host.limit_rate(None)?;
    let outcome = deploying.end(0)?;
    let web1 = outcome.of("web1")?;
    web1.is("confirmed", "", &[])?;
    // What was sent over a line that broke is not told.
    ensure!(web1.bytes < 14 * MIB, "{} bytes were sent, though half was there", web1.bytes);
    host.wait_ssh(SOON)
}
