//! Operations that ask one thing and get one answer.

use std::{io::Read as _, path::Path};

use store::signature::Signature;

use super::*;
use crate::{handshake::Trust, log::Verbosity};

/// An operation whose request is one path and whose answer is written by `write`.
fn of_path(
    operation: Operation,
    write: impl FnOnce(&mut Encoder<'_>),
    result: &'static str,
    run: fn(&mut Client) -> Result<String, Error>,
) -> Case {
    let request = request(operation.number(), |to| to.path(&path("a")));
    Case { operation, request, answer: answer(write), result, run }
}

fn questions() -> Vec<Case> {
    let bulk = request(31, |to| {
        to.paths(&set(&["a", "b", "c"]));
        to.flag(true);
    });
    let hash_part = request(29, |to| to.string(&[b'0'; 32]));
    let missing = request(40, |to| {
        to.number(3);
        for text in ["a", "b.drv!*", "c.drv!dev,out"] {
            to.text(&format!("/nix/store/{}-{text}", "0".repeat(32)));
        }
    });
    vec![
        of_path(
            Operation::IsValidPath,
            |to| to.flag(true),
            "true",
            |client| debug(client.is_valid_path(&path("a"))),
        ),
        of_path(
            Operation::QueryPathInfo,
            |to| to.flag(false),
            "None",
            |client| debug(client.query_path_info(&path("a"))),
        ),
        of_path(
            Operation::QueryReferrers,
            |to| to.paths(&set(&["b"])),
            "{StorePath(00000000000000000000000000000000-b)}",
            |client| debug(client.query_referrers(&path("a"))),
        ),
        Case {
            operation: Operation::QueryValidPaths,
            request: bulk,
            answer: answer(|to| to.paths(&set(&["b"]))),
            result: "{StorePath(00000000000000000000000000000000-b)}",
            run: |client| debug(client.query_valid_paths(&set(&["a", "b", "c"]), true)),
        },
        Case {
            operation: Operation::QueryPathFromHashPart,
            request: hash_part,
            answer: answer(|to| to.optional_path(None)),
            result: "None",
            run: |client| debug(client.query_path_from_hash_part(path("a").hash_part())),
        },
        Case {
            operation: Operation::QueryMissing,
            request: missing,
            answer: answer(|to| {
                to.paths(&set(&["b.drv"]));
                to.paths(&set(&[]));
                to.paths(&set(&["a"]));
                to.number(7);
                to.number(8);
            }),
            result: "Missing { will_build: {StorePath(00000000000000000000000000000000-b.drv)}, \
                     will_substitute: {}, unknown: {StorePath(00000000000000000000000000000000-a)}, \
                     download_size: 7, nar_size: 8 }",
            run: |client| debug(client.query_missing(&wanted())),
        },
    ]
}

fn orders() -> Vec<Case> {
    let signature: Signature = format!("key:{}==", "A".repeat(86)).parse().unwrap();
    let signatures = request(37, |to| {
        to.path(&path("a"));
        to.list([&signature], Encoder::text);
    });
    let link = request(12, |to| to.string(b"/some/where"));
    let options = request(19, |to| {
        [0, 1, 0, 6, 1, 0, 1, 7, 0, 0, 0, 1, 1].into_iter().for_each(|number| to.number(number));
        to.string(b"cores");
        to.string(b"2");
    });
    vec![
        of_path(
            Operation::EnsurePath,
            |to| to.number(1),
            "()",
            |client| debug(client.ensure_path(&path("a"))),
        ),
        of_path(
            Operation::AddTempRoot,
            |to| to.number(1),
            "()",
            |client| debug(client.add_temp_root(&path("a"))),
        ),
        Case {
            operation: Operation::AddSignatures,
            request: signatures,
            answer: answer(|to| to.number(1)),
            result: "()",
            run: |client| {
                let signature = format!("key:{}==", "A".repeat(86)).parse().unwrap();
                debug(client.add_signatures(&path("a"), &BTreeSet::from([signature])))
            },
        },
        Case {
            operation: Operation::AddIndirectRoot,
            request: link,
            answer: answer(|to| to.number(1)),
            result: "()",
            run: |client| debug(client.add_indirect_root(Path::new("/some/where"))),
        },
        Case {
            operation: Operation::FindRoots,
            request: request(14, |_| {}),
            answer: answer(|to| {
                to.number(1);
                to.string(b"/proc/7/\xff");
                to.path(&path("a"));
            }),
            result: "[Root { link: \"/proc/7/\\xFF\", path: StorePath(00000000000000000000000000000000-a) }]",
            run: |client| debug(client.find_roots()),
        },
        Case {
            operation: Operation::SetOptions,
            request: options,
            answer: answer(|_| {}),
            result: "()",
            run: |client| {
                let mut options =
                    Options { keep_going: true, verbosity: Verbosity::Debug, ..Options::default() };
                options.overrides.insert("cores".to_owned(), "2".to_owned());
                debug(client.set_options(&options))
            },
        },
        Case {
            operation: Operation::CollectGarbage,
            request: request(20, |to| {
                to.number(3);
                to.paths(&set(&["a", "b"]));
                [0, u64::MAX, 0, 0, 0].into_iter().for_each(|number| to.number(number));
            }),
            answer: answer(|to| {
                to.list([&b"/nix/store/.tmp"[..], b"/nix/store/\xff"], Encoder::string);
                to.number(4096);
                to.number(0);
            }),
            result: "Collected { paths: [\"/nix/store/.tmp\", \"/nix/store/\\xFF\"], bytes_freed: 4096 }",
            run: |client| debug(client.collect_garbage(&GarbageAction::Delete(set(&["a", "b"])))),
        },
    ]
}

fn cases() -> impl Iterator<Item = Case> {
    questions().into_iter().chain(orders())
}

#[test]
fn good_answers() {
    for Case { operation, request, answer, result, run } in cases() {
        let (mut client, sent) = fake::client(38, &[answer.clone(), answer].concat());
        for _ in 0..2 {
            assert_eq!(run(&mut client).unwrap(), result, "{operation:?}");
            assert_eq!(sent.take(), request, "{operation:?}");
            assert!(client.is_usable());
        }
    }
}

#[test]
fn every_cut_answer_ends_the_connection() {
    for Case { operation, answer, run, .. } in cases() {
        for length in 0..answer.len() {
            let (mut client, sent) = fake::client(38, &answer[..length]);
            let error = run(&mut client).unwrap_err();
            assert!(matches!(error, Error::Ended { operation: of, .. } if of == operation), "{error:?}");
            assert!(!error.connection_usable());
            assert_is_given_up(&mut client, &sent, operation);
        }
    }
}

#[test]
fn an_error_of_the_daemon_leaves_the_connection_usable() {
    for Case { operation, answer, result, run, .. } in cases() {
        let (mut client, _) = fake::client(38, &[daemon_error("no"), answer].concat());
        let error = run(&mut client).unwrap_err();
        assert_eq!(error.to_string(), format!("cannot {operation}: the Nix daemon says no"));
        assert_eq!(error.daemon().unwrap().message, "no");
        assert!(error.connection_usable());
        assert_eq!(run(&mut client).unwrap(), result);
    }
}

#[test]
fn nonsense_ends_the_connection() {
    for Case { operation, answer, run, .. } in cases() {
        // Another message, and an answer that cannot be: of ones, which are no flags, paths, or padding.
        let mut wrong_answer = answer;
        wrong_answer[8..].fill(0xff);
        let says = if wrong_answer.len() > 8 { wrong_answer } else { vec![0xff; 8] };
        for says in [vec![0xff; 64], says] {
            let (mut client, sent) = fake::client(38, &says);
            let error = run(&mut client).unwrap_err();
            assert!(!error.connection_usable());
            assert!(matches!(error, Error::Protocol { operation: of, .. } if of == operation), "{error:?}");
            assert_is_given_up(&mut client, &sent, operation);
        }
    }
}

fn assert_is_given_up(client: &mut Client, sent: &fake::Sent, by: Operation) {
    sent.take();
    for Case { run, .. } in cases() {
        let error = run(client).unwrap_err();
        assert!(matches!(error, Error::GivenUp { given_up_by, .. } if given_up_by == by), "{error:?}");
    }
    let error = client.nar_from_path(&path("a"), 1, &mut Vec::new()).unwrap_err();
    assert!(matches!(error, NarError::Exchange(Error::GivenUp { .. })), "{error:?}");
    let policy = AddPolicy { repair: false, check_signatures: true };
    let error = client.add_nar(&info(), policy, |_| Ok::<_, io::Error>(())).unwrap_err();
    assert!(matches!(error, UploadError::Exchange(Error::GivenUp { .. })), "{error:?}");
    assert!(sent.take().is_empty());
}

#[test]
fn more_valid_paths_than_were_asked_for_are_refused() {
    let (mut client, _) = fake::client(38, &answer(|to| to.paths(&set(&["a", "b"]))));
    let error = client.query_valid_paths(&set(&["a"]), false).unwrap_err();
    assert!(matches!(error, Error::Protocol { .. }), "{error:?}");
}

#[test]
fn valid_paths_that_were_not_asked_for_are_refused() {
    let (mut client, _) = fake::client(38, &answer(|to| to.paths(&set(&["b"]))));
    let error = client.query_valid_paths(&set(&["a"]), false).unwrap_err();
    assert!(matches!(error, Error::Protocol { .. }), "{error:?}");
}

#[test]
fn what_the_daemon_would_leave_for_is_not_asked() {
    type Ask = fn(&mut Client) -> Error;
    let repair: Ask = |client| client.build_paths(&wanted(), BuildMode::Repair).unwrap_err();
    let root: Ask = |client| client.add_indirect_root(Path::new("result")).unwrap_err();
    let cases = [
        (
            repair,
            "cannot build paths: the Nix daemon does not trust this client; ask as a user that its setting \
             'trusted-users' names",
        ),
        (root, "cannot add an indirect root: 'result' is no absolute path"),
    ];
    for (ask, expected) in cases {
        let (mut client, sent) = fake::client_of(Trust::NotTrusted, &answer(|to| to.flag(true)));
        let error = ask(&mut client);
        assert_eq!(error.to_string(), expected);
        assert!(error.connection_usable());
        assert!(sent.take().is_empty());
        assert!(client.is_valid_path(&path("a")).unwrap());
        client.is_valid_path(&path("a")).unwrap_err();
        assert!(matches!(ask(&mut client), Error::GivenUp { .. }));
    }
    let (mut client, sent) = fake::client_of(Trust::Unknown, &answer(|to| to.number(0)));
    client.build_paths(&[], BuildMode::Repair).unwrap();
    assert!(!sent.take().is_empty());
}

#[test]
fn a_content_address_of_a_new_form_costs_its_path_only() {
    let info = |address: &str| {
        let mut bytes = answer(|to| {
            to.flag(true);
            to.path_info(&info());
        });
        bytes.truncate(bytes.len() - 8);
        bytes.extend(say(|to| to.string(address.as_bytes())));
        bytes
    };
    let says = [info("fixed:git:sha1:0"), info("what \x1b is this"), info("")].concat();
    let (mut client, _) = fake::client(38, &says);
    for form in ["'fixed:git:sha1:0'", r"'what \x1b is this'"] {
        let error = client.query_path_info(&path("a")).unwrap_err();
        let expected = format!(
            "cannot ask for path information: {} has a content address of an unknown form, {form}",
            path("a")
        );
        assert_eq!(error.to_string(), expected);
        assert!(error.connection_usable());
    }
    assert_eq!(client.query_path_info(&path("a")).unwrap(), Some(super::info()));
}

/// What a daemon says of the path `info` is about, or that it is not valid.
fn path_info_answer(info: Option<&PathInfo>) -> Vec<u8> {
    answer(|to| {
        to.flag(info.is_some());
        info.into_iter().for_each(|info| to.path_info(info));
    })
}

#[test]
fn many_paths_are_asked_for_at_once() {
    let infos: Vec<_> =
        (0..1000).map(|index| PathInfo { path: path(&format!("path-{index:03}")), ..info() }).collect();
    let says =
        infos.iter().enumerate().map(|(index, info)| path_info_answer((index % 3 > 0).then_some(info)));
    let (mut client, sent) = fake::client(38, &says.collect::<Vec<_>>().concat());
    let paths = infos.iter().map(|info| info.path.clone()).collect();
    let known = client.query_path_infos(&paths).unwrap();
    let valid = infos.iter().enumerate().filter(|(index, _)| index % 3 > 0);
    assert_eq!(known, valid.map(|(_, info)| (info.path.clone(), info.clone())).collect());
    let requests = paths.iter().map(|path| request(26, |to| to.path(path)));
    assert_eq!(sent.take(), requests.collect::<Vec<_>>().concat());
    assert!(client.query_path_infos(&BTreeSet::new()).unwrap().is_empty());
    assert!(sent.take().is_empty());
}

#[test]
fn of_many_questions_some_are_under_way() {
    let paths: BTreeSet<_> = (0..300).map(|index| path(&format!("{index:055}"))).collect();
    let size = 120;
    let at_once = SMALL_REQUEST / size;
    let (mut client, daemon) = fake::socket_client(move |mut socket| {
        let mut heard = 0;
        for batch in [at_once, 300 - at_once] {
            let mut requests = vec![0; batch * size];
            socket.read_exact(&mut requests).unwrap();
            socket.set_nonblocking(true).unwrap();
            assert_eq!(socket.read(&mut [0]).unwrap_err().kind(), io::ErrorKind::WouldBlock);
            socket.set_nonblocking(false).unwrap();
            heard += requests.len();
            (0..batch).for_each(|_| socket.write_all(&path_info_answer(None)).unwrap());
        }
        heard
    });
    assert!(client.query_path_infos(&paths).unwrap().is_empty());
    assert_eq!(daemon.join().unwrap(), 300 * size);
}

#[test]
fn a_refusal_among_many_answers_costs_no_more() {
    let valid = path_info_answer(Some(&info()));
    let mut unknown = valid.clone();
    unknown.truncate(unknown.len() - 8);
    unknown.extend(say(|to| to.string(b"x")));
    let nothing = path_info_answer(None);
    let no = "cannot ask for path information: the Nix daemon says no".to_owned();
    let what = format!(
        "cannot ask for path information: {} has a content address of an unknown form, 'x'",
        path("b")
    );
    let cases = [
        ([&*valid, &daemon_error("no"), &nothing], no.clone(), true),
        ([&*valid, &daemon_error("no"), &unknown], no.clone(), true),
        ([&*valid, &unknown, &daemon_error("no")], what, true),
        ([&*valid, &daemon_error("no"), &[]], no, false),
        (
            [&*valid, &unknown, &[]],
            "cannot ask for path information: the stream of the Nix daemon ended at byte 376, expected a message"
                .to_owned(),
            false,
        ),
    ];
    for (says, expected, usable) in cases {
        let says = [&says.concat(), &*if usable { answer(|to| to.flag(true)) } else { vec![] }].concat();
        let (mut client, _) = fake::client(38, &says);
        let error = client.query_path_infos(&set(&["a", "b", "c"])).unwrap_err();
        assert_eq!(error.to_string(), expected);
        assert_eq!(error.connection_usable(), usable);
        assert_eq!(client.is_valid_path(&path("a")).is_ok(), usable);
    }
}

#[test]
fn debug_of_options_shows_no_values() {
    let overrides = [("access-tokens", "github.com=secret"), ("cores", "secret")];
    let overrides = overrides.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let shown = format!("{:?}", Options { overrides, ..Options::default() });
    assert!(shown.ends_with(r#"use_substitutes: true, overrides: {"access-tokens", "cores"} }"#), "{shown}");
}

#[test]
fn nars_pass_through() {
    let nar = file_nar(&vec![7; 300_000]);
    let says = [answer(|_| {}), nar.clone(), answer(|to| to.flag(true))].concat();
    let (mut client, _) = fake::client(38, &says);
    let mut received = Vec::new();
    let size = client.nar_from_path(&path("a"), nar.len() as u64, &mut received).unwrap();
    assert_eq!(size, nar.len() as u64);
    assert!(received == nar);
    assert!(client.is_valid_path(&path("a")).unwrap());
}

#[test]
fn bad_nars_end_the_connection() {
    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let nar = file_nar(b"contents");
    let tree = say(|to| {
        let words = ["nix-archive-1", "(", "type", "directory", "entry", "(", "name", "the-name", "node"];
        let link = ["(", "type", "symlink", "target", "the-target", ")", ")", ")"];
        words.iter().chain(&link).for_each(|word| to.string(word.as_bytes()));
    });
    let size = nar.len() as u64;
    let before = |word: &str, nar: &[u8]| {
        let start = nar.windows(word.len()).position(|window| window == word.as_bytes()).unwrap();
        nar[..start - 8].to_vec()
    };
    let cases: [(Vec<u8>, u64, &str); 10] = [
        (
            vec![],
            size,
            "cannot read a path: the stream of the Nix daemon ended at byte 88, expected the NAR of a path",
        ),
        (
            nar[..20].to_vec(),
            size,
            "cannot read a path: the stream of the Nix daemon ended at byte 108, expected the NAR of a path",
        ),
        (daemon_error("gone"), size, "cannot read a path: the Nix daemon says no"),
        ([&nar[..24], &daemon_error("gone")].concat(), size, "cannot read a path: the Nix daemon says no"),
        (
            [before("the-name", &tree), daemon_error("gone")].concat(),
            size,
            "cannot read a path: the Nix daemon says no",
        ),
        (
            [before("the-target", &tree), daemon_error("gone")].concat(),
            size,
            "cannot read a path: the Nix daemon says no",
        ),
        (
            [&nar[..24], &daemon_error("gone")[..30]].concat(),
            size,
            "cannot read a path: the stream of the Nix daemon ended at byte 136, expected an error's verbosity",
        ),
        (nar.clone(), size - 1, "the NAR of 00000000000000000000000000000000-a has more than 119 bytes"),
        (vec![1; 100], size, "the Nix daemon sent a bad NAR of 00000000000000000000000000000000-a"),
        (nar.clone(), 0, "the NAR of 00000000000000000000000000000000-a cannot be written"),
    ];
    for (says, limit, expected) in cases {
        let (mut client, _) = fake::client(38, &[answer(|_| {}), says].concat());
        let error = match limit {
            0 => client.nar_from_path(&path("a"), size, &mut Full),
            limit => client.nar_from_path(&path("a"), limit, &mut io::sink()),
        };
        let error = error.unwrap_err();
        assert_eq!(error.to_string(), expected);
        assert!(!error.connection_usable());
        assert!(!client.is_usable());
    }
}
