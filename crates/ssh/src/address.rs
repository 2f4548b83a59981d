//! Where a host is reached: `user@host:port`, or this machine itself.

use std::fmt;
use std::str::FromStr;

/// One way to a host. Each address carries its own user and port.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Address {
    /// This machine: programs are started directly, without ssh. Written `local`.
    Local,
    /// Over ssh.
    Remote(Remote),
}

/// Where ssh goes. What is not said is left to the operator's ssh configuration.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Remote {
    user: Option<String>,
    host: String,
    port: Option<u16>,
}

/// A text that is no address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no address: {why}; write `host`, `user@host:port`, `[2001:db8::1]:port` or `local`")]
pub struct NotAnAddress {
    text: String,
    why: Fault,
}

/// What is wrong with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
enum Fault {
    #[error("the host is missing")]
    NoHost,
    #[error("a host is made of letters, digits, `.`, `-` and `_`, and does not begin with `-`")]
    Host,
    #[error("the `[` is not closed")]
    Open,
    #[error("after `]` comes `:` and the port")]
    AfterBracket,
    #[error("a port is a number from 1 to 65535")]
    Port,
    #[error("the user before `@` is missing")]
    NoUser,
    #[error(
        "a user is made of letters, digits, `.`, `-`, `_`, `+`, `@` and `$`, and does not begin with `-`"
    )]
    User,
}

impl Address {
    /// This address with a user and a port where it has none of its own.
    #[must_use]
    pub fn or(self, user: Option<&User>, port: Option<u16>) -> Self {
        match self {
            Self::Local => Self::Local,
            Self::Remote(remote) => Self::Remote(Remote {
                user: remote.user.or_else(|| user.map(|user| user.0.clone())),
                port: remote.port.or(port),
                ..remote
            }),
        }
    }
}

impl Remote {
    /// The user to log in as.
    #[must_use]
    pub fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// A name or number, without brackets; a name may be an alias of the operator's ssh configuration.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    #[must_use]
    pub fn port(&self) -> Option<u16> {
        self.port
    }
}

/// The name of a user on a host.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct User(String);

impl User {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for User {
    type Err = NotAnAddress;

    fn from_str(text: &str) -> Result<Self, NotAnAddress> {
        user(text).map(Self).map_err(|why| NotAnAddress { text: text.to_owned(), why })
    }
}

impl FromStr for Address {
    type Err = NotAnAddress;

    fn from_str(text: &str) -> Result<Self, NotAnAddress> {
        if text == "local" {
            return Ok(Self::Local);
        }
        parse(text).map(Self::Remote).map_err(|why| NotAnAddress { text: text.to_owned(), why })
    }
}

fn parse(text: &str) -> Result<Remote, Fault> {
    let (name, place) = match text.rsplit_once('@') {
        Some((name, place)) => (Some(user(name)?), place),
        None => (None, text),
    };
    let (host, port) = split_port(place)?;
    let allowed = |c: char| c.is_ascii_alphanumeric() || "._-:%".contains(c);
    if host.is_empty() {
        return Err(Fault::NoHost);
    }
    if host.starts_with('-') || !host.chars().all(allowed) {
        return Err(Fault::Host);
    }
    Ok(Remote { user: name, host: host.to_owned(), port: port.map(number).transpose()? })
}

/// Brackets hold a number with colons; without them a single colon comes before the port.
fn split_port(place: &str) -> Result<(&str, Option<&str>), Fault> {
    if let Some(rest) = place.strip_prefix('[') {
        let (host, rest) = rest.split_once(']').ok_or(Fault::Open)?;
        return match rest.strip_prefix(':') {
            Some(port) => Ok((host, Some(port))),
            None if rest.is_empty() => Ok((host, None)),
            None => Err(Fault::AfterBracket),
        };
    }
    match place.split_once(':') {
        Some((host, port)) if !port.contains(':') => Ok((host, Some(port))),
        _ => Ok((place, None)),
    }
}

fn number(port: &str) -> Result<u16, Fault> {
    let digits = !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit());
    let port: u16 = if digits { port.parse().unwrap_or(0) } else { 0 };
    if port == 0 { Err(Fault::Port) } else { Ok(port) }
}

fn user(name: &str) -> Result<String, Fault> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "._-+@$".contains(c);
    match name.chars().next() {
        None => Err(Fault::NoUser),
        Some(first) if first == '-' || !name.chars().all(allowed) => Err(Fault::User),
        Some(_) => Ok(name.to_owned()),
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Remote(Remote { user, host, port }) = self else { return f.write_str("local") };
        if let Some(user) = user {
            write!(f, "{user}@")?;
        }
        match port {
            Some(port) if host.contains(':') => write!(f, "[{host}]:{port}"),
            Some(port) => write!(f, "{host}:{port}"),
            // Brackets keep `a:1` apart from `a` at port 1.
            None if host.contains(':') => write!(f, "[{host}]"),
            None => f.write_str(host),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{ProptestConfig, proptest};

    use super::Address;

    #[test]
    fn addresses_are_read_and_written_again() {
        let same = ["local", "web1", "web1.example.org", "root@web1", "root@web1:2222", "10.9.0.11:22"];
        let more = ["[fd09::b]:22", "[fd09::b]", "me@corp@jump_host", "a-b@[fe80::1%eth0]:1", "user@local"];
        for text in same.iter().chain(&more) {
            assert_eq!(text.parse::<Address>().unwrap().to_string(), **text);
        }
        let bare: Address = "root@fd09::b".parse().unwrap();
        assert_eq!(bare.to_string(), "root@[fd09::b]", "an IPv6 number without a port needs no brackets");
    }

    #[test]
    fn what_is_no_address_says_why() {
        let cases = [
            ("", "host is missing"),
            ("@web1", "user before `@`"),
            ("root@", "host is missing"),
            (":22", "host is missing"),
            ("web1:", "a port is"),
            ("web1:0", "a port is"),
            ("web1:65536", "a port is"),
            ("web1:+1", "a port is"),
            ("-oProxyCommand=x", "a host is"),
            ("-l@web1", "a user is"),
            ("web 1", "a host is"),
            ("web1;id", "a host is"),
            ("a$(id)@web1", "a user is"),
            ("[fd09::b", "not closed"),
            ("[fd09::b]22", "comes `:`"),
            ("web1/x", "a host is"),
        ];
        for (text, why) in cases {
            let error = text.parse::<Address>().unwrap_err().to_string();
            assert!(error.contains(why), "{text}: {error}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn what_is_read_reads_the_same_again(text in "[a-z@:.%\\[\\]0-9-]{0,20}") {
            if let Ok(address) = text.parse::<Address>() {
                assert_eq!(address.to_string().parse(), Ok(address));
            }
        }
    }
}
