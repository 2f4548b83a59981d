//! One broken rule: where, what is wrong, what to do.

use std::fmt;

/// A place that breaks a rule, printed as `path:line: what is wrong; what to do`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Violation {
    path: String,
    line: usize,
    wrong: String,
    remedy: String,
}

impl Violation {
    /// `line` counts from one.
    pub(crate) fn new(path: &str, line: usize, wrong: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, wrong: wrong.into(), remedy: remedy.into() }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}: {}; {}", self.path, self.line, self.wrong, self.remedy)
    }
}
