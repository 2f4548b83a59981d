//! Disks that take nothing at the moment of the way back.

use anyhow::{Result, ensure};
use lab::{Host, wait};

use super::{BACK, Case, UNCONFIRMED, all, survived};
use crate::{
    fleet_runs::{json, motd},
    fleets::{self, Fleet, running},
    systems,
};

fn wait_back(host: &Host<'_>, old: &str) -> Result<()> {
    wait::until("the way back", BACK, || {
        let now = running(host)?;
        ensure!(now == old, "it runs {now}");
        Ok(())
    })
}

#[test]
fn full_and_read_only() -> Result<()> {
    let hosts = ["full", "broken"];
    let lab = fleets::with_operator(hosts)?.start()?;
    let mut fleet = Fleet::new(&lab, &hosts)?;
    fleet.settings(r#"{ defaults = { settle = "0s"; confirmTimeout = "20s"; }; }"#)?;
    let (full, broken) = (lab.host("full"), lab.host("broken"));
    let old = [running(&full)?, running(&broken)?];
    for name in hosts {
        fleet.define(name, &motd("held"))?;
    }
    fleet.expect(5, &["deploy", "--all", "--yes", "--hold"])?;
    broken.run(["sync"])?;
    broken.break_disk()?;
    full.fill_disk("/nix/var", 1 << 20)?;
    // Also what only root may still write.
    full.sh("cat /dev/zero 2>/dev/null > /nix/var/lab-rest || true")?;
    for (host, old) in [full, broken].into_iter().zip(&old) {
        wait_back(&host, old)?;
    }
    let done = json(&fleet, 3, &["attach", "full"])?;
    let case = Case {
        id: "disk-full",
        happens: "The disk has no byte left at the moment of the way back, nor afterwards.",
        ..UNCONFIRMED
    };
    let first = survived(&fleet, &full, &case, &done, &old[0]);
    // What could not be written is found out again in the next boot.
    systems::power_cycle(&broken)?;
    let done = json(&fleet, 3, &["attach", "broken"])?;
    let case = Case {
        id: "disk-read-only",
        happens: "The disk takes no writes at the moment of the way back; then the power is cut.",
        cause: "interrupted",
        ..UNCONFIRMED
    };
    all([first, survived(&fleet, &broken, &case, &done, &old[1])])
}
