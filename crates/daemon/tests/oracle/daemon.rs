//! What is believed of a real daemon, held against it. Included as a module by whoever has one to run
//! against.
//!
//! Each check takes a [`Host`], whose daemon must take our word for paths (a trusted user), must not build in
//! a sandbox and must have no substituters; `/bin/sh` must exist there.

use std::{
    collections::BTreeSet,
    io::{self, Write},
    path::Path,
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use daemon::{
    AddPolicy, BuildMode, BuildStatus, Client, ContentMethod, DerivedPath, GarbageAction, LogEvent, News,
    Options, ProtocolVersion, Stream, Trust, UploadError, Verbosity,
};
use store::{
    closure::Closure,
    content_address::{ContentAddress, References},
    derivation::OutputName,
    hash::{Algorithm, Hash, Sha256},
    path_info::PathInfo,
    signature::{KeyName, SecretKey},
    store_path::{StoreDir, StorePath},
};

mod paths;

use self::paths::{file_nar, full, made_up, pair, random, tree_nar, unknown};

/// A daemon, and the programs that belong to it.
struct Host<'a> {
    /// Makes a new connection to the daemon.
    connect: &'a dyn Fn() -> Stream,
    /// Runs a command where the daemon is and gives its output; panics if the command fails.
    run: &'a dyn Fn(&[&str]) -> Vec<u8>,
    /// The version to speak.
    protocol: ProtocolVersion,
}

/// A check.
type Check = fn(&Host<'_>);

/// Every check for a trusted client, with its name. They may run in any order.
const CHECKS: &[(&str, Check)] = &[
    ("the greeting names the version", greeting),
    ("content gets the name we compute and reads back byte for byte", content),
    ("path information agrees with nix-store", path_info),
    ("queries of thousands of paths", bulk_queries),
    ("a closure with self-references goes in and comes out", closure),
    ("a thousand paths go in while the daemon tells everything", flood),
    ("signatures", signatures),
    ("bad NARs are refused and the connection lives", bad_nars),
    ("a NAR that its giver gives up is not added", given_up),
    ("errors are plain text and the connection lives", errors),
    ("a path that is not valid cannot be read", invalid_nar),
    ("roots keep from garbage", roots),
    ("builds tell and have results", builds),
    ("what is missing", missing),
];

/// Runs every check against a daemon, with each version of the protocol that is spoken.
pub(crate) fn check_all(connect: &dyn Fn() -> Stream, run: &dyn Fn(&[&str]) -> Vec<u8>) {
    for minor in ProtocolVersion::OLDEST.minor..=ProtocolVersion::NEWEST.minor {
        let host = Host { connect, run, protocol: ProtocolVersion { major: 1, minor } };
        CHECKS.iter().for_each(|(_, check)| check(&host));
    }
}

/// What holds for a client that the daemon does not trust.
pub(crate) fn check_untrusted(connect: &dyn Fn() -> Stream) {
    let mut client = Client::connect(connect(), StoreDir::default()).unwrap();
    assert_eq!(client.peer().trust, Trust::NotTrusted);
    let path = add_file(&mut client, "untrusted", b"added by nobody").path;

    // Anyone may add any text as a signature; it must not be able to hide the path from us.
    let key = SecretKey::from_seed(KeyName::new("nobody-1").unwrap(), &[7; 32]);
    client.add_signatures(&path, &BTreeSet::from([key.sign(b"something else")])).unwrap();
    assert_eq!(client.query_path_info(&path).unwrap().unwrap().signatures.len(), 1);

    let (info, nar) = made_up("untrusted-unsigned", b"no signature", &[]);
    let refused = client.add_paths([&info], UNCHECKED, |_, sink| sink.write_all(&nar)).unwrap_err();
    assert_daemon_says(&refused, "signature");
    assert!(refused.connection_usable());
    assert!(!client.is_valid_path(&info.path).unwrap());
}

const UNCHECKED: AddPolicy = AddPolicy { repair: false, check_signatures: false };

impl Host<'_> {
    fn client(&self) -> Client {
        let client = Client::connect_with((self.connect)(), StoreDir::default(), self.protocol).unwrap();
        assert_eq!(client.peer().protocol, self.protocol);
        client
    }

    /// The words that a command prints.
    fn words(&self, command: &[&str]) -> Vec<String> {
        let output = String::from_utf8((self.run)(command)).unwrap();
        output.split_whitespace().map(str::to_owned).collect()
    }
}

fn greeting(host: &Host<'_>) {
    let client = host.client();
    assert_eq!(client.peer().trust, Trust::Trusted);
    let version = host.words(&["nix-store", "--version"]);
    assert_eq!(version.last(), Some(&client.peer().nix_version));
}

fn content(host: &Host<'_>) {
    let mut client = host.client();
    let store_dir = StoreDir::default();
    let other = add_file(&mut client, "other", b"something to refer to").path;
    let references = BTreeSet::from([other]);
    let (file, tree) = (b"#!/bin/sh\n".to_vec(), tree_nar());
    let none = BTreeSet::new();
    let cases = [
        (ContentMethod::Nar(Algorithm::Sha256), &none, &tree),
        (ContentMethod::Nar(Algorithm::Sha256), &references, &tree),
        (ContentMethod::Nar(Algorithm::Sha1), &none, &tree),
        (ContentMethod::Flat(Algorithm::Sha256), &none, &file),
        (ContentMethod::Flat(Algorithm::Sha512), &none, &file),
        (ContentMethod::Text, &references, &file),
    ];
    for (method, references, bytes) in cases {
        let name = "content".parse().unwrap();
        let info = client.add_content(&name, method, references, |sink| sink.write_all(bytes)).unwrap();
        assert!(info.is_content_addressed(&store_dir), "{method:?}: {info:?}");
        assert_eq!(&info.references, references);
        let dumped = dump(host, &info.path);
        assert_eq!(Sha256::of(&dumped), info.nar_hash);
        assert_eq!(nar_of(&mut client, &info), dumped);
        if let ContentMethod::Nar(_) = method {
            assert_eq!(&dumped, bytes);
        }
        if method == ContentMethod::Nar(Algorithm::Sha256) {
            let address = ContentAddress::Nar(Hash::from(Sha256::of(bytes)));
            let references = References { others: references.clone(), to_self: false };
            assert_eq!(address.store_path(&store_dir, &name, &references).unwrap(), info.path);
        }
    }
}

fn path_info(host: &Host<'_>) {
    let mut client = host.client();
    let (first, second) = pair("info");
    add(&mut client, &[first.clone(), second.clone()]);
    let info = client.query_path_info(&second.0.path).unwrap().unwrap();
    let path = full(&info.path);
    let expected = PathInfo { registration_time: info.registration_time, ..second.0 };
    assert_eq!(info, expected);
    assert_ne!(info.registration_time, 0);
    assert_eq!(host.words(&["nix-store", "--query", "--hash", &path]), [info.nar_hash.to_string()]);
    assert_eq!(host.words(&["nix-store", "--query", "--size", &path]), [info.nar_size.to_string()]);
    let references = host.words(&["nix-store", "--query", "--references", &path]);
    assert_eq!(BTreeSet::from_iter(references), info.references.iter().map(full).collect());
    let referrers = host.words(&["nix-store", "--query", "--referrers", &full(&first.0.path)]);
    let ours = client.query_referrers(&first.0.path).unwrap();
    assert_eq!(BTreeSet::from_iter(referrers), ours.iter().map(full).collect());
    assert_eq!(client.query_path_info(&unknown(1)).unwrap(), None);
    assert_eq!(client.query_path_from_hash_part(info.path.hash_part()).unwrap(), Some(info.path));
    assert_eq!(client.query_path_from_hash_part(unknown(1).hash_part()).unwrap(), None);
}

fn bulk_queries(host: &Host<'_>) {
    let mut client = host.client();
    let valid = add_file(&mut client, "bulk", b"valid").path;
    let mut paths: BTreeSet<_> = (0..5_000).map(unknown).collect();
    assert_eq!(client.query_valid_paths(&paths, false).unwrap(), BTreeSet::new());
    paths.insert(valid.clone());
    assert!(client.query_path_infos(&paths).unwrap().keys().eq([&valid]));
    assert_eq!(client.query_valid_paths(&paths, false).unwrap(), BTreeSet::from([valid.clone()]));
    assert!(client.is_valid_path(&valid).unwrap());
    assert!(!client.is_valid_path(&unknown(1)).unwrap());
}

fn closure(host: &Host<'_>) {
    let mut client = host.client();
    let (first, second) = pair("closure");
    let infos = Closure::new([second.0.clone(), first.0.clone()]).unwrap();
    let nars = [&first.1, &second.1];
    let mut next = nars.iter();
    let given =
        |_: &PathInfo, sink: &mut dyn Write| sink.write_all(next.next().ok_or(io::ErrorKind::NotFound)?);
    client.add_paths(infos.iter(), UNCHECKED, given).unwrap();
    for (info, nar) in [&first, &second] {
        assert_eq!(&dump(host, &info.path), nar);
        assert_eq!(&nar_of(&mut client, info), nar);
    }
    (host.run)(&["nix-store", "--verify-path", &full(&first.0.path), &full(&second.0.path)]);
}

fn flood(host: &Host<'_>) {
    let mut client = host.client();
    let events = Arc::new(Mutex::new(0_u64));
    let counter = events.clone();
    client.on_log(move |_| *counter.lock().unwrap() += 1);
    client.set_options(&Options { verbosity: Verbosity::Vomit, ..Options::default() }).unwrap();
    let seed = random();
    let many: Vec<_> = (0..1_000)
        .map(|index: u32| made_up(&format!("flood-{index}"), &[&seed[..], &[b'x'; 2048]].concat(), &[]))
        .collect();
    add(&mut client, &many);
    let paths: BTreeSet<_> = many.iter().map(|(info, _)| info.path.clone()).collect();
    assert_eq!(client.query_valid_paths(&paths, false).unwrap(), paths);
    let infos = client.query_path_infos(&paths).unwrap();
    assert!(infos.keys().eq(&paths));
    for (info, _) in &many {
        let registration_time = infos[&info.path].registration_time;
        assert_eq!(infos[&info.path], PathInfo { registration_time, ..info.clone() });
    }
    assert!(*events.lock().unwrap() > 1_000, "the daemon tells little: {events:?}");
}

fn signatures(host: &Host<'_>) {
    let mut client = host.client();
    let key = SecretKey::from_seed(KeyName::new("oracle-1").unwrap(), &[1; 32]);
    let (mut info, nar) = made_up("signed", &random(), &[]);
    let checked = AddPolicy { repair: false, check_signatures: true };
    let refused = client.add_nar(&info, checked, |sink| sink.write_all(&nar)).unwrap_err();
    assert_daemon_says(&refused, "signature");
    assert!(refused.connection_usable());
    add(&mut client, &[(info.clone(), nar)]);
    info.sign(&StoreDir::default(), &key).unwrap();
    client.add_signatures(&info.path, &info.signatures).unwrap();
    assert_eq!(client.query_path_info(&info.path).unwrap().unwrap().signatures, info.signatures);
    let public = key.public_key().to_string();
    let verify =
        ["nix", "--extra-experimental-features", "nix-command", "store", "verify", "--sigs-needed", "1"];
    (host.run)(&[&verify[..], &["--trusted-public-keys", &public, &full(&info.path)]].concat());
}

fn bad_nars(host: &Host<'_>) {
    let mut client = host.client();
    let (info, nar) = made_up("bad", &random(), &[]);
    let other = Sha256::of(b"something else");
    let wrong_hash = PathInfo { nar_hash: other, ..info.clone() };
    let garbage = vec![b'x'; 4 << 20];
    let long = PathInfo { nar_size: garbage.len() as u64, ..info.clone() };
    let cut = PathInfo { nar_size: info.nar_size - 8, ..info.clone() };
    for (info, nar) in [(&wrong_hash, &nar[..]), (&long, &garbage), (&cut, &nar[..nar.len() - 8])] {
        for many in [false, true] {
            let refused = if many {
                client.add_paths([info], UNCHECKED, |_, sink| sink.write_all(nar))
            } else {
                client.add_nar(info, UNCHECKED, |sink| sink.write_all(nar))
            };
            let refused = refused.unwrap_err();
            assert!(refused.connection_usable(), "{refused:?}");
            assert!(!client.is_valid_path(&info.path).unwrap());
        }
    }
    let announced = PathInfo { nar_size: info.nar_size + 8, ..info };
    let refused = client.add_nar(&announced, UNCHECKED, |sink| sink.write_all(&nar)).unwrap_err();
    assert!(matches!(refused, UploadError::NarSize { .. }), "{refused:?}");
    assert!(!client.is_usable());
    assert!(!host.client().is_valid_path(&announced.path).unwrap());
}

fn given_up(host: &Host<'_>) {
    for size in [10, 1 << 20] {
        let (info, nar) = made_up("given-up", &[&random()[..], &vec![1; size]].concat(), &[]);
        let mut client = host.client();
        let give = |sink: &mut dyn Write| -> io::Result<()> {
            sink.write_all(&nar)?;
            Err(io::Error::other("on second thoughts"))
        };
        let refused = client.add_nar(&info, UNCHECKED, give).unwrap_err();
        assert!(matches!(&refused, UploadError::Source { .. }), "{refused:?}");
        assert!(!refused.connection_usable());
        assert!(!client.is_usable());
        assert!(!host.client().is_valid_path(&info.path).unwrap());
        add(&mut host.client(), &[(info, nar)]);
    }
}

fn errors(host: &Host<'_>) {
    let mut client = host.client();
    let error = client.ensure_path(&unknown(1)).unwrap_err();
    let said = error.daemon().unwrap();
    assert!(said.message.contains(&full(&unknown(1))), "{said:?}");
    assert!(!said.to_string().contains('\x1b'), "{said:?}");
    assert!(error.connection_usable());
    assert!(!client.is_valid_path(&unknown(1)).unwrap());
}

fn invalid_nar(host: &Host<'_>) {
    let mut client = host.client();
    let error = client.nar_from_path(&unknown(1), 1 << 20, &mut io::sink()).unwrap_err();
    assert!(!error.connection_usable());
    assert!(!client.is_usable());
    assert!(error.to_string().contains("says no"), "{error:?}");
}

fn roots(host: &Host<'_>) {
    let mut holder = host.client();
    let path = add_file(&mut holder, "rooted", &random()).path;
    holder.add_temp_root(&path).unwrap();
    let mut client = host.client();
    let delete = GarbageAction::Delete(BTreeSet::from([path.clone()]));
    let refused = client.collect_garbage(&delete).unwrap_err();
    assert!(refused.connection_usable(), "{refused:?}");
    assert!(client.is_valid_path(&path).unwrap());

    let link = format!("/nix/var/nix/oracle-{path}");
    (host.run)(&["ln", "-s", &full(&path), &link]);
    client.add_indirect_root(link.as_ref()).unwrap();
    drop(holder);
    let found = client.find_roots().unwrap();
    assert!(
        found.iter().any(|root| root.link.as_os_str() == link.as_str() && root.path == path),
        "{found:?}"
    );
    let live = client.collect_garbage(&GarbageAction::ListLive).unwrap();
    assert!(live.paths.contains(&full(&path).into()));
    client.collect_garbage(&delete).unwrap_err();

    (host.run)(&["rm", &link]);
    // The process that served the first connection protects the path until it has ended.
    let is_dead = |client: &mut Client| {
        client.collect_garbage(&GarbageAction::ListDead).unwrap().paths.contains(&full(&path).into())
    };
    let deadline = Instant::now() + Duration::from_secs(10);
    while !is_dead(&mut client) {
        assert!(Instant::now() < deadline, "{path} stays alive");
        thread::sleep(Duration::from_millis(10));
    }
    let deleted = client.collect_garbage(&delete).unwrap();
    assert_eq!(deleted.paths, [Path::new(&full(&path))]);
    assert!(deleted.bytes_freed > 0);
    assert!(!client.is_valid_path(&path).unwrap());
}

fn builds(host: &Host<'_>) {
    let mut client = host.client();
    let lines = Arc::new(Mutex::new(Vec::new()));
    let heard = lines.clone();
    client.on_log(move |event| {
        if let LogEvent::Progress { news: News::BuildLogLine(line), .. } = event {
            heard.lock().unwrap().push(line);
        }
    });
    let good = instantiate(
        host,
        "good",
        "echo first line; printf '\\\\033[31mred\\\\033[0m\\\\n'; echo x > $out; echo y > $dev",
    );
    let bad = instantiate(host, "bad", "echo about to fail; exit 3");
    let wanted = [DerivedPath::all_outputs(good.clone()), DerivedPath::all_outputs(bad)];
    let mut options = Options { keep_going: true, ..Options::default() };
    options.overrides.insert("build-users-group".to_owned(), String::new());
    client.set_options(&options).unwrap();
    let results = client.build_paths(&wanted, BuildMode::Normal).unwrap();
    assert_eq!(results.len(), 2);
    let of = |path: &DerivedPath| results.iter().find(|result| result.path == *path).unwrap();
    let (good_result, bad_result) = (of(&wanted[0]), of(&wanted[1]));
    assert_eq!(good_result.status, BuildStatus::Built, "{good_result:?}");
    assert_eq!(good_result.outputs.keys().map(OutputName::as_str).collect::<Vec<_>>(), ["dev", "out"]);
    let outputs = host.words(&["nix-store", "--query", "--outputs", &full(&good)]);
    assert_eq!(BTreeSet::from_iter(outputs), good_result.outputs.values().map(full).collect());
    assert_eq!(bad_result.status, BuildStatus::PermanentFailure, "{bad_result:?}");
    assert!(!bad_result.status.is_success());
    assert!(bad_result.error.contains("exit code 3"), "{bad_result:?}");
    let lines = lines.lock().unwrap();
    for line in ["first line", "red", "about to fail"] {
        assert!(lines.iter().any(|heard| heard == line), "{lines:?}");
    }
    let again = client.build_paths(&wanted[..1], BuildMode::Normal).unwrap();
    assert_eq!(again[0].status, BuildStatus::AlreadyValid);
    assert_eq!(again[0].outputs, good_result.outputs);
}

fn missing(host: &Host<'_>) {
    let mut client = host.client();
    let derivation = instantiate(host, "missing", "echo > $out; echo > $dev");
    let wanted = [DerivedPath::all_outputs(derivation.clone()), DerivedPath::Path(unknown(1))];
    let missing = client.query_missing(&wanted).unwrap();
    assert_eq!(missing.will_build, BTreeSet::from([derivation]));
    assert_eq!(missing.will_substitute, BTreeSet::new());
    assert_eq!(missing.unknown, BTreeSet::from([unknown(1)]));
}

/// A derivation of a shell script with the outputs `out` and `dev`, different every time.
fn instantiate(host: &Host<'_>, name: &str, script: &str) -> StorePath {
    let salt = Sha256::of(&random()).to_base16();
    let expression = format!(
        "derivation {{ name = \"{name}\"; system = builtins.currentSystem; builder = \"/bin/sh\"; \
         outputs = [ \"out\" \"dev\" ]; args = [ \"-c\" \"{script}\" ]; salt = \"{salt}\"; }}"
    );
    let words = host.words(&["nix-instantiate", "--quiet", "--expr", &expression]);
    let path = words.last().unwrap().split('!').next().unwrap();
    StoreDir::default().parse(path.as_bytes()).unwrap()
}

fn assert_daemon_says(error: &UploadError<io::Error>, words: &str) {
    let UploadError::Exchange(error) = error else { panic!("{error:?}") };
    let said = error.daemon().unwrap();
    assert!(said.message.contains(words), "{said:?}");
}

fn add(client: &mut Client, paths: &[(PathInfo, Vec<u8>)]) {
    let mut nars = paths.iter().map(|(_, nar)| nar);
    let infos = paths.iter().map(|(info, _)| info);
    let give =
        |_: &PathInfo, sink: &mut dyn Write| sink.write_all(nars.next().ok_or(io::ErrorKind::NotFound)?);
    client.add_paths(infos.collect::<Vec<_>>(), UNCHECKED, give).unwrap();
}

fn add_file(client: &mut Client, name: &str, contents: &[u8]) -> PathInfo {
    let nar = file_nar(contents);
    let (name, method) = (name.parse().unwrap(), ContentMethod::Nar(Algorithm::Sha256));
    client.add_content(&name, method, &BTreeSet::new(), |sink| sink.write_all(&nar)).unwrap()
}

fn nar_of(client: &mut Client, info: &PathInfo) -> Vec<u8> {
    let mut nar = Vec::new();
    let size = client.nar_from_path(&info.path, info.nar_size, &mut nar).unwrap();
    assert_eq!(size, nar.len() as u64);
    assert_eq!(size, info.nar_size);
    nar
}

fn dump(host: &Host<'_>, path: &StorePath) -> Vec<u8> {
    (host.run)(&["nix-store", "--dump", &full(path)])
}
