//! A host whose clock is wrong.

use std::time::Duration;

use anyhow::Result;
use lab::wait;

use super::lab;

#[test]
fn a_hosts_clock_can_be_anywhere_while_others_keep_time() -> Result<()> {
    let lab = lab(["odd", "even"])?;
    let (odd, even) = (lab.host("odd"), lab.host("even"));
    let uptime = "import time; print(time.monotonic() < 1e9)";
    odd.set_clock("1970-01-01 00:00:00")?;
    assert_eq!(odd.run(["date", "+%Y"])?, "1970");
    assert_eq!(odd.ssh("date +%Y")?, "1970");
    odd.run(["systemd-run", "--quiet", "sh", "-c", "date +%Y > /root/part; mv /root/part /root/year"])?;
    let year = || odd.run(["cat", "/root/year"]);
    assert_eq!(wait::until("a service to read the clock", Duration::from_secs(10), year)?, "1970");
    assert_eq!(odd.run(["python3", "-c", uptime])?, "True");
    assert_ne!(even.ssh("date +%Y")?, "1970");
    Ok(())
}
