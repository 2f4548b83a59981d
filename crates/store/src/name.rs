//! Package names and versions as Nix splits and orders them (`builtins.parseDrvName`,
//! `builtins.compareVersions`).

use std::{cmp::Ordering, str};

/// The name of a derivation split into package name and version.
///
/// The version begins after the first dash that is followed by anything but a letter; there may be none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DrvName<'a> {
    /// What stands before the version, `apache-httpd` in `apache-httpd-2.0.48`.
    pub name: &'a str,
    /// The version, `2.0.48` in `apache-httpd-2.0.48`; empty if there is none.
    pub version: &'a str,
}

impl<'a> DrvName<'a> {
    /// Splits `text`. Every text has a name and a version, either of which may be empty.
    #[must_use]
    pub fn parse(text: &'a str) -> Self {
        let split =
            text.as_bytes().windows(2).position(|pair| pair[0] == b'-' && !pair[1].is_ascii_alphabetic());
        match split {
            Some(dash) => Self { name: &text[..dash], version: &text[dash + 1..] },
            None => Self { name: text, version: "" },
        }
    }
}

/// Orders two versions as Nix does: by components, numbers by value, `pre` before everything.
///
/// It is not transitive (a number over `i32::MAX` is text), so it must not be given to a sort.
#[must_use]
pub fn compare_versions(left: &str, right: &str) -> Ordering {
    let (mut left, mut right) = (Components(left.as_bytes()), Components(right.as_bytes()));
    loop {
        match (left.next(), right.next()) {
            (None, None) => return Ordering::Equal,
            (a, b) => {
                let (a, b) = (a.unwrap_or_default(), b.unwrap_or_default());
                if is_less(a, b) {
                    return Ordering::Less;
                }
                if is_less(b, a) {
                    return Ordering::Greater;
                }
            }
        }
    }
}

/// The parts of a version: longest runs of digits, and of what is neither digit nor separator.
struct Components<'a>(&'a [u8]);

impl<'a> Iterator for Components<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let start = self.0.iter().position(|byte| !is_separator(*byte))?;
        let rest = &self.0[start..];
        let of_digits = rest[0].is_ascii_digit();
        let end = rest.iter().position(|byte| is_separator(*byte) || byte.is_ascii_digit() != of_digits);
        let (component, rest) = rest.split_at(end.unwrap_or(rest.len()));
        self.0 = rest;
        Some(component)
    }
}

fn is_separator(byte: u8) -> bool {
    matches!(byte, b'.' | b'-')
}

/// Nix's order of two components. A component that is missing is empty.
fn is_less(left: &[u8], right: &[u8]) -> bool {
    match (number(left), number(right)) {
        (Some(left), Some(right)) => left < right,
        (None, Some(_)) if left.is_empty() => true,
        _ if left == b"pre" => right != b"pre",
        _ if right == b"pre" => false,
        // `2.3a` comes before `2.3.1`.
        (None, Some(_)) => true,
        (Some(_), None) => false,
        (None, None) => left < right,
    }
}

/// The value of a component of digits; Nix reads a C `int`, and what does not fit is text.
fn number(component: &[u8]) -> Option<i32> {
    if !component.first()?.is_ascii_digit() {
        return None;
    }
    str::from_utf8(component).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering::{Equal, Greater, Less};

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn splits_as_nix_does() {
        let cases = [
            ("apache-httpd-2.0.48", "apache-httpd", "2.0.48"),
            ("nix-0.12pre12876", "nix", "0.12pre12876"),
            ("a-b-1-c-2", "a-b", "1-c-2"),
            ("x-1.0-dev", "x", "1.0-dev"),
            ("foo", "foo", ""),
            ("foo-bar", "foo-bar", ""),
            ("foo-", "foo-", ""),
            ("foo--1", "foo", "-1"),
            ("foo-_x", "foo", "_x"),
            ("foo-.1", "foo", ".1"),
            ("foo-\u{e9}", "foo", "\u{e9}"),
            ("-1", "", "1"),
            ("-", "-", ""),
            ("", "", ""),
        ];
        for (text, name, version) in cases {
            assert_eq!(DrvName::parse(text), DrvName { name, version }, "{text}");
        }
    }

    #[test]
    fn compares_as_nix_does() {
        let cases = [
            ("1.0", "2.3", Less),
            ("2.1", "2.3", Less),
            ("2.3", "2.3", Equal),
            ("2.5", "2.3", Greater),
            ("2.3.1", "2.3", Greater),
            ("2.3.1", "2.3a", Greater),
            ("2.3pre1", "2.3", Less),
            ("2.3pre3", "2.3pre12", Less),
            ("2.3a", "2.3c", Less),
            ("2.3pre1", "2.3c", Less),
            ("2.3pre1", "2.3q", Less),
            ("", "", Equal),
            ("", "1", Less),
            ("", "a", Less),
            ("", "pre", Greater),
            ("pre", "pre", Equal),
            ("1.-.2", "1.2", Equal),
            ("1.2", "1-2", Equal),
            ("1a", "1", Greater),
            ("01", "1", Equal),
            ("00000000000000001", "1", Equal),
            ("99999999999", "1", Less),
            ("99999999999", "100000000000", Greater),
            ("99999999999", "a", Less),
            ("2147483647", "2147483648", Greater),
            ("+5", "5", Less),
            ("1.0_rc1", "1.0", Greater),
            ("\u{e9}", "z", Greater),
        ];
        for (left, right, order) in cases {
            assert_eq!(compare_versions(left, right), order, "{left} {right}");
            assert_eq!(compare_versions(right, left), order.reverse(), "{right} {left}");
        }
    }

    proptest! {
        #[test]
        fn a_name_with_a_version_joins_again(text in "[a-z0-9.-]{0,12}") {
            let DrvName { name, version } = DrvName::parse(&text);
            if version.is_empty() {
                prop_assert_eq!(name, &text);
            } else {
                prop_assert_eq!(format!("{name}-{version}"), text.as_str());
            }
        }

        #[test]
        fn comparing_is_antisymmetric(left in "[0-9a-c.-]{0,8}", right in "[0-9a-c.-]{0,8}") {
            prop_assert_eq!(compare_versions(&left, &right), compare_versions(&right, &left).reverse());
        }
    }
}
