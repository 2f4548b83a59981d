//! Somebody else switches the host while an activation waits there.

use anyhow::Result;

use super::{CONFIRMED, Case, all, survived};
use crate::{
    fleet_runs::{json, motd},
    fleets::{self, Fleet, running},
    systems,
};

const TAKEN: Case = Case { ending: "stuck", cause: "taken-over", ..CONFIRMED };

#[test]
fn a_third_system() -> Result<()> {
    let hosts = ["confirmed", "left"];
    let lab = fleets::with_operator(hosts)?.start()?;
    let mut fleet = Fleet::new(&lab, &hosts)?;
    fleet.settings(r#"{ defaults.settle = "0s"; hosts.left.confirmTimeout = "25s"; }"#)?;
    for name in hosts {
        fleet.define(name, &motd("held"))?;
    }
    fleet.expect(5, &["deploy", "--all", "--yes", "--hold"])?;
    for name in hosts {
        let host = lab.host(name);
        let [rescue] = systems::build(&host, [&motd("rescued")])?;
        systems::test_while_logged_in(&host, &rescue)?;
    }
    // A confirmation of what does not run any more is none.
    json(&fleet, 1, &["confirm", "confirmed"])?.expect(
        "confirmed",
        ("failed", "refused"),
        &["another system"],
    )?;
    let console = Case {
        id: "I",
        happens: "A person at the console switches to a third system; the operator confirms.",
        ..TAKEN
    };
    let left = Case {
        id: "I-deadline",
        happens: "The same, and nobody confirms: the guard leaves the rescue alone.",
        ..TAKEN
    };
    all([("confirmed", console), ("left", left)].into_iter().map(|(name, case)| {
        let host = lab.host(name);
        let rescue = running(&host)?;
        let done = json(&fleet, 4, &["attach", name])?;
        survived(&fleet, &host, &case, &done, &rescue)
    }))
}
