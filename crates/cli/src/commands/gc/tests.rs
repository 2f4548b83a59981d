//! What is kept, as people and programs see it.

use deploy::{Fate, Garbage, HostRoot, Root, Stored, Why};
use report::Timestamp;

use super::lines;
use crate::{
    samples::{NOON, host, run, system},
    terminal::Look,
    wire,
};

const LOOK: Look = Look { color: false, width: Some(110), is_terminal: true };

fn root(name: &str, (why, letter): (Why, char), hours: u64, fate: Fate) -> HostRoot {
    let is_here = fate != Fate::Gone;
    let since = Timestamp(NOON.0 - hours * 3_600_000);
    let link = format!("/state/roots/{name}/{}", why.word()).into();
    let root = Root { why, link, system: system(letter).path, since, is_here };
    HostRoot { host: host(name), root, fate, nar_size: is_here.then_some(1_234_567_890) }
}

fn sample() -> Garbage {
    let built = || Why::Built(run());
    Garbage {
        roots: vec![
            root("old1", (Why::Running, 'd'), 2000, Fate::Departed),
            root("old1", (built(), 'd'), 2001, Fate::Departed),
            root("web1", (Why::Running, 'a'), 2, Fate::Kept),
            root("web1", (Why::Booted, 'b'), 50, Fate::Kept),
            root("web1", (Why::Profile, 'a'), 2, Fate::Kept),
            root("web1", (Why::Confirmed, 'a'), 2, Fate::Kept),
            root("web1", (built(), 'c'), 70, Fate::Surplus),
            root("web1", (built(), 'b'), 60, Fate::Kept),
            root("web1", (built(), 'a'), 3, Fate::Kept),
            root("web2", (Why::Running, 'f'), 400, Fate::Gone),
        ],
        nar_size: Some(2_345_678_901),
        freed: Some(987_654_321),
        unweighed: None,
        knows_fleet: true,
        logs: Stored { count: 52, bytes: 3_400_000 },
        surplus_logs: 2,
        reports: Stored { count: 3, bytes: 81_234 },
    }
}

#[test]
fn what_is_kept_and_what_can_go() {
    let kept = |root: &HostRoot| root.fate == Fate::Kept;
    let all_needed = Garbage {
        roots: sample().roots.into_iter().filter(kept).collect(),
        freed: Some(0),
        surplus_logs: 0,
        ..sample()
    };
    let mut unweighed = Garbage { nar_size: None, freed: None, ..sample() };
    unweighed.roots.iter_mut().for_each(|root| root.nar_size = None);
    let nothing = Garbage { roots: Vec::new(), nar_size: None, freed: None, ..sample() };
    let told = [
        (sample(), None),
        (sample(), Some(4)),
        (all_needed.clone(), None),
        (all_needed, Some(0)),
        (unweighed, None),
        (nothing, None),
    ];
    let told = told.map(|(garbage, trimmed)| lines(&garbage, trimmed, NOON, LOOK).join("\n"));
    insta::assert_snapshot!(told.join("\n\n"));
}

#[test]
fn the_json_of_what_is_kept() {
    let roots = sample().roots;
    let lines = roots.iter().map(|root| serde_json::to_string(&wire::root(root)).unwrap());
    let totals = [(None, None), (Some("/fleet/flake.nix"), Some(4))];
    let totals = totals
        .map(|(place, trimmed)| serde_json::to_string(&wire::garbage(&sample(), place, trimmed)).unwrap());
    insta::assert_snapshot!(lines.chain(totals).collect::<Vec<_>>().join("\n"));
}
