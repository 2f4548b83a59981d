//! Which hosts are meant: names and globs, `@tag`, `&` for and, `!` for not, `,` for or, parentheses.

mod eval;
mod parse;

use std::fmt;

use globset::{GlobBuilder, GlobMatcher};
use order::HostName;
use thiserror::Error;

pub(crate) use eval::Directory;
pub use eval::{SelectError, Unmatched, select};

/// Which hosts are meant, as an operator wrote it.
///
/// `web1`, `web*`, `[ab]1`, `@prod` and `@prod-*` are patterns. `!` binds more tightly than `&`, and `&` more than `,`.
/// Its text form is the shortest that is read as the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selector(pub(crate) Expression);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Expression {
    Pattern(Pattern),
    Not(Box<Expression>),
    /// Two or more, none of them an `And`.
    And(Vec<Expression>),
    /// Two or more, none of them an `Or`.
    Or(Vec<Expression>),
}

/// One word of a selector.
#[derive(Debug, Clone)]
pub(crate) struct Pattern {
    pub(crate) is_tag: bool,
    /// Without `@`.
    pub(crate) text: Box<str>,
    /// None if the text has no wildcard.
    pub(crate) glob: Option<GlobMatcher>,
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.is_tag == other.is_tag && self.text == other.text
    }
}

impl Eq for Pattern {}

/// Why a text is not a selector. The message shows the text and a caret below the place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Error)]
#[error("{problem}{}", self.place())]
pub struct SelectorError {
    /// The text, or that line of it.
    pub text: String,
    /// The line, counted from 1, if there were many.
    pub line: Option<usize>,
    /// Where in the text, in characters from 0; the end if something is missing.
    pub at: usize,
    /// What is wrong there.
    pub problem: SelectorProblem,
}

/// What is wrong in a selector.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Error)]
pub enum SelectorProblem {
    /// Nothing in it.
    #[error("the selector is empty")]
    Empty,
    /// A name, glob or tag is missing.
    #[error("a name, glob or @tag is missing")]
    NoPattern,
    /// An operator is missing between two patterns.
    #[error("an operator is missing: ',' for or, '&' for and")]
    NoOperator,
    /// A character that is in no pattern.
    #[error("{0:?} is in no name or tag")]
    Character(char),
    /// `[` without `]`.
    #[error("'[' without ']'")]
    Class,
    /// `[z-a]` and the like.
    #[error("not a valid glob")]
    Glob,
    /// `(` without `)`.
    #[error("'(' without ')'")]
    Open,
    /// `)` without `(`.
    #[error("')' without '('")]
    Close,
    /// Too many parentheses or `!` inside each other.
    #[error("more than {max} parentheses and '!' inside each other", max = parse::MAX_DEPTH)]
    Depth,
    /// A pattern or a text that is too long.
    #[error("longer than {0} bytes")]
    TooLong(usize),
}

impl SelectorError {
    /// The text with a caret below the place; only what is around it if the text is long.
    fn place(&self) -> String {
        const AROUND: usize = 60;
        if self.text.trim().is_empty() {
            return String::new();
        }
        let line = self.line.map_or_else(String::new, |line| format!(" in line {line}"));
        let from = self.at.saturating_sub(AROUND);
        let is_plain = |c: char| if c.is_control() { '\u{fffd}' } else { c };
        let shown: String = self.text.chars().skip(from).take(2 * AROUND).map(is_plain).collect();
        format!("{line}\n  {shown}\n  {:>width$}", '^', width = self.at - from + 1)
    }
}

impl Pattern {
    /// Compiles the text; `None` if it is no glob.
    fn new(is_tag: bool, text: &str) -> Option<Self> {
        let glob = if text.contains(['*', '?', '[']) {
            Some(GlobBuilder::new(text).literal_separator(false).build().ok()?.compile_matcher())
        } else {
            None
        };
        Some(Self { is_tag, text: text.into(), glob })
    }

    pub(crate) fn matches(&self, name: &str) -> bool {
        self.glob.as_ref().map_or(&*self.text == name, |glob| glob.is_match(name))
    }
}

impl Selector {
    /// The text that stands for "the selectors are on standard input"; the caller reads them and gives them to
    /// [`Selector::from_lines`].
    pub const STDIN: &str = "-";

    /// Every host that one of these means; `None` if there are none of them.
    #[must_use]
    pub fn any(selectors: Vec<Self>) -> Option<Self> {
        let expressions = selectors.into_iter().map(|selector| selector.0).collect();
        Expression::join(expressions, Expression::Or).map(Self)
    }
}

impl Selector {
    /// Whether it is this name, and nothing else.
    pub(crate) fn is_name(&self, name: &HostName) -> bool {
        matches!(&self.0, Expression::Pattern(pattern) if !pattern.is_tag && &*pattern.text == name.as_str())
    }
}

impl Expression {
    /// One expression of these, whatever is of the same kind taken apart; `None` of none.
    fn join(expressions: Vec<Self>, kind: fn(Vec<Self>) -> Self) -> Option<Self> {
        let is_or = matches!(kind(Vec::new()), Self::Or(_));
        let flat = |expression| match expression {
            Self::Or(inner) if is_or => inner,
            Self::And(inner) if !is_or => inner,
            other => vec![other],
        };
        let mut all: Vec<Self> = expressions.into_iter().flat_map(flat).collect();
        if all.len() > 1 { Some(kind(all)) } else { all.pop() }
    }

    /// How tightly it binds.
    fn rank(&self) -> u8 {
        match self {
            Self::Or(_) => 0,
            Self::And(_) => 1,
            Self::Not(_) | Self::Pattern(_) => 2,
        }
    }

    fn write(&self, out: &mut fmt::Formatter<'_>, around: u8) -> fmt::Result {
        if self.rank() < around {
            out.write_str("(")?;
            self.write(out, 0)?;
            return out.write_str(")");
        }
        match self {
            Self::Pattern(pattern) => write!(out, "{pattern}"),
            Self::Not(inner) => {
                out.write_str("!")?;
                inner.write(out, 2)
            }
            Self::And(all) => Self::write_all(out, all, "&", 2),
            Self::Or(all) => Self::write_all(out, all, ",", 1),
        }
    }

    fn write_all(out: &mut fmt::Formatter<'_>, all: &[Self], between: &str, around: u8) -> fmt::Result {
        for (index, expression) in all.iter().enumerate() {
            out.write_str(if index == 0 { "" } else { between })?;
            expression.write(out, around)?;
        }
        Ok(())
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}{}", if self.is_tag { "@" } else { "" }, self.text)
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.write(out, 0)
    }
}

#[cfg(test)]
mod tests;
