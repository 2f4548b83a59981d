//! One option for ssh, as `ssh_config(5)` knows them.

use std::{fmt, str::FromStr};

use thiserror::Error;

/// Longest option in bytes.
const MAX_OPTION: usize = 1000;
/// What Lockstep itself says to ssh; another value would break its connections.
const OURS: [&str; 10] = [
    "controlmaster",
    "controlpath",
    "controlpersist",
    "forkafterauthentication",
    "host",
    "match",
    "remotecommand",
    "requesttty",
    "sessiontype",
    "stdinnull",
];
/// Flags of ssh that people put into lists of options, and the keywords that say the same.
const FLAGS: [(&str, &str); 9] = [
    ("-4", "AddressFamily=inet"),
    ("-6", "AddressFamily=inet6"),
    ("-A", "ForwardAgent=yes"),
    ("-C", "Compression=yes"),
    ("-J", "ProxyJump=bastion"),
    ("-i", "IdentityFile=~/.ssh/id"),
    ("-l", "User=root"),
    ("-o", "ServerAliveInterval=10"),
    ("-p", "Port=2222"),
];

/// An option for ssh, given to it as `-o Keyword=value` in one argument, spaces in the value included.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SshOption {
    keyword: Box<str>,
    value: Box<str>,
}

/// Why a text is not an option for ssh.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Error)]
pub enum SshOptionError {
    /// Not `Keyword=value`.
    #[error("{0:?} is not an option of ssh_config(5); write it like \"ServerAliveInterval=10\"")]
    Form(String),
    /// A flag of ssh's command line.
    #[error("{flag:?} is a flag; write the option of ssh_config(5) instead, like \"{instead}\"")]
    Flag {
        /// What was found.
        flag: String,
        /// An option that does what the flag does.
        instead: &'static str,
    },
    /// An option that Lockstep sets itself.
    #[error("{0:?} is set by Lockstep itself, which keeps its own connections")]
    Ours(String),
}

impl SshOption {
    /// The keyword, as it was written.
    #[must_use]
    pub fn keyword(&self) -> &str {
        &self.keyword
    }

    /// The value, not empty; it may hold spaces.
    #[must_use]
    pub fn value(&self) -> &str {
        &self.value
    }
}

impl FromStr for SshOption {
    type Err = SshOptionError;

    fn from_str(text: &str) -> Result<Self, SshOptionError> {
        let short = || text.chars().take(80).collect::<String>();
        if text.starts_with('-') {
            let known = FLAGS.iter().find(|(flag, _)| text.starts_with(flag));
            let instead = known.map_or("ServerAliveInterval=10", |(_, instead)| instead);
            return Err(SshOptionError::Flag { flag: short(), instead });
        }
        let letters = text.bytes().take_while(u8::is_ascii_alphanumeric).count();
        let (keyword, rest) = text.split_at(letters);
        let value = rest.trim_start_matches(' ');
        let value = value.strip_prefix('=').map_or(value, |value| value.trim_start_matches(' '));
        let is_separated = value.len() < rest.len();
        let is_plain = !text.chars().any(char::is_control) && text.len() <= MAX_OPTION;
        if keyword.is_empty() || value.is_empty() || !is_separated || !is_plain {
            return Err(SshOptionError::Form(short()));
        }
        if OURS.contains(&keyword.to_ascii_lowercase().as_str()) {
            return Err(SshOptionError::Ours(keyword.to_owned()));
        }
        Ok(Self { keyword: keyword.into(), value: value.into() })
    }
}

impl fmt::Display for SshOption {
    /// `Keyword=value`, the argument behind `-o`.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}={}", self.keyword, self.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_as_people_write_them() {
        for (text, written) in [
            ("Port=22", "Port=22"),
            ("Port 22", "Port=22"),
            ("IdentityFile = ~/my keys/a", "IdentityFile=~/my keys/a"),
            ("ProxyCommand=nc -X connect %h %p", "ProxyCommand=nc -X connect %h %p"),
            ("SetEnv=A=b", "SetEnv=A=b"),
        ] {
            assert_eq!(text.parse::<SshOption>().map(|option| option.to_string()), Ok(written.to_owned()));
        }
        let error = |text: &str| text.parse::<SshOption>().expect_err(text);
        for text in ["", "Port", "=22", "Port=", "Port= ", "Port:22", "A=b\nC=d", "ä=b"] {
            assert!(matches!(error(text), SshOptionError::Form(_)), "{text}");
        }
        for (text, expected) in
            [("-p", "Port=2222"), ("-oA=b", "ServerAliveInterval=10"), ("-J", "ProxyJump=bastion")]
        {
            assert!(
                matches!(error(text), SshOptionError::Flag { instead, .. } if instead == expected),
                "{text}"
            );
        }
        for text in ["ControlMaster=auto", "controlpath=/x", "RequestTTY yes"] {
            assert!(matches!(error(text), SshOptionError::Ours(_)), "{text}");
        }
    }
}
