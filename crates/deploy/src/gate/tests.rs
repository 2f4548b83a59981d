//! Tables of turns.

use order::SystemPath;

use super::*;

fn host(name: &str) -> HostName {
    name.parse().expect("a name")
}

fn hosts(names: &str) -> Vec<HostName> {
    names.split_whitespace().map(host).collect()
}

fn system() -> SystemPath {
    let text = "/nix/store/0bkfhz0v2jcyj2m7hwzdzmywav298dl2-nixos-system-web";
    SystemPath::parse(&store::store_path::StoreDir::default(), text).expect("a system")
}

fn candidate(name: &str) -> Candidate {
    Candidate { host: host(name), system: Some(system()), remarks: Vec::new(), unguarded: None }
}

fn number(number: u32) -> Option<NonZeroU32> {
    NonZeroU32::new(number)
}

fn stop_after(failures: u32) -> Option<StopAfter> {
    number(failures).map(|failures| StopAfter { failures, option: "--stop-after" })
}

/// Waves with `|` between them, batch and stop-after (0 for none), then who is ready, who ended well and who failed;
/// the host, and what is next for it.
#[test]
fn turns_come_in_groups() {
    let go = || Next::Go;
    let wait = || Next::Wait("the hosts before it");
    let never = |count| Next::Never(format!("{count} hosts have failed before its turn (--stop-after)"));
    let cases = [
        ("a b c", 0, 0, "", "", "a", go()),
        ("a b c", 0, 0, "", "b c", "a", go()),
        ("a b | gw", 0, 0, "a", "", "gw", wait()),
        ("a b | gw", 0, 0, "a b", "", "gw", go()),
        ("a b | gw", 0, 0, "a", "b", "gw", go()),
        ("a b | gw | top", 0, 0, "a b", "", "top", wait()),
        ("a b c d", 2, 0, "", "", "b", go()),
        ("a b c d", 2, 0, "a", "", "c", wait()),
        ("a b c d", 2, 0, "a b", "", "d", go()),
        ("a b c d", 2, 1, "a", "b", "c", never(1)),
        ("a b c d", 2, 2, "a", "b", "c", go()),
        ("a b c d", 0, 1, "", "b", "a", never(1)),
        ("a b c | gw", 2, 0, "a b", "", "gw", wait()),
        ("a b c | gw", 2, 0, "a b c", "", "gw", go()),
    ];
    for (waves, batch, stop_after, good, bad, asked, expected) in cases {
        let groups: Vec<_> = waves.split('|').map(hosts).collect();
        let mut turns = Turns::new(&groups, number(batch), self::stop_after(stop_after), Asks::Never);
        turns.ended.extend(hosts(good).into_iter().map(|host| (host, false)));
        turns.ended.extend(hosts(bad).into_iter().map(|host| (host, true)));
        assert_eq!(turns.next(&host(asked)), expected, "{waves} {batch} {stop_after} {good}/{bad} {asked}");
    }
}

#[test]
fn the_question_waits_for_all_and_is_asked_once() {
    let mut turns = Turns::new(&[hosts("a b c")], None, None, Asks::Always);
    let wait = Next::Wait("the answer to the question");
    turns.ready.insert(host("a"), candidate("a"));
    assert_eq!(turns.next(&host("a")), wait);
    turns.ended.insert(host("b"), true);
    turns.ready.insert(host("c"), candidate("c"));
    assert_eq!(turns.next(&host("c")), Next::Ask);
    assert_eq!(turns.asked_about().1, hosts("b"));
    turns.question = Asked::Asking;
    assert_eq!(turns.next(&host("a")), wait);
    turns.question = Asked::Answered(false);
    assert!(matches!(turns.next(&host("a")), Next::Never(_)));
    turns.question = Asked::Answered(true);
    assert_eq!(turns.next(&host("a")), Next::Go);
}

#[test]
fn nobody_is_asked_about_what_needs_no_words() {
    let plain = candidate("a");
    let remarked = Candidate { remarks: vec!["boot instead of switch".to_owned()], ..plain.clone() };
    let unguarded = Candidate { unguarded: Some("extlinux".to_owned()), ..plain.clone() };
    for (candidate, expected) in [(plain, Next::Go), (remarked, Next::Ask), (unguarded, Next::Ask)] {
        let mut turns = Turns::new(&[hosts("a b")], None, None, Asks::IfNeeded);
        turns.ready.insert(host("a"), candidate.clone());
        assert_eq!(turns.next(&host("a")), Next::Wait("the answer to the question"), "b is not known");
        turns.ended.insert(host("b"), false);
        assert_eq!(turns.next(&host("a")), expected, "{candidate:?}");
    }
}

#[test]
fn threads_go_through_the_gate_one_group_after_the_other() {
    let gate = Gate::new(Turns::new(&[hosts("a b"), hosts("gw")], None, None, Asks::Always));
    let order = Mutex::new(Vec::new());
    let asked = Mutex::new(0);
    std::thread::scope(|scope| {
        for name in ["gw", "b", "a"] {
            let (gate, order, asked) = (&gate, &order, &asked);
            scope.spawn(move || {
                let name = host(name);
                let ask = |ready: Vec<_>, _: Vec<_>| {
                    *asked.lock().unwrap() += ready.len();
                    true
                };
                gate.wait(candidate(name.as_str()), &Stop::default(), &mut |_| (), &ask).expect("its turn");
                order.lock().unwrap().push(name.to_string());
                gate.end(&name, false);
            });
        }
    });
    assert_eq!(order.into_inner().unwrap().last().map(String::as_str), Some("gw"));
    assert_eq!(asked.into_inner().unwrap(), 3, "asked once, about all");
}

#[test]
fn who_waits_leaves_when_the_operator_stops() {
    let gate = Gate::new(Turns::new(&[hosts("a"), hosts("gw")], None, None, Asks::Never));
    let stop = Stop::default();
    stop.wish();
    assert!(gate.wait(candidate("gw"), &stop, &mut |_| (), &|_, _| true).is_err());
}
