//! Copying a closure from one daemon to another.

use std::{collections::BTreeSet, time::Duration};

use daemon::{AddPolicy, Client, GarbageAction};
use store::{
    closure::Closure,
    hash::Sha256,
    nar::{Encoder, Event},
    path_info::PathInfo,
    store_path::{HashPart, StoreDir, StorePath},
};

use crate::{
    measure::{ROUNDS, Random, time},
    remote::Remote,
};

/// Paths, beside the one that refers to all of them.
const PATHS: usize = 1_000;

/// Bytes of each.
const SIZE: usize = 165_000;

/// Where the first daemon is, the root of a store that is made and removed.
const NEW_ROOT: &str = "/tmp/bench-daemon-copy";

const POLICY: AddPolicy = AddPolicy { repair: false, check_signatures: false };

/// Prints the time our copy takes from one daemon to another, against that of `nix copy` from the first one's store into
/// the same daemon, and into a store of its own process beside it. All questions are included.
pub(crate) fn against_nix(from: &Remote<'_>, to: &Remote<'_>) {
    let top = fill(&mut client(from));
    let (mut ours, mut to_daemon, mut in_process) = (Duration::MAX, Duration::MAX, Duration::MAX);
    for _ in 0..ROUNDS {
        ours = ours.min(time(|| copy(&mut client(from), &mut client(to), &top)));
        remove(to, &top);
        to_daemon = to_daemon.min(time(|| nix_copy(from, &format!("unix://{}", to.socket()), &top)));
        remove(to, &top);
        in_process = in_process.min(time(|| nix_copy(from, &format!("local?root={NEW_ROOT}"), &top)));
        from.run(&["rm", "-rf", NEW_ROOT]);
    }
    remove(from, &top);
    println!("bench daemon_add_s {:.3} s", ours.as_secs_f64());
    println!("bench daemon_add_ratio {:.2} ratio", ours.as_secs_f64() / to_daemon.as_secs_f64());
    println!("bench daemon_add_in_process_ratio {:.2} ratio", ours.as_secs_f64() / in_process.as_secs_f64());
}

fn client(remote: &Remote<'_>) -> Client {
    Client::connect(remote.connect(), StoreDir::default()).unwrap()
}

/// Copies the closure of `top`, all questions included.
fn copy(from: &mut Client, to: &mut Client, top: &StorePath) {
    let closure = closure(from, top);
    let paths = closure.iter().map(|info| info.path.clone()).collect();
    let valid = to.query_valid_paths(&paths, false).unwrap();
    let missing: Vec<_> = closure.iter().filter(|info| !valid.contains(&info.path)).collect();
    assert_eq!(missing.len(), PATHS + 1);
    to.add_paths(missing, POLICY, |info, sink| {
        from.nar_from_path(&info.path, info.nar_size, sink)?;
        Ok(())
    })
    .unwrap();
}

fn closure(client: &mut Client, top: &StorePath) -> Closure {
    let mut open = vec![top.clone()];
    let mut seen = BTreeSet::from([top.clone()]);
    let mut infos = Vec::new();
    while let Some(path) = open.pop() {
        let info = client.query_path_info(&path).unwrap().unwrap();
        open.extend(info.references.iter().filter(|path| seen.insert((*path).clone())).cloned());
        infos.push(info);
    }
    Closure::new(infos).unwrap()
}

fn remove(remote: &Remote<'_>, top: &StorePath) {
    let mut client = client(remote);
    let paths = closure(&mut client, top).iter().map(|info| info.path.clone()).collect();
    client.collect_garbage(&GarbageAction::Delete(paths)).unwrap();
}

fn nix_copy(from: &Remote<'_>, to: &str, top: &StorePath) {
    let top = StoreDir::default().display(top).to_string();
    let copy = ["nix", "--extra-experimental-features", "nix-command", "copy", "--no-check-sigs"];
    from.run(&[&copy[..], &["--from", "local", "--to", to, &top]].concat());
}

/// Adds [`PATHS`] paths and one that refers to all of them, and returns that one.
fn fill(client: &mut Client) -> StorePath {
    let mut random = Random(1);
    let mut paths: Vec<_> =
        (0..PATHS).map(|index| path(&format!("bench-{index}"), &random.bytes(SIZE))).collect();
    let (mut top, nar) = path("bench-top", b"top");
    top.references = paths.iter().map(|(info, _)| info.path.clone()).collect();
    let top_path = top.path.clone();
    paths.push((top, nar));
    let mut nars = paths.iter().map(|(_, nar)| nar);
    let infos: Vec<_> = paths.iter().map(|(info, _)| info).collect();
    client.add_paths(infos, POLICY, |_, sink| Ok(sink.write_all(nars.next().unwrap())?)).unwrap();
    top_path
}

fn path(name: &str, contents: &[u8]) -> (PathInfo, Vec<u8>) {
    let mut encoder = Encoder::new(Vec::new());
    let size = contents.len() as u64;
    let events =
        [Event::File { name: b"", executable: false, size }, Event::Contents(contents), Event::EndFile];
    events.iter().for_each(|event| encoder.write(*event).unwrap());
    let nar = encoder.finish().unwrap();
    let hash = Sha256::of(&nar);
    let hash_part = HashPart(*hash.0.first_chunk().unwrap());
    (PathInfo::new(StorePath::new(hash_part, name.parse().unwrap()), hash, nar.len() as u64), nar)
}
