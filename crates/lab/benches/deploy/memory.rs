//! The agent's peak memory while it receives 167 MB on a host with 512 MB of memory.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use anyhow::Result;
use lab::HostSpec;

use super::{
    as_number,
    fleets::{self, Fleet},
    report,
};

/// Bytes of the new paths.
const SIZE: u64 = 167_000_000;

pub(crate) fn measure() -> Result<()> {
    let lab = fleets::with_operator([])?
        .host(HostSpec { memory_mib: Some(512), ..HostSpec::new("small") })
        .start()?;
    let mut fleet = Fleet::new(&lab, &["small"])?;
    fleet.expect(0, &["deploy", "small", "--yes"])?;
    fleet.define("small", &format!(r#"environment.systemPackages = [ (pkgs.labPackage {{ pname = "big"; version = "1"; size = {SIZE}; }}) ];"#))?;
    let host = lab.host("small");
    let ended = AtomicBool::new(false);
    let (peak, seconds) = thread::scope(|scope| {
        let watch = scope.spawn(|| {
            let mut peak = 0;
            while !ended.load(Ordering::Relaxed) {
                let look = "for p in $(pgrep -f 'lockstep-agent session'); do awk '/VmHWM/ {print $2}' /proc/$p/status; done | sort -n | tail -1";
                let seen = host.sh(look).ok().and_then(|text| text.trim().parse::<u64>().ok()).unwrap_or(0);
                peak = peak.max(seen);
                thread::sleep(Duration::from_millis(100));
            }
            peak
        });
        let start = Instant::now();
        let done = fleet.expect(0, &["deploy", "small", "--yes"]);
        let seconds = start.elapsed().as_secs_f64();
        ended.store(true, Ordering::Relaxed);
        (watch.join(), done.map(|_| seconds))
    });
    report("deploy_167mb_s", seconds?, "s");
    report("agent_peak_kib", as_number(peak.unwrap_or(0)), "KiB");
    Ok(())
}
