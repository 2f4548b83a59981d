//! Tags: what hosts have in common, for selectors.

use std::{fmt, str::FromStr};

use thiserror::Error;

/// Longest tag in bytes.
const MAX_TAG: usize = 100;

/// A tag of a host: letters, digits, `.`, `_` and `-`, not beginning with `-`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tag(Box<str>);

/// Why a text is not a tag.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Error)]
#[error("{0:?} is not a tag; a tag is at most 100 letters, digits, '.', '_' and '-', not beginning with '-'")]
pub struct TagError(String);

impl Tag {
    /// The text, without `@`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Tag {
    type Err = TagError;

    fn from_str(text: &str) -> Result<Self, TagError> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        let is_good = !text.is_empty() && text.len() <= MAX_TAG && !text.starts_with('-');
        if is_good && text.bytes().all(allowed) {
            Ok(Self(text.into()))
        } else {
            Err(TagError(text.chars().take(80).collect()))
        }
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}
