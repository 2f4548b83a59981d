//! Why a command came to nothing: its kind, its whole chain of causes once, and what to do about it.

use deploy::BeginError;
use serde::Serialize;

use crate::{
    style::{Style, paint},
    terminal::Terminal,
    text::clean,
};

/// Nothing was begun. Whatever becomes of hosts is no failure of the command, but a result.
const EXIT_CODE: u8 = 2;

/// Why a command came to nothing.
#[derive(Debug)]
pub(crate) struct Failure {
    kind: Kind,
    error: anyhow::Error,
    /// The last words of the program that failed.
    said: Vec<String>,
    hint: Option<String>,
}

/// What kept the command from being carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// The words on the command line, or what they select.
    Usage,
    /// The description of the fleet.
    Description,
    /// Something on this machine.
    Machine,
}

impl Failure {
    /// A failure without a hint.
    pub(crate) fn new(kind: Kind, error: impl Into<anyhow::Error>) -> Self {
        Self { kind, error: error.into(), said: Vec::new(), hint: None }
    }

    /// A failure of this machine.
    pub(crate) fn machine(error: impl Into<anyhow::Error>) -> Self {
        Self::new(Kind::Machine, error)
    }

    /// A failure that only words describe.
    pub(crate) fn usage(text: impl Into<String>) -> Self {
        Self::new(Kind::Usage, anyhow::Error::msg(text.into()))
    }

    /// The same with what to do about it.
    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same with the last words of the program that failed.
    pub(crate) fn with_words(mut self, words: &str) -> Self {
        self.said = words.lines().map(str::to_owned).collect();
        self
    }

    /// The same in a line, where something else goes on without it.
    pub(crate) fn why(&self) -> String {
        let causes: Vec<_> = self.error.chain().map(|cause| clean(&cause.to_string()).into_owned()).collect();
        causes.join(": ")
    }

    /// The one place that prints a failure; gives the exit code.
    pub(crate) fn report(&self, terminal: &Terminal, json: bool) -> u8 {
        for line in self.lines(terminal.err().color) {
            terminal.note(&line);
        }
        if json {
            terminal.json(&self.wire());
        }
        EXIT_CODE
    }

    fn lines(&self, color: bool) -> Vec<String> {
        let mut lines = Vec::new();
        for (depth, cause) in self.error.chain().enumerate() {
            let label = if depth == 0 { paint("error:", Style::Bad, color) } else { "  because:".to_owned() };
            let text = cause.to_string();
            let mut texts = text.lines();
            lines.push(format!("{label} {}", clean(texts.next().unwrap_or_default())));
            lines.extend(texts.map(|line| format!("  {}", clean(line))));
        }
        lines.extend(self.said.iter().map(|line| paint(&format!("  | {}", clean(line)), Style::Dim, color)));
        lines.extend(
            self.hint.iter().map(|hint| format!("{} {}", paint("hint:", Style::Strong, color), clean(hint))),
        );
        lines
    }

    fn wire(&self) -> Wire<'_> {
        Wire {
            version: crate::wire::VERSION,
            event: "error",
            kind: self.kind,
            causes: self.error.chain().map(ToString::to_string).collect(),
            said: &self.said,
            hint: self.hint.as_deref(),
            exit_code: EXIT_CODE,
        }
    }
}

impl From<BeginError> for Failure {
    fn from(error: BeginError) -> Self {
        let kind = if matches!(error, BeginError::NoHost) { Kind::Usage } else { Kind::Machine };
        Self::new(kind, error)
    }
}

/// Its form in the stream of events.
#[derive(Serialize)]
struct Wire<'a> {
    version: u32,
    event: &'static str,
    kind: Kind,
    causes: Vec<String>,
    said: &'a [String],
    hint: Option<&'a str>,
    exit_code: u8,
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    #[test]
    fn the_chain_is_told_once() {
        let error =
            anyhow!("No such file").context("cannot read\nfleet.nix \x1b[2J").context("no description");
        let failure = Failure::new(Kind::Description, error).with_hint("go to your configuration");
        insta::assert_snapshot!(failure.lines(false).join("\n"), @r"
        error: no description
          because: cannot read
          fleet.nix \x1b[2J
          because: No such file
        hint: go to your configuration
        ");
        let json = serde_json::to_string(&failure.wire()).unwrap();
        insta::assert_snapshot!(json, @r#"{"version":1,"event":"error","kind":"description","causes":["no description","cannot read\nfleet.nix \u001b[2J","No such file"],"said":[],"hint":"go to your configuration","exit_code":2}"#);
    }
}
