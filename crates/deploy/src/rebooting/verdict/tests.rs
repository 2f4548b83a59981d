//! Hosts before and after, and what is told of them.

use report::Generation;

use super::*;

fn system(letter: char) -> SystemPath {
    let text = format!("/nix/store/{}-nixos-system-web", letter.to_string().repeat(32));
    SystemPath::parse(&store::store_path::StoreDir::default(), &text).expect("a system")
}

fn at(seconds: u64) -> Timestamp {
    Timestamp(1_795_253_400_000 + seconds * 1000)
}

/// A host that runs this system, booted that one and would boot the third.
fn status(systems: &str, failed: &str) -> HostStatus {
    let mut letters = systems.chars().map(system);
    let mut next = || letters.next().expect("three letters");
    HostStatus {
        at: at(0),
        boot_id: "b".to_owned(),
        up_millis: 0,
        version: None,
        running: Some(next()),
        booted: Some(next()),
        profile: Some(Generation { number: 1, system: system('p') }),
        default: LoaderDefault::System(next()),
        once: None,
        starting: false,
        failed: failed.split_whitespace().map(|unit| unit.parse().expect("a unit")).collect(),
        reboot: Vec::new(),
        pending: None,
        last: None,
    }
}

#[test]
fn what_would_boot_is_what_the_loader_says() {
    let plain = status("aab", "");
    let cases = [
        (plain.clone(), Some('b')),
        (HostStatus { once: Some(system('c')), ..plain.clone() }, Some('c')),
        (HostStatus { default: LoaderDefault::NoLoader, ..plain.clone() }, Some('p')),
        (HostStatus { default: LoaderDefault::Unreadable("x".to_owned()), ..plain }, None),
    ];
    for (status, expected) in cases {
        assert_eq!(would_boot(&status), expected.map(system).as_ref(), "{status:?}");
    }
}

#[test]
fn a_host_that_is_back_is_looked_at() {
    let cases = [
        (("aab", ""), ("bbb", ""), Some('b'), &[][..]),
        (("aab", ""), ("aaa", ""), Some('b'), &[CauseKind::BootLoader]),
        (("aaa", ""), ("bbb", ""), None, &[]),
        (("aaa", ""), ("abb", ""), Some('a'), &[CauseKind::Activation]),
        (("aaa", "old.service"), ("aaa", "old.service"), Some('a'), &[]),
        (("aaa", "old.service"), ("aaa", "old.service new.service"), Some('a'), &[CauseKind::Units]),
        (("aab", ""), ("aaa", "new.service"), Some('b'), &[CauseKind::BootLoader, CauseKind::Units]),
    ];
    for (before, after, wanted, expected) in cases {
        let wanted = wanted.map(system);
        let found = troubles(&status(before.0, before.1), &status(after.0, after.1), wanted.as_ref());
        let kinds: Vec<_> = found.iter().map(|cause| cause.kind).collect();
        assert_eq!(kinds, expected, "{before:?} {after:?}");
    }
}

#[test]
fn a_host_that_is_not_back_is_told_with_all_that_is_known() {
    let before = HostStatus { once: Some(system('c')), ..status("aab", "") };
    let mut absence = Absence::new(at(0), Duration::from_secs(600));
    absence.still_there();
    assert_eq!(absence.cause(&before).kind, CauseKind::Activation, "it never went");
    assert!(absence.gone(at(5), "refused"), "that is new");
    assert!(!absence.gone(at(9), "no route"), "that is known");
    let cause = absence.cause(&before);
    assert_eq!(cause.kind, CauseKind::NotBack);
    let told = format!("{}\n{}", cause.text, cause.log.join("\n"));
    for part in ["10m", &at(0).to_string(), &at(5).to_string(), "no route"] {
        assert!(told.contains(part), "{part}: {told}");
    }
    for letter in ['a', 'b', 'c'] {
        assert!(told.contains(&system(letter).to_string()), "{letter}: {told}");
    }
}
