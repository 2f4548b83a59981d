//! Logs as Nix 2.26 and 2.34 wrote them, and lines that nobody should write.

use proptest::prelude::*;

use super::*;

const FAILING: &str = "p1jh5jliggk5lyabpv6l9s1j47w78wlh-failing-1.0.drv";
const PATH: &str = "wm7c9ik01808np0lyly341imj2m570d7-system-path.drv";
const SYSTEM: &str = "lq57jiacyj6153lv4cvkx3fk7klvi65x-nixos-system-web.drv";

fn start(id: u64, path: &str) -> String {
    format!(
        r#"@nix {{"action":"start","fields":["/nix/store/{path}","",1,1],"id":{id},"level":3,"text":"","type":105}}"#
    )
}

fn line(id: u64, text: &str) -> String {
    format!(r#"@nix {{"action":"result","fields":["{text}"],"id":{id},"type":101}}"#)
}

fn error(text: &str) -> String {
    format!(r#"@nix {{"action":"msg","level":0,"msg":"\u001b[31;1merror:\u001b[0m {text}"}}"#)
}

/// Two derivations build at the same time, one fails, and two more cannot be built for it.
fn log(said: [&str; 3]) -> BuildLog {
    let other = SYSTEM.replace("nixos-system", "other");
    let mut lines = vec![start(7, &other), start(1, FAILING)];
    for number in 0..200 {
        lines.extend([line(1, &format!("failing {number}")), line(7, "other")]);
    }
    lines.push(r#"@nix {"action":"stop","id":1}"#.into());
    let paths = [FAILING, PATH, SYSTEM];
    lines.extend(said.iter().zip(paths).map(|(said, path)| {
        error(&said.replace("DRV", &format!("\\u001b[35;1m/nix/store/{path}\\u001b[0m")))
    }));
    let mut log = BuildLog::default();
    lines.iter().for_each(|line| drop(log.take(line)));
    log
}

#[test]
fn what_failed_is_told_from_what_depends_on_it() {
    let of_2_26 = [
        "builder for 'DRV' failed with exit code 3;\\n       last 2 log lines:\\n       > a",
        "1 dependencies of derivation 'DRV' failed to build",
        "1 dependencies of derivation 'DRV' failed to build",
    ];
    let of_2_34 = [
        "Cannot build 'DRV'.\\n       Reason: \\u001b[31;1mbuilder failed with exit code 3\\u001b[0m.\\n       Output paths:\\n  x",
        "Cannot build 'DRV'.\\n       Reason: 1 dependency failed.\\n       Output paths:\\n  x",
        "Cannot build 'DRV'.\\n       Reason: 1 dependency failed.\\n       Output paths:\\n  x",
    ];
    let turned = |mut said: [&'static str; 3]| {
        said.swap(0, 2);
        said
    };
    let failing: StorePath = FAILING.parse().unwrap();
    for (said, reason) in [
        (of_2_26, format!("builder for '/nix/store/{FAILING}' failed with exit code 3")),
        (of_2_34, "builder failed with exit code 3".to_owned()),
    ] {
        let failed = log(said).failure("");
        assert_eq!(failed.derivation.as_ref(), Some(&failing));
        assert_eq!(failed.reason, reason);
        assert_eq!(failed.log.len(), LINES);
        assert_eq!(failed.log.last().unwrap(), "failing 199");
        assert!(failed.log.iter().all(|line| line.starts_with("failing ")));
    }
    // Whatever the order, the one that was begun counts.
    let failed = log(turned(of_2_34)).failure("");
    assert_eq!(failed.derivation.as_ref().map(ToString::to_string), Some(FAILING.to_owned()));
}

/// What is printed; which derivation, why and which log is made of it.
type Case<'a> = (&'a [&'a str], Option<&'a str>, &'a str, &'a [&'a str]);

#[test]
fn failures_without_a_builder() {
    let platform =
        format!("a 'aarch64-linux' is required to build '/nix/store/{SYSTEM}', but I am a 'x86_64-linux'");
    let cases: [Case<'_>; 4] = [
        (&[&error(&platform)], Some(SYSTEM), &platform, &[]),
        (&[&error("disk is full"), "printed"], None, "disk is full", &["printed"]),
        (
            &["plain text", "error: of another kind"],
            None,
            "nothing was said (ended)",
            &["plain text", "error: of another kind"],
        ),
        (&[], None, "nothing was said (ended)", &[]),
    ];
    for (lines, derivation, reason, rest) in cases {
        let mut log = BuildLog::default();
        lines.iter().for_each(|line| drop(log.take(line)));
        let failed = log.failure("ended");
        assert_eq!(failed.derivation.map(|path| path.to_string()).as_deref(), derivation);
        assert_eq!(
            (failed.reason.as_str(), failed.log),
            (reason, rest.iter().map(|&line| line.to_owned()).collect())
        );
    }
}

#[test]
fn events() {
    let path: StorePath = FAILING.parse().unwrap();
    let derivation = path.clone();
    let fetch = r#"@nix {"action":"start","fields":["/nix/store/p1jh5jliggk5lyabpv6l9s1j47w78wlh-failing-1.0.drv","cache"],"id":3,"level":3,"type":108}"#;
    let cases = [
        (start(1, FAILING), Some(BuildEvent::Started { derivation: derivation.clone() })),
        (
            line(1, "\\u001b[1mbold\\u001b[0m\\u0007"),
            Some(BuildEvent::Line { derivation: derivation.clone(), line: "bold".into() }),
        ),
        (line(2, "of nobody"), None),
        (fetch.to_owned(), Some(BuildEvent::Fetching { path })),
        (r#"@nix {"action":"start","fields":[],"id":4,"level":0,"type":104}"#.into(), None),
        (
            r#"@nix {"action":"result","fields":[1,5,2,0],"id":4,"type":105}"#.into(),
            Some(BuildEvent::Progress { done: 1, expected: 5, running: 2, failed: 0 }),
        ),
        (r#"@nix {"action":"result","fields":[1,5,2,0],"id":9,"type":105}"#.into(), None),
        (
            r#"@nix {"action":"msg","level":1,"msg":"take care"}"#.into(),
            Some(BuildEvent::Warning("take care".into())),
        ),
        (r#"@nix {"action":"msg","level":3,"msg":"chatter"}"#.into(), None),
        (r#"@nix {"action":"stop","id":1}"#.into(), Some(BuildEvent::Ended { derivation })),
        (r#"@nix {"action":"stop","id":1}"#.into(), None),
        ("@nix not json".into(), None),
    ];
    let mut log = BuildLog::default();
    for (line, event) in cases {
        assert_eq!(log.take(&line), event, "{line}");
    }
}

#[test]
fn what_is_kept_of_many_builds_is_bounded() {
    let mut log = BuildLog::default();
    log.take(&start(0, FAILING));
    for id in 1..1000_u64 {
        log.take(&start(id, &SYSTEM.replace("web", &id.to_string())));
        log.take(&line(id, &"x".repeat(10_000)));
        log.take(&format!(r#"@nix {{"action":"stop","id":{id}}}"#));
        log.take(&error("again"));
    }
    assert!(log.logs.len() <= LOGS && log.errors.len() <= ERRORS && log.running.len() == 1);
    assert!(log.logs.iter().all(|(_, lines)| lines.iter().all(|line| line.len() <= LINE + '…'.len_utf8())));
    assert!(log.logs.iter().any(|(path, _)| path.to_string() == FAILING), "what still builds is kept");
}

proptest! {
    #[test]
    fn any_lines_are_taken(lines in proptest::collection::vec("(@nix )?\\PC{0,80}", 0..20)) {
        let mut log = BuildLog::default();
        lines.iter().for_each(|line| drop(log.take(line)));
        log.failure("");
    }
}
