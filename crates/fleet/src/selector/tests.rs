//! Selectors: what they mean, how they are written, and what is said about those that are none.

use proptest::prelude::*;

use super::*;
use crate::{Fleet, Index};

fn fleet() -> Fleet {
    let json = br#"{
        "names": ["web1", "web2", "web10", "db1", "db1.example.org"],
        "lockstep": { "hosts": {
            "web1": { "tags": ["web", "prod"] }, "web2": { "tags": ["web", "staging"] },
            "db1": { "tags": ["db", "prod", "prod-eu"] }
        } }
    }"#;
    Index::parse(json).expect("a fleet").into_fleet()
}

/// The names of the hosts that are meant, or the message.
fn chosen(text: &str) -> String {
    let selector = match Selector::parse(text) {
        Ok(selector) => selector,
        Err(error) => return error.to_string(),
    };
    match select(&fleet(), &selector) {
        Ok(found) => found.iter().map(HostName::as_str).collect::<Vec<_>>().join(" "),
        Err(error) => error.to_string(),
    }
}

#[test]
fn selectors_mean_hosts() {
    for (text, expected) in [
        ("web1", "web1"),
        (" web1 ,\tdb1 ", "db1 web1"),
        ("web*", "web1 web10 web2"),
        ("web?", "web1 web2"),
        ("[dw]*1", "db1 web1"),
        ("web[!1]", "web2"),
        ("web[^1]", "web2"),
        ("[a-z]b1", "db1"),
        ("*", "db1 db1.example.org web1 web10 web2"),
        ("db1.example.org", "db1.example.org"),
        ("@prod", "db1 web1"),
        ("@prod*", "db1 web1"),
        ("@*", "db1 web1 web2"),
        ("!@prod", "db1.example.org web10 web2"),
        ("!!@prod", "db1 web1"),
        ("@web&@prod,db*", "db1 db1.example.org web1"),
        ("@web&(@prod,db*)", "web1"),
        ("db*,@web&!@prod", "db1 db1.example.org web2"),
        ("!@web&!db1", "db1.example.org web10"),
        ("!(@web,db1)", "db1.example.org web10"),
        ("web1,web1", "web1"),
    ] {
        assert_eq!(chosen(text), expected, "{text}");
    }
}

#[test]
fn what_is_no_selector_is_shown_with_its_place() {
    let texts = [
        "",
        "  ",
        "[",
        "web[1",
        "web[]",
        "[z-a]",
        "web1,",
        ",web1",
        "web1&",
        "!",
        "@",
        "@,a",
        "web1 web2",
        "web1@prod",
        "(web1",
        "web1)",
        "()",
        "(a b)",
        "a;b",
        "{a,b}",
        "ünsinn",
        "web1,w\u{1}b",
        "a/b",
        "web1 | db1",
        "[a b]",
    ];
    let shown: String = texts.iter().map(|text| format!("{:?}\n{}\n\n", text, chosen(text))).collect();
    insta::assert_snapshot!(shown);
}

#[test]
fn what_means_nothing_is_an_error_with_the_nearest_name() {
    let texts = [
        "wbe1",
        "@prd",
        "prod",
        "@web1",
        "zebra",
        "x*",
        "@x*",
        "!web9",
        "web1,db9,wbe2,db9",
        "web1&db1",
        "web1&!web1",
    ];
    let shown: String = texts.iter().map(|text| format!("{text}\n{}\n\n", chosen(text))).collect();
    insta::assert_snapshot!(shown);
}

#[test]
fn lines_are_alternatives() {
    let selector =
        Selector::from_lines("web1\n\n# all databases\n db* & @prod # in use\r\n").expect("a selector");
    assert_eq!(selector.to_string(), "web1,db*&@prod");
    let error = Selector::from_lines("web1\n\nweb[\n").expect_err("a wrong line");
    assert_eq!((error.line, error.at, &error.problem), (Some(3), 3, &SelectorProblem::Class));
    assert_eq!(error.to_string(), "'[' without ']' in line 3\n  web[\n     ^");
    assert_eq!(Selector::from_lines("# none\n").expect_err("no line").problem, SelectorProblem::Empty);
}

#[test]
fn bounds_hold() {
    let problem = |text: String| Selector::parse(&text).expect_err("too much").problem;
    assert!(matches!(problem("a".repeat(254)), SelectorProblem::TooLong(_)));
    assert!(matches!(problem("a,".repeat(100_000)), SelectorProblem::TooLong(_)));
    assert_eq!(problem(format!("{}a", "!".repeat(101))), SelectorProblem::Depth);
    assert_eq!(problem("(".repeat(60_000)), SelectorProblem::Depth);
    assert!(Selector::parse(&format!("{}a{}", "(".repeat(100), ")".repeat(100))).is_ok());
}

fn any_selector() -> impl Strategy<Value = Expression> {
    let text = "[a-z0-9*?][a-z0-9.*?_-]{0,5}|[a-c]?\\[!?[a-c0-9]{1,3}\\][*?]?";
    let pattern = (any::<bool>(), text)
        .prop_map(|(is_tag, text)| Expression::Pattern(Pattern::new(is_tag, &text).expect("a glob")));
    pattern.prop_recursive(5, 30, 4, |inner| {
        let some = || prop::collection::vec(inner.clone(), 1..4);
        let join = |kind| move |all| Expression::join(all, kind).expect("not empty");
        prop_oneof![
            inner.clone().prop_map(|inner| Expression::Not(Box::new(inner))),
            some().prop_map(join(Expression::And)),
            some().prop_map(join(Expression::Or)),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read(expression in any_selector()) {
        let selector = Selector(expression);
        prop_assert_eq!(Selector::parse(&selector.to_string()), Ok(selector));
    }

    #[test]
    fn no_text_makes_it_panic(text in ".{0,40}|[a-c@!&,()\\[\\]*? ^-]{0,20}") {
        match Selector::parse(&text) {
            Ok(selector) => {
                prop_assert_eq!(Selector::parse(&selector.to_string()), Ok(selector.clone()));
                let found = select(&fleet(), &selector);
                prop_assert!(found.is_err() || found.is_ok_and(|hosts| !hosts.is_empty()));
            }
            Err(error) => prop_assert!(error.at <= text.chars().count()),
        }
    }
}
