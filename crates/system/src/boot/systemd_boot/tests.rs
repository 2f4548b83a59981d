//! The order of versions, and boot counters.

use proptest::prelude::*;

use super::*;

fn order(left: &str, right: &str) -> Ordering {
    compare_versions(left.as_bytes(), right.as_bytes())
}

/// Each is older than the next; examples of the Version Format Specification among them.
const RISING: [&str; 17] = [
    "~1", "", "ab", "abb", "abc", "0001", "002", "12", "122", "122.9", "123~rc1", "123", "123-a", "123-a.1",
    "123-a1", "123a-1", "124",
];

#[test]
fn versions_rise() {
    for (position, left) in RISING.iter().enumerate() {
        for (other, right) in RISING.iter().enumerate() {
            let expected = position.cmp(&other);
            assert_eq!(order(left, right), expected, "'{left}' and '{right}'");
        }
    }
}

#[test]
fn other_characters_only_separate() {
    for (left, right) in [("Generation 10 x", "Generation 9 x"), ("nixos_10", "nixos_9"), ("1_2", "1_1")] {
        assert_eq!(order(left, right), Ordering::Greater, "{left}");
    }
    assert_eq!(order("1_2", "1 2"), Ordering::Equal);
    assert_eq!(order("99999999999999999999999", "100000000000000000000000"), Ordering::Less);
}

#[test]
fn counters_are_taken_from_names() {
    let cases = [
        ("a+3-1.conf", "a.conf", Some(3)),
        ("a+0.conf", "a.conf", Some(0)),
        ("a+3-.conf", "a+3-.conf", None),
        ("a+.conf", "a+.conf", None),
        ("a+x.conf", "a+x.conf", None),
        ("a+99999999999999999999.conf", "a+99999999999999999999.conf", None),
        ("a.conf", "a.conf", None),
        (".conf", ".conf", None),
        ("x", "x", None),
    ];
    for (name, id, left) in cases {
        assert_eq!(without_tries(name), (id.to_owned(), left), "{name}");
    }
}

proptest! {
    #[test]
    fn the_order_is_one(texts in prop::collection::vec("[a0~^.1_ -]{0,6}", 3)) {
        let [a, b, c] = texts.try_into().expect("three");
        prop_assert_eq!(order(&a, &b), order(&b, &a).reverse());
        if order(&a, &b).is_le() && order(&b, &c).is_le() {
            prop_assert!(order(&a, &c).is_le(), "{} {} {}", a, b, c);
        }
    }
}
