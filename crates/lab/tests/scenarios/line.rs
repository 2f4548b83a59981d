//! The line to a host: cut, slow, narrow.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use lab::{Host, Login};

use super::lab;

const BACK: Duration = Duration::from_secs(20);

/// The smallest of three round trips to the gateway, in milliseconds.
fn round_trip(host: &Host<'_>) -> Result<f64> {
    let ping = host.run(["ping", "-q", "-c", "3", "-i", "0.2", "10.9.0.1"])?;
    let figures =
        ping.lines().last().and_then(|line| line.split(" = ").nth(1)).context("ping said nothing")?;
    Ok(figures.split('/').next().context("ping gave no figures")?.parse()?)
}

#[test]
fn a_cut_line_ends_connections_and_comes_back() -> Result<()> {
    let lab = lab(["web1", "web2"])?;
    let (cut, other) = (lab.host("web1"), lab.host("web2"));
    cut.plug(false)?;
    assert!(!cut.answers_ssh());
    assert!(other.answers_ssh());
    assert_eq!(cut.run(["hostname"])?, "web1", "the console does not need the line");
    cut.plug(true)?;
    cut.wait_ssh(BACK)
}

#[test]
fn a_delayed_line_is_long_in_both_directions_and_only_there() -> Result<()> {
    let lab = lab(["far", "near"])?;
    let (far, near) = (lab.host("far"), lab.host("near"));
    far.delay(Some(25))?;
    assert!(round_trip(&far)? >= 50.0);
    assert!(round_trip(&near)? < 50.0);
    let much = far.ssh_command(Login::default()).arg("head -c 3000000 /dev/zero").run()?;
    assert_eq!(much.stdout, vec![0; 3_000_000], "what passes is whole");
    far.reboot(BACK)?;
    far.wait_ssh(BACK)?;
    assert!(round_trip(&far)? >= 50.0, "the line stays long over a reboot");
    far.delay(None)?;
    far.wait_ssh(BACK)?;
    assert!(round_trip(&far)? < 50.0);
    Ok(())
}

/// Only a lower bound is asserted: so many bits cannot pass sooner, however fast the machine is.
#[test]
fn a_narrow_line_is_narrow_in_both_directions() -> Result<()> {
    let lab = lab(["web1"])?;
    let host = lab.host("web1");
    host.limit_rate(Some(10_000))?;
    let megabyte = vec![7; 1_000_000];
    let login = Login::default();
    for command in ["head -c 1000000 /dev/urandom", "cat > /dev/null"] {
        let start = Instant::now();
        host.ssh_command(login).arg(command).input(megabyte.clone()).run()?;
        let least = Duration::from_secs_f64(1_000_000.0 * 8.0 / 10_000_000.0 * 0.9);
        assert!(start.elapsed() >= least, "`{command}` took only {:?}", start.elapsed());
    }
    host.limit_rate(None)
}
