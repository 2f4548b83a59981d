//! Answers written as a daemon writes them.

use std::time::Duration;

use proptest::{collection, option, prelude::*};
use store::derivation::OutputName;

use super::*;
use crate::wire::tests::{path_info, store_path, store_paths};

fn output_name() -> impl Strategy<Value = OutputName> {
    "[a-z]{1,8}".prop_map(|name| OutputName::new(name.as_bytes()).unwrap())
}

fn derived_path() -> impl Strategy<Value = DerivedPath> {
    let some = collection::btree_set(output_name(), 1..3)
        .prop_filter_map("none", |names| OutputSet::new(names).map(OutputNames::Some));
    let outputs = prop_oneof![Just(OutputNames::All), some];
    prop_oneof![
        store_path().prop_map(DerivedPath::Path),
        (store_path(), outputs)
            .prop_map(|(derivation, outputs)| DerivedPath::Outputs { derivation, outputs }),
    ]
}

fn cpu_time() -> impl Strategy<Value = Option<Duration>> {
    option::of(any::<u64>().prop_map(Duration::from_micros))
}

fn build_result() -> impl Strategy<Value = BuildResult> {
    let numbers = (any::<u64>(), any::<bool>(), any::<u64>(), any::<u64>());
    let outputs = collection::btree_map(output_name(), store_path(), 0..3);
    (derived_path(), 0..17_u64, "[a-z\n]{0,9}[a-z]", numbers, (cpu_time(), cpu_time()), outputs).prop_map(
        |(path, status, error, numbers, (cpu_user, cpu_system), outputs)| {
            let (times_built, is_non_deterministic, start_time, stop_time) = numbers;
            let status = BuildStatus::new(status);
            BuildResult {
                path,
                status,
                error,
                times_built,
                is_non_deterministic,
                start_time,
                stop_time,
                cpu_user,
                cpu_system,
                outputs,
            }
        },
    )
}

/// As `WorkerProto::Serialise<BuildResult>::write` does it.
fn write_result(to: &mut Encoder<'_>, minor: u8, result: &BuildResult) {
    to.text(&result.path.display(to.store_dir()));
    to.number((0..).find(|number| BuildStatus::new(*number) == result.status).unwrap());
    to.text(&result.error);
    to.number(result.times_built);
    to.flag(result.is_non_deterministic);
    to.number(result.start_time);
    to.number(result.stop_time);
    if minor >= 37 {
        for time in [result.cpu_user, result.cpu_system] {
            to.flag(time.is_some());
            time.into_iter().for_each(|time| to.number(time.as_micros().try_into().unwrap()));
        }
    }
    to.list(&result.outputs, |to, (name, path)| {
        let id = format!("sha256:{}!{name}", "0".repeat(64));
        to.text(&id);
        to.text(&format!(
            r#"{{"dependentRealisations":{{}},"id":"{id}","outPath":"{path}","signatures":[]}}"#
        ));
    });
}

proptest! {
    #[test]
    fn build_results(results in collection::vec(build_result(), 0..4), minor in 35..=38_u8) {
        let says = answer(|to| to.list(&results, |to, result| write_result(to, minor, result)));
        let (mut client, sent) = fake::client(minor, &says);
        let wanted: Vec<_> = results.iter().map(|result| result.path.clone()).collect();
        let read = client.build_paths(&wanted, BuildMode::Check).unwrap();
        let expected: Vec<_> = results
            .into_iter()
            .map(|result| if minor >= 37 { result } else { BuildResult { cpu_user: None, cpu_system: None, ..result } })
            .collect();
        prop_assert_eq!(read, expected);
        let request = request(46, |to| {
            to.list(&wanted, |to, path| to.text(&path.display(to.store_dir())));
            to.number(2);
        });
        prop_assert_eq!(sent.take(), request);
    }

    #[test]
    fn path_infos(info in path_info()) {
        let says = answer(|to| {
            to.flag(true);
            to.path_info(&info);
        });
        let (mut client, _) = fake::client(38, &says);
        prop_assert_eq!(client.query_path_info(&info.path).unwrap(), Some(info));
    }

    #[test]
    fn missing(will_build in store_paths(), will_substitute in store_paths(), unknown in store_paths(), sizes: (u64, u64)) {
        let says = answer(|to| {
            to.paths(&will_build);
            to.paths(&will_substitute);
            to.paths(&unknown);
            to.number(sizes.0);
            to.number(sizes.1);
        });
        let expected = Missing { will_build, will_substitute, unknown, download_size: sizes.0, nar_size: sizes.1 };
        prop_assert_eq!(fake::client(38, &says).0.query_missing(&[]).unwrap(), expected);
    }

    #[test]
    fn roots(paths in collection::vec((store_path(), "[ -~]{0,20}"), 0..4)) {
        let roots: Vec<_> = paths.into_iter().map(|(path, link)| Root { link: link.into(), path }).collect();
        let says = answer(|to| to.list(&roots, |to, root| {
            to.text(&root.link.display());
            to.path(&root.path);
        }));
        prop_assert_eq!(fake::client(38, &says).0.find_roots().unwrap(), roots);
    }

    #[test]
    fn garbage(paths in collection::vec("[ -~]{0,20}", 0..4), bytes_freed: u64) {
        let says = answer(|to| {
            to.list(&paths, Encoder::text);
            to.number(bytes_freed);
            to.number(0);
        });
        let action = GarbageAction::DeleteDead { max_freed: 9 };
        let collected = fake::client(38, &says).0.collect_garbage(&action).unwrap();
        let paths = paths.into_iter().map(Into::into).collect();
        prop_assert_eq!(collected, Collected { paths, bytes_freed });
    }
}

#[test]
fn bad_build_results() {
    let result = |path: &str, id: &str, json: &str| {
        answer(|to| {
            to.number(1);
            to.string(path.as_bytes());
            to.number(0);
            to.string(b"");
            [0; 4].into_iter().for_each(|number| to.number(number));
            to.number(1);
            to.string(id.as_bytes());
            to.string(json.as_bytes());
        })
    };
    let derivation = format!("/nix/store/{}-x.drv", "0".repeat(32));
    let good_json = format!(r#"{{"outPath":"{}-x"}}"#, "0".repeat(32));
    let array_json = format!(r#"["{}-x"]"#, "0".repeat(32));
    let cases = [
        (&*derivation, "sha256:0!out", &*good_json, None),
        (&derivation, "sha256:0", &good_json, Some("`<hash>!<output name>`")),
        (&derivation, "sha256:0!", &good_json, Some("`<hash>!<output name>`")),
        (&derivation, "sha256:0!a/b", &good_json, Some("`<hash>!<output name>`")),
        (&derivation, "sha256:0!out", "{}", Some("a realisation")),
        (&derivation, "sha256:0!out", "[", Some("a realisation")),
        (&derivation, "sha256:0!out", &array_json, Some("a realisation")),
        (&derivation, "sha256:0!out", r#"{"outPath":"../x"}"#, Some("a realisation")),
        ("x.drv!*", "sha256:0!out", &good_json, Some("what was to be built")),
        (&*format!("{derivation}!"), "sha256:0!out", &good_json, Some("what was to be built")),
        (&*format!("{derivation}!a!b"), "sha256:0!out", &good_json, Some("what was to be built")),
    ];
    for (name, id, json, expected) in cases {
        let (mut client, _) = fake::client(35, &result(name, id, json));
        let error = client.build_paths(&[DerivedPath::Path(path("x.drv"))], BuildMode::Normal).err();
        let found = error.as_ref().map(|error| match error {
            Error::Protocol { source, .. } => source.expected,
            other => panic!("{other:?}"),
        });
        assert_eq!(found, expected, "{name} {id} {json}: {error:?}");
    }
}

/// A success of this path, which has no outputs.
fn success(path: &DerivedPath) -> BuildResult {
    BuildResult {
        path: path.clone(),
        status: BuildStatus::Built,
        error: String::new(),
        times_built: 1,
        is_non_deterministic: false,
        start_time: 0,
        stop_time: 0,
        cpu_user: None,
        cpu_system: None,
        outputs: std::collections::BTreeMap::new(),
    }
}

#[test]
fn each_path_to_be_built_has_one_result() {
    let wanted = wanted();
    let [a, b, c] = &*wanted else { panic!("three paths") };
    let other = DerivedPath::all_outputs(path("c.drv"));
    let asked_twice = [a, b, a].map(Clone::clone);
    let too_few = "expected a list of build results, found 2 for 3 paths";
    let too_many = "expected a list of build results, found 4, but the limit is 3";
    let not_asked = |path: &str| {
        let path = format!("/nix/store/{}-{path}", "0".repeat(32));
        format!("expected the result of a path that was to be built, found {path}")
    };
    let cases = [
        (&*wanted, vec![a, b, c], None),
        (&*wanted, vec![c, a, b], None),
        (&asked_twice[..], vec![a, a, b], None),
        (&*wanted, vec![], Some("expected a list of build results, found 0 for 3 paths".to_owned())),
        (&*wanted, vec![a, b], Some(too_few.to_owned())),
        (&*wanted, vec![a, b, c, c], Some(too_many.to_owned())),
        (&*wanted, vec![a, b, b], Some(not_asked("b.drv!*"))),
        (&*wanted, vec![a, b, &other], Some(not_asked("c.drv!*"))),
        (&asked_twice[..], vec![a, b, b], Some(not_asked("b.drv!*"))),
    ];
    for (wanted, answered, refused) in cases {
        let results: Vec<_> = answered.iter().map(|path| success(path)).collect();
        let says = answer(|to| to.list(&results, |to, result| write_result(to, 38, result)));
        let (mut client, _) = fake::client(38, &says);
        match (client.build_paths(wanted, BuildMode::Normal), refused) {
            (Ok(results), None) => assert_eq!(results, wanted.iter().map(success).collect::<Vec<_>>()),
            (Err(Error::Protocol { source, .. }), Some(refused)) => {
                assert!(source.to_string().ends_with(&refused), "{source}");
            }
            (result, refused) => panic!("{answered:?}: expected {refused:?}, found {result:?}"),
        }
    }
}
