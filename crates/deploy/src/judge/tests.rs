//! Tables of judgements.

use order::{HostName, OrderId};
use report::{Generation, Report, Timestamp, What};
use store::store_path::StoreDir;

use super::*;

fn system(letter: char) -> SystemPath {
    let text = format!("/nix/store/{}-nixos-system-web", letter.to_string().repeat(32));
    SystemPath::parse(&StoreDir::default(), &text).expect("a system")
}

fn some(letter: char) -> Option<SystemPath> {
    (letter != '-').then(|| system(letter))
}

/// What a host says that runs, has as profile and boots these: a letter for each, `-` for none, `?` for unreadable.
fn hello(running: char, profile: char, default: char) -> Hello {
    Hello {
        oldest: 1,
        newest: 1,
        agent: String::new(),
        path: None,
        platform: "x86_64-linux".to_owned(),
        free_store: 0,
        free_boot: None,
        running: some(running),
        profile: some(profile),
        default: match default {
            '?' => LoaderDefault::Unreadable("torn".to_owned()),
            '-' => LoaderDefault::NoLoader,
            letter => LoaderDefault::System(system(letter)),
        },
        last: None,
        pending: None,
    }
}

/// The same, as it is said later in a session.
fn status(hello: &Hello) -> HostStatus {
    HostStatus {
        at: Timestamp(0),
        boot_id: String::new(),
        up_millis: 0,
        version: None,
        running: hello.running.clone(),
        booted: None,
        profile: hello.profile.clone().map(|system| Generation { number: 1, system }),
        default: hello.default.clone(),
        once: None,
        starting: false,
        failed: Vec::new(),
        reboot: Vec::new(),
        pending: None,
        last: None,
    }
}

#[test]
fn a_host_has_it_already() {
    use Mode::{Boot, DryActivate, Switch, Test};
    let cases = [
        ("aaa", Switch, true),
        ("aa-", Switch, true),
        ("aa?", Switch, true),
        ("aab", Switch, false),
        ("aba", Switch, false),
        ("baa", Switch, false),
        ("---", Switch, false),
        ("abb", Test, true),
        ("baa", Test, false),
        ("baa", Boot, true),
        ("aba", Boot, false),
        ("aab", Boot, false),
        ("aaa", DryActivate, false),
    ];
    for (said, mode, expected) in cases {
        let mut letters = said.chars();
        let mut next = || letters.next().expect("three");
        let mut hello = hello(next(), next(), next());
        assert_eq!(is_there(&hello, &system('a'), mode), expected, "{said} {mode:?}");
        assert_eq!(is_there(&status(&hello), &system('a'), mode), expected, "later: {said} {mode:?}");
        hello.pending = Some(OrderId::from_random([1; 20]));
        assert!(!is_there(&hello, &system('a'), mode), "{said} {mode:?}, and something goes on");
        assert_eq!(busy(&hello).map(|cause| cause.kind), Some(CauseKind::Busy));
    }
}

#[test]
fn a_boot_default_that_cannot_be_read_is_told() {
    assert!(unread_loader(&hello('a', 'a', '?')).is_some_and(|note| note.contains("torn")));
    assert_eq!(unread_loader(&hello('a', 'a', '-')), None);
    assert_eq!(unread_loader(&hello('a', 'a', 'a')), None);
}

#[test]
fn systems_fit_machines() {
    let cases = [
        ("x86_64-linux", "x86_64-linux", true),
        ("i686-linux", "x86_64-linux", true),
        ("x86_64-linux", "i686-linux", false),
        ("aarch64-linux", "x86_64-linux", false),
        ("armv7l-linux", "aarch64-linux", true),
        ("x86_64-linux", "", false),
    ];
    for (platform, host, expected) in cases {
        assert_eq!(fits(platform, host).is_ok(), expected, "{platform} on {host}");
    }
}

#[test]
fn room_is_for_what_is_copied_and_a_little_more() {
    let cases = [
        (0, 0, 0, true),
        (1, 1 << 20, 0, false),
        (1, 1 << 20, 1 << 20, false),
        (1, 1 << 20, 17 << 20, true),
        (1, u64::MAX, u64::MAX, true),
        (1, u64::MAX, u64::MAX - 1, false),
    ];
    for (paths, nar_bytes, free, expected) in cases {
        assert_eq!(has_room(&Need { paths, nar_bytes }, free).is_ok(), expected, "{nar_bytes} {free}");
    }
}

#[test]
fn changes_since_the_last_deploy_are_told() {
    let (ours, other) = (OrderId::from_random([1; 20]), OrderId::from_random([2; 20]));
    let confirmed = |lasting| HostResult::Activated(Ending::Confirmed { lasting });
    let back = HostResult::Activated(Ending::RolledBack {
        cause: Cause::new(CauseKind::Check, "no"),
        aftermath: Vec::new(),
    });
    let cases = [
        (Some(&ours), confirmed(true), Some(&ours), 'a', None),
        (Some(&ours), confirmed(true), Some(&ours), 'b', Some("by hand")),
        (Some(&ours), confirmed(false), Some(&ours), 'b', None),
        (Some(&ours), back, Some(&ours), 'b', None),
        (Some(&ours), confirmed(true), Some(&other), 'b', Some("somebody else")),
        (Some(&ours), confirmed(true), None, 'a', Some("remembers no deploy")),
        (None, HostResult::AlreadyThere, Some(&other), 'b', None),
    ];
    let host: HostName = "web1".parse().expect("a name");
    for (order, result, last, running, expected) in cases {
        let deployed = Deployed {
            order: order.cloned(),
            system: Some(system('a')),
            mode: Mode::Switch,
            extent: report::Extent::Activate,
            result: result.clone(),
            millis: 0,
            bytes: 0,
        };
        let report = Report { at: Timestamp(0), host: host.clone(), what: What::Deployed(deployed) };
        let hello = Hello { last: last.cloned(), ..hello(running, running, running) };
        let found = changed_since(&Known::fold([&report]), &hello);
        let good = match (&found, expected) {
            (None, None) => true,
            (Some(found), Some(part)) => found.contains(part),
            _ => false,
        };
        assert!(good, "{result:?} {running}: {found:?}, expected {expected:?}");
    }
    assert_eq!(changed_since(&Known::default(), &hello('a', 'a', 'a')), None);
}
