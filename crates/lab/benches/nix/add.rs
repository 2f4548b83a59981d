//! Adding a closure to a daemon.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, thread,
    time::Duration,
};

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

/// The times of three ways of `nix copy`.
struct Theirs {
    /// From the store of one daemon to that of another, as we do: both are asked over their sockets, and the
    /// files are read where they are. What everybody may do who is not root.
    between_daemons: Duration,
    /// The same, but root reads the database of the first store itself.
    from_database: Duration,
    /// And writes the second store itself, too; without any daemon.
    in_process: Duration,
}

/// Prints the time our copy between the stores of two daemons takes against that of `nix copy`. All copy files in
/// memory, and all questions are included.
pub(crate) fn against_copy(from: &Nix, to: &Nix) {
    let top = fill(&mut client(from));
    let never = Duration::MAX;
    let mut ours = never;
    let mut theirs = Theirs { between_daemons: never, from_database: never, in_process: never };
    for _ in 0..ROUNDS {
        shorten(&mut ours, || copy(from, to, &top));
        remove(to, &top);
        let (source, target) = (format!("unix://{}", from.socket()), format!("unix://{}", to.socket()));
        shorten(&mut theirs.between_daemons, || nix_copy(from, &source, &target, &top));
        remove(to, &top);
        shorten(&mut theirs.from_database, || nix_copy(from, "local", &target, &top));
        remove(to, &top);
        shorten(&mut theirs.in_process, || {
            nix_copy(from, "local", &format!("local?root={NEW_ROOT}"), &top);
        });
        from.run(&["rm", "-rf", NEW_ROOT]);
    }
    remove(from, &top);
    let ratio = |theirs: Duration| ours.as_secs_f64() / theirs.as_secs_f64();
    println!("bench daemon_add_s {:.3} s", ours.as_secs_f64());
    println!("bench daemon_add_ratio {:.2} ratio", ratio(theirs.between_daemons));
    println!("bench daemon_add_from_database_ratio {:.2} ratio", ratio(theirs.from_database));
    println!("bench daemon_add_in_process_ratio {:.2} ratio", ratio(theirs.in_process));
}

fn shorten(shortest: &mut Duration, work: impl FnOnce()) {
    *shortest = (*shortest).min(time(work));
}

fn client(nix: &Nix) -> Client {
    Client::connect(nix.connect(), StoreDir::default()).unwrap()
}

/// Copies the closure of `top`. The second daemon is greeted while the first is asked for the closure.
fn copy(from: &Nix, to: &Nix, top: &StorePath) {
    let (closure, mut target) = thread::scope(|scope| {
        let target = scope.spawn(|| client(to));
        (closure(&mut client(from), top), target.join().unwrap())
    });
    let paths = closure.iter().map(|info| info.path.clone()).collect();
    let valid = target.query_valid_paths(&paths, false).unwrap();
    let missing: Vec<_> = closure.iter().filter(|info| !valid.contains(&info.path)).collect();
    assert_eq!(missing.len(), PATHS + 1);
    target.add_paths(missing, POLICY, |info, sink| dump(&from.file(&info.path), sink)).unwrap();
}

fn closure(client: &mut Client, top: &StorePath) -> Closure {
    let mut open = BTreeSet::from([top.clone()]);
    let mut infos = BTreeMap::new();
    while !open.is_empty() {
        let more = client.query_path_infos(&open).unwrap();
        assert_eq!(more.len(), open.len());
        let references: BTreeSet<_> = more.values().flat_map(|info| &info.references).cloned().collect();
        infos.extend(more);
        open = references.into_iter().filter(|path| !infos.contains_key(path)).collect();
    }
    Closure::new(infos.into_values()).unwrap()
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

fn nix_copy(nix: &Nix, from: &str, to: &str, top: &StorePath) {
    let top = StoreDir::default().display(top).to_string();
    let copy = ["nix", "--extra-experimental-features", "nix-command", "copy", "--no-check-sigs"];
    nix.run(&[&copy[..], &["--from", from, "--to", to, &top]].concat());
}

/// Adds [`PATHS`] paths and one that refers to all of them, which it returns.
fn fill(client: &mut Client) -> StorePath {
    let scratch = Scratch::new();
    let mut random = Random(1);
    let mut infos: Vec<_> =
        (0..PATHS).map(|index| make_path(&format!("bench-{index}"), &random.bytes(SIZE), &scratch)).collect();
    let mut top = make_path("bench-top", b"top", &scratch);
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
