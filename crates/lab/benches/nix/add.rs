//! Adding a closure to a daemon.

use std::{collections::BTreeSet, fs, thread, time::Duration};

use daemon::{AddPolicy, Client, GarbageAction, files::dump};
use store::{
    closure::Closure,
    hash::Sha256,
    path_info::PathInfo,
    store_path::{HashPart, StoreDir, StorePath},
};

use crate::{
    measure::{Random, time},
    rig::Nix,
    tree::Scratch,
};

/// More rounds than elsewhere: three processes share the processors, and the ratio moves with who gets them.
const ROUNDS: usize = 12;

/// Paths, beside the one that refers to all of them.
const PATHS: usize = 1_000;

/// Bytes of each.
const SIZE: usize = 165_000;

/// Where the first daemon is, the root of a store that is made and removed.
const NEW_ROOT: &str = "/tmp/bench-daemon-copy";

const POLICY: AddPolicy = AddPolicy { repair: false, check_signatures: false };

/// Prints the time our copy takes into a daemon, against that of `nix copy` into the same daemon, and into a
/// store of its own process. All copy from files in memory, and all questions are included.
pub(crate) fn against_copy(from: &Nix, to: &Nix) {
    let scratch = Scratch::new();
    let top = fill(&mut client(from), &scratch);
    let (mut ours, mut to_daemon, mut in_process) = (Duration::MAX, Duration::MAX, Duration::MAX);
    for _ in 0..ROUNDS {
        ours = ours.min(time(|| copy(&mut client(from), &mut client(to), &top, &scratch)));
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

fn client(nix: &Nix) -> Client {
    Client::connect(nix.connect(), StoreDir::default()).unwrap()
}

/// Copies the closure of `top`, whose files are in `scratch` too.
fn copy(from: &mut Client, to: &mut Client, top: &StorePath, scratch: &Scratch) {
    let closure = closure(from, top);
    let paths = closure.iter().map(|info| info.path.clone()).collect();
    let valid = to.query_valid_paths(&paths, false).unwrap();
    let missing: Vec<_> = closure.iter().filter(|info| !valid.contains(&info.path)).collect();
    assert_eq!(missing.len(), PATHS + 1);
    to.add_paths(missing, POLICY, |info, sink| dump(&scratch.path(&info.path.to_string()), sink)).unwrap();
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

fn remove(nix: &Nix, top: &StorePath) {
    let mut client = client(nix);
    let paths = closure(&mut client, top).iter().map(|info| info.path.clone()).collect();
    let delete = GarbageAction::Delete(paths);
    // The process that served the connection before holds on to what was added until it has ended.
    let mut attempts = (0..500).map(|_| {
        thread::sleep(Duration::from_millis(10));
        client.collect_garbage(&delete)
    });
    assert!(attempts.any(|attempt| attempt.is_ok()));
}

fn nix_copy(from: &Nix, to: &str, top: &StorePath) {
    let top = StoreDir::default().display(top).to_string();
    let copy = ["nix", "--extra-experimental-features", "nix-command", "copy", "--no-check-sigs"];
    from.run(&[&copy[..], &["--from", "local", "--to", to, &top]].concat());
}

/// Adds [`PATHS`] paths and one that refers to all of them, which it returns, and puts their files into
/// `scratch`.
fn fill(client: &mut Client, scratch: &Scratch) -> StorePath {
    let mut random = Random(1);
    let mut infos: Vec<_> =
        (0..PATHS).map(|index| make_path(&format!("bench-{index}"), &random.bytes(SIZE), scratch)).collect();
    let mut top = make_path("bench-top", b"top", scratch);
    top.references = infos.iter().map(|info| info.path.clone()).collect();
    let path = top.path.clone();
    infos.push(top);
    client.add_paths(&infos, POLICY, |info, sink| dump(&scratch.path(&info.path.to_string()), sink)).unwrap();
    path
}

fn make_path(name: &str, contents: &[u8], scratch: &Scratch) -> PathInfo {
    let hash_part = HashPart(*Sha256::of(contents).0.first_chunk().unwrap());
    let path = StorePath::new(hash_part, name.parse().unwrap());
    let file = scratch.path(&path.to_string());
    fs::write(&file, contents).unwrap();
    let mut nar = Vec::new();
    dump(&file, &mut nar).unwrap();
    PathInfo::new(path, Sha256::of(&nar), nar.len() as u64)
}
