//! What is run or called on a result: an argument vector or a web address, neither of which can be empty.

use std::{fmt, str::FromStr};

/// Longest web address in bytes that is taken.
const MAX_URL: usize = 2000;

/// An argument vector: a program, and its arguments as they are, never split or joined.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Argv(Vec<String>);

impl Argv {
    /// This argument vector, if it has a program and no word holds a zero byte.
    #[must_use]
    pub fn new(words: Vec<String>) -> Option<Self> {
        let has_program = words.first().is_some_and(|program| !program.is_empty());
        let is_passable = words.iter().all(|word| !word.contains('\0'));
        (has_program && is_passable).then_some(Self(words))
    }

    /// The program.
    #[must_use]
    pub fn program(&self) -> &str {
        self.0.first().map_or("", String::as_str)
    }

    /// What the program is given.
    #[must_use]
    pub fn arguments(&self) -> &[String] {
        self.0.get(1..).unwrap_or_default()
    }

    /// Program and arguments.
    #[must_use]
    pub fn words(&self) -> &[String] {
        &self.0
    }
}

/// An `http://` or `https://` address.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WebUrl(Box<str>);

impl WebUrl {
    /// The address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for WebUrl {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://")).ok_or(())?;
        let is_printable = text.bytes().all(|byte| byte.is_ascii_graphic());
        let has_host = !rest.is_empty() && !rest.starts_with(['/', ':', '?', '#']);
        if text.len() <= MAX_URL && is_printable && has_host { Ok(Self(text.into())) } else { Err(()) }
    }
}

impl fmt::Display for WebUrl {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}
