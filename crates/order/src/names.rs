//! The short names in an order: its id, its nonce, a host, a unit. Each fits a file name and a remote word.

use std::{fmt, str::FromStr};

use thiserror::Error;

/// Longest host name in bytes (RFC 1035's limit for a domain name).
const MAX_HOST: usize = 253;
/// Longest unit name in bytes (`UNIT_NAME_MAX` in systemd, without the final zero).
const MAX_UNIT: usize = 255;
/// Digits of an order's id: 100 bits in base 32.
const ID: usize = 20;
/// Digits of a nonce: 160 bits in base 32.
const NONCE: usize = 32;
/// Digits of ids and nonces.
const DIGITS: &[u8; 32] = b"0123456789abcdefghijklmnopqrstuv";

/// Why a text is not the name that it should be.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{what} {text:?} {problem}")]
pub struct NameError {
    what: &'static str,
    text: String,
    problem: &'static str,
}

impl NameError {
    fn new(what: &'static str, text: &str, problem: &'static str) -> Self {
        Self { what, text: text.chars().take(80).collect(), problem }
    }
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Box<str>);

        impl $name {
            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, NameError> {
                Self::check(text).map(|()| Self(text.into()))
            }
        }
    };
}

macro_rules! shown {
    ($name:ident) => {
        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, out)
            }
        }
    };
}

name! {
    /// The name of a host in the fleet: letters, digits, `.`, `_` and `-`, not beginning with `.` or `-`.
    HostName
}
shown!(HostName);

impl HostName {
    fn check(text: &str) -> Result<(), NameError> {
        let error = |problem| Err(NameError::new("host name", text, problem));
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        match text.as_bytes() {
            [] => error("is empty"),
            [b'.' | b'-', ..] => error("begins with '.' or '-'"),
            bytes if bytes.len() > MAX_HOST => error("is longer than 253 bytes"),
            bytes if !bytes.iter().all(|byte| allowed(*byte)) => {
                error("may hold letters, digits, '.', '_' and '-' only")
            }
            _ => Ok(()),
        }
    }
}

name! {
    /// An order among all orders: 100 random bits as 20 digits.
    OrderId
}
shown!(OrderId);

impl OrderId {
    /// The id of these random bytes, 5 bits of each.
    #[must_use]
    pub fn from_random(bytes: [u8; ID]) -> Self {
        Self(digits(&bytes))
    }

    fn check(text: &str) -> Result<(), NameError> {
        check_digits("order id", text, ID)
    }
}

name! {
    /// What a confirmation must show: 160 random bits as 32 digits. Its `Debug` does not tell.
    Nonce
}

impl Nonce {
    /// The nonce of these random bytes, 5 bits of each.
    #[must_use]
    pub fn from_random(bytes: [u8; NONCE]) -> Self {
        Self(digits(&bytes))
    }

    fn check(text: &str) -> Result<(), NameError> {
        check_digits("nonce", text, NONCE).map_err(|error| NameError { text: "(hidden)".to_owned(), ..error })
    }
}

impl fmt::Debug for Nonce {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("(hidden)")
    }
}

name! {
    /// A systemd unit's full name, as `sshd.service`.
    UnitName
}
shown!(UnitName);

impl UnitName {
    fn check(text: &str) -> Result<(), NameError> {
        let error = |problem| Err(NameError::new("unit name", text, problem));
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b":-_.\\@".contains(&byte);
        let suffix = text.rsplit_once('.').map(|(stem, suffix)| (!stem.is_empty(), suffix));
        if text.len() > MAX_UNIT {
            error("is longer than 255 bytes")
        } else if !text.bytes().all(allowed) || text.starts_with('-') {
            error("is not a unit's: letters, digits and :-_.\\@ only, not beginning with '-'")
        } else if suffix.is_none_or(|(stem, suffix)| !stem || !SUFFIXES.contains(&suffix)) {
            error("lacks a unit type, as in 'sshd.service'")
        } else {
            Ok(())
        }
    }
}

/// The unit types of systemd (`systemd.unit(5)`).
const SUFFIXES: [&str; 11] = [
    "service",
    "socket",
    "device",
    "mount",
    "automount",
    "swap",
    "target",
    "path",
    "timer",
    "slice",
    "scope",
];

fn digits(bytes: &[u8]) -> Box<str> {
    bytes.iter().map(|byte| char::from(DIGITS[usize::from(byte % 32)])).collect()
}

fn check_digits(what: &'static str, text: &str, length: usize) -> Result<(), NameError> {
    if text.len() != length {
        return Err(NameError::new(what, text, "has a wrong length"));
    }
    if !text.bytes().all(|byte| DIGITS.contains(&byte)) {
        return Err(NameError::new(what, text, "may hold the digits 0-9 and a-v only"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_refused_for_a_reason() {
        let host = |text: &str| text.parse::<HostName>().map_err(|error| error.to_string());
        assert!(host("web-1.example.org").is_ok() && host("_x").is_ok());
        for bad in ["", "-v", ".x", "a b", "a/b", "a;b", "ä", &"x".repeat(254)] {
            assert!(host(bad).is_err(), "{bad:?}");
        }
        let unit = |text: &str| text.parse::<UnitName>().map_err(|error| error.to_string());
        assert!(unit("sshd.service").is_ok() && unit("a@b\\x2d.mount").is_ok());
        for bad in ["sshd", ".service", "-x.service", "a b.service", "x.exe", ""] {
            assert!(unit(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_nonce_is_not_shown() {
        let nonce = Nonce::from_random([7; 32]);
        assert!(!format!("{nonce:?}").contains(nonce.as_str()));
        let error = "short-secret".parse::<Nonce>().expect_err("too short");
        assert!(!error.to_string().contains("secret"), "{error}");
    }

    #[test]
    fn random_bytes_make_names_that_parse() {
        for byte in 0..=255 {
            let id = OrderId::from_random([byte; 20]);
            assert_eq!(id.as_str().parse::<OrderId>(), Ok(id));
        }
    }
}
