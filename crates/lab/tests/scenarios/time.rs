//! A host whose clock is wrong.

use anyhow::Result;

use super::lab;

#[test]
fn a_hosts_clock_can_be_anywhere_while_others_keep_time() -> Result<()> {
    let lab = lab(["odd", "even"])?;
    let (odd, even) = (lab.host("odd"), lab.host("even"));
    let uptime = "import time; print(int(time.monotonic() < 1e9))";
    odd.set_clock("1970-01-01 00:00:00")?;
    assert_eq!(odd.ssh("date +%Y")?, "1970");
    assert_eq!(odd.run(["systemd-run", "--quiet", "--pipe", "--wait", "date", "+%Y"])?, "1970");
    assert_eq!(odd.run(["python3", "-c", uptime])?, "1");
    assert_ne!(even.ssh("date +%Y")?, "1970");
    Ok(())
}
