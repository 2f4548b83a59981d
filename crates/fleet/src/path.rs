//! Where in the description something stands, written as Nix writes it.

use std::fmt;

/// Longest name in characters that is shown.
const MAX_NAME: usize = 253;

/// The path of an attribute, as `lockstep.hosts."web1.example.org".addresses[0]`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct AttrPath(Vec<Step>);

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Name(String),
    Element(usize),
}

impl AttrPath {
    /// The path of these names.
    #[must_use]
    pub fn new(names: &[&str]) -> Self {
        Self(names.iter().map(|name| Step::Name((*name).to_owned())).collect())
    }

    /// The path of the attribute `name` in this one.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Self {
        self.with(Step::Name(name.to_owned()))
    }

    /// The path of an element of this list, counted from 0.
    #[must_use]
    pub fn element(&self, index: usize) -> Self {
        self.with(Step::Element(index))
    }

    fn with(&self, step: Step) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Self(steps)
    }
}

impl fmt::Display for AttrPath {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, step) in self.0.iter().enumerate() {
            match step {
                Step::Element(number) => write!(out, "[{number}]")?,
                Step::Name(name) => {
                    out.write_str(if index == 0 { "" } else { "." })?;
                    out.write_str(&write_attribute(name))?;
                }
            }
        }
        Ok(())
    }
}

/// An attribute's name as Nix reads it: plain, or in quotes; a long one is shortened.
pub(crate) fn write_attribute(name: &str) -> String {
    let begins = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_'-".contains(&byte);
    let short: String = name.chars().take(MAX_NAME).collect();
    if begins && name.bytes().all(allowed) { short } else { quote(&short) }
}

/// A text as Nix writes it, on one line.
pub(crate) fn quote(text: &str) -> String {
    let mut quoted = String::from("\"");
    for next in text.chars() {
        match next {
            '"' | '\\' => quoted.extend(['\\', next]),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            next if next.is_control() => quoted.push(char::REPLACEMENT_CHARACTER),
            next => quoted.push(next),
        }
    }
    quoted.push('"');
    quoted.replace("${", "\\${")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted_where_nix_quotes_them() {
        let path = AttrPath::new(&["lockstep", "hosts", "web-1.example.org"]);
        assert_eq!(
            path.attribute("addresses").element(0).to_string(),
            "lockstep.hosts.\"web-1.example.org\".addresses[0]"
        );
        assert_eq!(AttrPath::new(&["lockstep", "1a", "a\"b"]).to_string(), "lockstep.\"1a\".\"a\\\"b\"");
    }
}
