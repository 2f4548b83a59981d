//! What is not known is neither the same nor another; what is stored is read back, and is never too long.

use super::*;
use crate::network::Row;

const GOLDEN: &str = include_str!("../../../tests/golden/network-1.json");

fn answers() -> NetworkAnswers {
    let none = || Ok(b"[]".to_vec());
    NetworkAnswers {
        addresses: Ok(
            br#"[{"ifname":"eth0","flags":["UP"],"addr_info":[{"local":"10.0.0.2","prefixlen":24}]}]"#
                .to_vec(),
        ),
        routes: [Ok(br#"[{"dst":"default","dev":"eth0"}]"#.to_vec()), none()],
        rules: [none(), none()],
        settings: vec![("net/ipv4/ip_forward".to_owned(), "1\n".to_owned())],
        listeners: Ok(vec!["0.0.0.0:22".parse().expect("address"), "0.0.0.0:80".parse().expect("address")]),
    }
}

fn words(comparison: &NetworkComparison) -> Vec<String> {
    comparison.changes.iter().map(ToString::to_string).chain(comparison.doubts()).collect()
}

#[test]
fn the_golden_form_is_read_and_written() {
    let sight = NetworkSight::from_json(GOLDEN).expect("golden");
    assert_eq!(sight.to_json(), GOLDEN);
    assert_eq!(sight.facts().addresses.len(), 2);
}

#[test]
fn what_is_seen_is_stored_and_equal_to_itself() {
    let sight = NetworkSight::new(answers(), &[22]);
    let stored = NetworkSight::from_json(&sight.to_json()).expect("stored");
    assert_eq!(stored, sight);
    assert_eq!(stored.compare(&sight), NetworkComparison::default());
}

#[test]
fn a_part_that_cannot_be_read_is_named_and_not_compared() {
    let whole = NetworkSight::new(answers(), &[22]);
    let cases = [
        (
            NetworkAnswers { addresses: Err(Unread("no ip".to_owned())), ..answers() },
            "addresses could not be compared: no ip",
        ),
        (
            NetworkAnswers { routes: [Ok(b"{".to_vec()), Ok(Vec::new())], ..answers() },
            "routes could not be compared: not the list of routes that ip prints",
        ),
        (
            NetworkAnswers { listeners: Err(Unread("gone".to_owned())), ..answers() },
            "listeners could not be compared: gone",
        ),
    ];
    for (answers, expected) in cases {
        let part = NetworkSight::new(answers, &[22]);
        for comparison in [whole.compare(&part), part.compare(&whole)] {
            assert_eq!(words(&comparison), [format!("the network's {expected}")]);
        }
    }
    let nothing = NetworkSight::unknown("no journal");
    assert_eq!(nothing.compare(&whole).unknown.len(), Part::ALL.len());
}

#[test]
fn what_differs_is_named() {
    let whole = NetworkSight::new(answers(), &[22]);
    let gone = NetworkAnswers { addresses: Ok(b"[]".to_vec()), ..answers() };
    let expected = ["interface eth0 is gone", "address 10.0.0.2/24 on eth0 is gone"];
    assert_eq!(words(&whole.compare(&NetworkSight::new(gone, &[22]))), expected);
}

#[test]
fn what_is_too_much_is_left_out_and_says_so() {
    let mut sight = NetworkSight::new(answers(), &[22]);
    for number in 0..5000 {
        let values = [("dst".to_owned(), format!("10.0.{}.{}", number / 256, number % 256))].into();
        sight.facts.routes.insert(Row { ipv6: false, values });
    }
    let json = sight.to_json();
    assert!(json.len() <= MAX_STORED, "{}", json.len());
    let stored = NetworkSight::from_json(&json).expect("stored");
    assert_eq!(
        words(&stored.compare(&sight)),
        ["the network's routes could not be compared: they were too many to be kept"]
    );
}

#[test]
fn other_texts_are_refused() {
    for (text, expected) in [
        (String::new(), "not stored network facts"),
        (GOLDEN.replacen('1', "2", 1), "these network facts are of version 2, known is 1"),
        (GOLDEN.replacen("gaps", "holes", 1), "not stored network facts"),
        (" ".repeat(MAX_STORED + 1), "stored network facts have at most 65536 bytes, found 65537"),
    ] {
        assert_eq!(NetworkSight::from_json(&text).expect_err("refused").to_string(), expected);
    }
}
