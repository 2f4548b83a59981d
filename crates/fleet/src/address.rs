//! Where a host is reached: over ssh, or as the machine that Lockstep runs on.

use std::{fmt, iter, num::NonZeroU16, str::FromStr};

use core::net::Ipv6Addr;

use order::HostName;
use thiserror::Error;

/// Longest host in an address, in bytes (RFC 1035's limit for a domain name).
const MAX_HOST: usize = 253;
/// Longest user in an address, in bytes.
const MAX_USER: usize = 255;
/// The word for the machine that Lockstep runs on.
const LOCAL: &str = "local";

/// Where a host is reached. Written `host`, `user@host:port`, `[2001:db8::1]:port`, or `local`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Address {
    /// This machine itself: no ssh, the same agent.
    Local,
    /// Over ssh.
    Ssh(SshAddress),
}

/// What ssh is told about where to connect.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SshAddress {
    host: Box<str>,
    /// The user to log in as; without one, ssh's own configuration says it.
    pub user: Option<SshUser>,
    /// The port; without one, ssh's own configuration says it.
    pub port: Option<NonZeroU16>,
}

/// A user to log in as: printable ASCII without spaces, quotes or slashes, not beginning with `-`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SshUser(Box<str>);

/// Why a text is not an address, or not a part of one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Error)]
pub enum AddressError {
    /// No host in it.
    #[error("the host is missing")]
    NoHost,
    /// The host is not a name or an IP address.
    #[error("{0:?} is not a host name or IP address")]
    Host(String),
    /// An IPv6 address together with a port, without brackets.
    #[error("an IPv6 address with a port is written [2001:db8::1]:22")]
    Brackets,
    /// The user is not one.
    #[error("{0:?} is not a user name")]
    User(String),
    /// The port is not one.
    #[error("{0:?} is not a port; ports go from 1 to 65535")]
    Port(String),
    /// `local` with a user or a port.
    #[error("'local' is this machine, and takes neither user nor port")]
    Local,
}

impl Address {
    /// The address with the user and port of the host's settings where it has none of its own.
    #[must_use]
    pub fn or(self, user: Option<&SshUser>, port: Option<NonZeroU16>) -> Self {
        match self {
            Self::Local => Self::Local,
            Self::Ssh(SshAddress { host, user: own, port: own_port }) => {
                Self::Ssh(SshAddress { host, user: own.or_else(|| user.cloned()), port: own_port.or(port) })
            }
        }
    }
}

impl SshAddress {
    /// An address of this host, a name or an IP address (IPv6 without brackets).
    ///
    /// # Errors
    /// If the host is not one.
    pub fn new(host: &str, user: Option<SshUser>, port: Option<NonZeroU16>) -> Result<Self, AddressError> {
        let short = || host.chars().take(80).collect();
        if host.is_empty() {
            return Err(AddressError::NoHost);
        }
        let is_name = host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
        let is_good = host.len() <= MAX_HOST && !host.starts_with('-') && (is_name || is_ipv6(host));
        if is_good { Ok(Self { host: host.into(), user, port }) } else { Err(AddressError::Host(short())) }
    }

    /// The address that is the host's name.
    #[must_use]
    pub fn of_host(name: &HostName, user: Option<SshUser>, port: Option<NonZeroU16>) -> Self {
        Self { host: name.as_str().into(), user, port }
    }

    /// The name or IP address; IPv6 without brackets, perhaps with `%` and its zone.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }
}

/// An IPv6 address, perhaps with a zone behind it.
fn is_ipv6(text: &str) -> bool {
    let (address, zone) = text.split_once('%').map_or((text, None), |(address, zone)| (address, Some(zone)));
    let is_zone = |zone: &str| {
        !zone.is_empty() && zone.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
    };
    address.parse::<Ipv6Addr>().is_ok() && zone.is_none_or(is_zone)
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        if text == LOCAL {
            return Ok(Self::Local);
        }
        let (user, place) = match text.rsplit_once('@') {
            Some((user, place)) => (Some(user.parse()?), place),
            None => (None, text),
        };
        let (host, port) = split_port(place)?;
        let port = port.map(parse_port).transpose()?;
        if host == LOCAL {
            return Err(AddressError::Local);
        }
        SshAddress::new(host, user, port).map(Self::Ssh)
    }
}

/// Host and port of `host`, `host:port`, `[ipv6]`, `[ipv6]:port` or a bare IPv6 address.
fn split_port(place: &str) -> Result<(&str, Option<&str>), AddressError> {
    if let Some(rest) = place.strip_prefix('[') {
        let (host, behind) = rest.split_once(']').ok_or(AddressError::Brackets)?;
        return match behind.strip_prefix(':') {
            _ if !is_ipv6(host) => Err(AddressError::Host(host.chars().take(80).collect())),
            Some(port) => Ok((host, Some(port))),
            None if behind.is_empty() => Ok((host, None)),
            None => Err(AddressError::Brackets),
        };
    }
    match place.split_once(':') {
        None => Ok((place, None)),
        Some((host, port)) if !port.contains(':') => Ok((host, Some(port))),
        Some(_) if is_ipv6(place) => Ok((place, None)),
        Some(_) => Err(AddressError::Brackets),
    }
}

fn parse_port(text: &str) -> Result<NonZeroU16, AddressError> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    let port = if is_number { text.parse().ok() } else { None };
    port.ok_or_else(|| AddressError::Port(text.chars().take(80).collect()))
}

impl FromStr for SshUser {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        // What OpenSSH refuses in a user name, and what would be taken for an option.
        let allowed = |byte: u8| byte.is_ascii_graphic() && !b"'`\"$\\;&<>|(){}[]*?!#~^/,:%=".contains(&byte);
        let is_good = !text.is_empty() && text.len() <= MAX_USER && !text.starts_with('-');
        if is_good && text.bytes().all(allowed) {
            Ok(Self(text.into()))
        } else {
            Err(AddressError::User(text.chars().take(80).collect()))
        }
    }
}

impl SshUser {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SshUser {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local => out.write_str(LOCAL),
            Self::Ssh(address) => fmt::Display::fmt(address, out),
        }
    }
}

impl fmt::Display for SshAddress {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(user) = &self.user {
            write!(out, "{user}@")?;
        }
        match (self.port, self.host.contains(':')) {
            (Some(port), true) => write!(out, "[{}]:{port}", self.host),
            (Some(port), false) => write!(out, "{}:{port}", self.host),
            (None, true) => write!(out, "[{}]", self.host),
            (None, false) => out.write_str(&self.host),
        }
    }
}

/// The addresses of a host, tried in this order; at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addresses {
    first: Address,
    rest: Vec<Address>,
}

impl Addresses {
    /// These addresses, if there is one.
    #[must_use]
    pub fn new(addresses: Vec<Address>) -> Option<Self> {
        let mut addresses = addresses.into_iter();
        let first = addresses.next()?;
        Some(Self { first, rest: addresses.collect() })
    }

    /// The address that is tried first.
    #[must_use]
    pub fn first(&self) -> &Address {
        &self.first
    }

    /// All addresses, in the order in which they are tried.
    pub fn iter(&self) -> impl Iterator<Item = &Address> {
        iter::once(&self.first).chain(&self.rest)
    }
}

impl From<Address> for Addresses {
    fn from(first: Address) -> Self {
        Self { first, rest: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_written_back() {
        let cases = [
            ("web1", "web1"),
            ("root@web1.example.org:2222", "root@web1.example.org:2222"),
            ("user@realm@web1", "user@realm@web1"),
            ("192.0.2.1:22", "192.0.2.1:22"),
            ("2001:db8::1", "[2001:db8::1]"),
            ("[2001:db8::1]", "[2001:db8::1]"),
            ("root@[fe80::1%eth0]:22", "root@[fe80::1%eth0]:22"),
            ("local", "local"),
        ];
        for (text, written) in cases {
            let address = text.parse::<Address>().unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(address.to_string(), written, "{text}");
            assert_eq!(written.parse(), Ok(address), "{text}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused_for_its_reason() {
        let error = |text: &str| text.parse::<Address>().expect_err(text);
        for text in ["", "root@", ":22"] {
            assert_eq!(error(text), AddressError::NoHost, "{text}");
        }
        for text in ["-oProxyCommand=x", "a b", "ä", "a/b", "root@-x", "[web1]:22", "web1%eth0"] {
            assert!(matches!(error(text), AddressError::Host(_)), "{text}");
        }
        for text in ["web1:", "web1:0", "web1:65536", "web1:x", "web1:+22", "web1:-1"] {
            assert!(matches!(error(text), AddressError::Port(_)), "{text}");
        }
        for text in ["@web1", "-x@web1", "a b@web1", "$x@web1"] {
            assert!(matches!(error(text), AddressError::User(_)), "{text}");
        }
        for text in ["2001:db8::1:x:22", "[::1", "[::1]x"] {
            assert_eq!(error(text), AddressError::Brackets, "{text}");
        }
        for text in ["root@local", "local:22"] {
            assert_eq!(error(text), AddressError::Local, "{text}");
        }
    }

    #[test]
    fn user_and_port_fill_gaps_only() {
        let root: SshUser = "root".parse().expect("a user");
        let filled = |text: &str| {
            text.parse::<Address>().expect("an address").or(Some(&root), NonZeroU16::new(2222)).to_string()
        };
        assert_eq!(filled("web1"), "root@web1:2222");
        assert_eq!(filled("admin@web1"), "admin@web1:2222");
        assert_eq!(filled("web1:22"), "root@web1:22");
        assert_eq!(filled("local"), "local");
    }
}
