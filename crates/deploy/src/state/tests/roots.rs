//! The links that keep systems.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use store::store_path::StorePath;

use super::{Place, State, host, runs};
use crate::state::{Fate, Why, fates};

/// A system whose hash is this letter all over. No store has it.
fn system(letter: char) -> StorePath {
    format!("{}-nixos-system-web1", letter.to_string().repeat(32)).parse().expect("a path")
}

fn links(place: &Place) -> Vec<String> {
    super::super::files::names(&place.0.join("roots/web1.example.org"))
}

/// Why and what the host's links keep, as `running=a`.
fn kept(state: &State) -> Vec<String> {
    let roots = state.roots(&host());
    roots.iter().map(|root| format!("{}={}", root.why.word(), &root.system.to_string()[..1])).collect()
}

/// What a build does.
fn build(state: &State, run: &crate::RunId, letter: char) {
    let link = state.root_for(&host(), run).expect("a place");
    symlink(super::super::roots::store_file(&system(letter)), link).expect("a link");
}

#[test]
fn a_link_is_replaced_in_one_step() {
    let place = Place::new("point");
    let state = place.state();
    assert!(!state.is_rooted(&host(), &Why::Running, &system('a')));
    assert!(state.point_root(&host(), &Why::Running, &system('a')).expect("a link").is_new);
    assert!(state.is_rooted(&host(), &Why::Running, &system('a')));
    // What a writer that died has left is no obstacle.
    fs::write(place.0.join("roots/web1.example.org/.new"), b"").expect("written");
    let pointed = state.point_root(&host(), &Why::Running, &system('b')).expect("a link");
    assert!(!pointed.is_new, "Nix knows it already");
    let target = fs::read_link(&pointed.link).expect("a link");
    assert_eq!(target, PathBuf::from(format!("/nix/store/{}", system('b'))));
    state.point_root(&host(), &Why::Confirmed, &system('a')).expect("a link");
    assert_eq!(kept(&state), ["running=b", "confirmed=a"]);
    assert_eq!(links(&place), ["confirmed", "running"], "and nothing else");
    assert!(state.roots(&host()).iter().all(|root| !root.is_here && root.since.0 > 0));
}

#[test]
fn a_link_is_removed_only_if_it_names_what_it_did() {
    let place = Place::new("unroot");
    let state = place.state();
    let link = state.point_root(&host(), &Why::Running, &system('a')).expect("a link").link;
    state.point_root(&host(), &Why::Running, &system('b')).expect("a link");
    assert!(!state.unroot(&host(), (&link, &system('a'))).expect("looked at"));
    assert_eq!(kept(&state), ["running=b"]);
    assert!(state.unroot(&host(), (&link, &system('b'))).expect("removed"));
    assert!(!state.unroot(&host(), (&link, &system('b'))).expect("looked at"));
    assert!(kept(&state).is_empty());
}

#[test]
fn old_builds_go_and_reasons_stay() {
    let place = Place::new("builds");
    let state = place.state();
    for (run, letter) in runs(6).iter().zip("abcddf".chars()) {
        build(&state, run, letter);
    }
    for why in [Why::Running, Why::Booted, Why::Profile, Why::Confirmed] {
        state.point_root(&host(), &why, &system('a')).expect("a link");
    }
    state.prune_roots(&host());
    // They are in no store, which is `lockstep gc`'s to tell.
    assert_eq!(kept(&state), ["running=a", "booted=a", "profile=a", "confirmed=a", "built=d", "built=f"]);
    let all = fates(&state.roots(&host()), false);
    assert!(all.iter().all(|fate| *fate == Fate::Gone), "{all:?}");
}

#[test]
fn what_is_not_ours_is_left_alone() {
    let place = Place::new("foreign");
    let state = place.state();
    for run in runs(4) {
        build(&state, &run, 'a');
    }
    let directory = place.0.join("roots/web1.example.org");
    symlink("/nix/store/somewhere", directory.join("running")).expect("a link");
    symlink("/etc/passwd", directory.join(runs(9)[8].as_str())).expect("a link");
    fs::write(directory.join("notes"), b"mine").expect("written");
    fs::create_dir(place.0.join("roots/no host")).expect("made");
    assert_eq!(state.rooted_hosts(), [host()]);
    assert_eq!(kept(&state), ["built=a"; 4]);
    state.prune_roots(&host());
    assert_eq!(kept(&state), ["built=a"]);
    assert_eq!(links(&place).len(), 4);
}
