//! What runs on the host: words that every login shell leaves alone, and as whom.

use std::fmt;
use std::str::FromStr;

/// A word of a remote command line. `ssh` joins its arguments with spaces and hands the text to the user's login
/// shell, which we do not know; a word of `[A-Za-z0-9._/+=?-]` means the same in all of them. (`?`, which the names
/// of store paths may hold, is a pattern: it stands for itself where no file matches, and zsh refuses the line. A
/// word that begins with `=` is zsh's for a lookup, so none does.)
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Word(String);

/// A text that a remote shell might take for more than a word.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` cannot be a word of a remote command: only letters, digits and any of `._/+=?-` can, `=` not at its beginning"
)]
pub struct NotAWord(String);

impl Word {
    /// Checks the text.
    pub fn new(text: impl Into<String>) -> Result<Self, NotAWord> {
        let text = text.into();
        let allowed = |c: char| c.is_ascii_alphanumeric() || "._/+=?-".contains(c);
        if text.is_empty() || text.starts_with('=') || !text.chars().all(allowed) {
            return Err(NotAWord(text));
        }
        Ok(Self(text))
    }

    /// The word as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Word {
    type Err = NotAWord;

    fn from_str(text: &str) -> Result<Self, NotAWord> {
        Self::new(text)
    }
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How a program becomes root on the host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Elevation {
    /// It runs as the user who logs in.
    #[default]
    None,
    /// By sudo, which may ask for a password.
    Sudo,
    /// By systemd's run0. It reads no password without a terminal, so a polkit rule must allow it.
    Run0,
    /// By doas. It reads no password without a terminal, so its rule must say `nopass`.
    Doas,
}

impl fmt::Display for Elevation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Elevation {
    /// The program that does it, and the word for it in settings.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Sudo => "sudo",
            Self::Run0 => "run0",
            Self::Doas => "doas",
        }
    }
}

/// A program with its arguments, and as whom it runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    pub(crate) words: Vec<Word>,
    pub(crate) elevation: Elevation,
}

impl Program {
    /// The program, by name or path, and its arguments.
    #[must_use]
    pub fn new(name: Word, arguments: impl IntoIterator<Item = Word>) -> Self {
        Self { words: [name].into_iter().chain(arguments).collect(), elevation: Elevation::None }
    }

    /// The same program, elevated.
    #[must_use]
    pub fn elevated(self, elevation: Elevation) -> Self {
        Self { elevation, ..self }
    }

    /// Its name or path.
    pub(crate) fn name(&self) -> &str {
        self.words.first().map_or("", Word::as_str)
    }
}

/// The words, as they would be typed.
impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, word) in self.words.iter().enumerate() {
            write!(f, "{}{word}", if index == 0 { "" } else { " " })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Word;

    #[test]
    fn words_are_what_no_shell_touches() {
        for good in ["uname", "-sm", "/nix/store/abc-x_1.0+y?z=/bin/a", "a=b"] {
            assert_eq!(good.parse::<Word>().map(|word| word.to_string()).as_deref(), Ok(good));
        }
        let all = (0..=255_u8).map(char::from).map(String::from);
        for bad in all.filter(|c| !c.chars().all(|c| c.is_ascii_alphanumeric() || "._/+=?-_".contains(c))) {
            assert!(Word::new(format!("a{bad}b")).is_err(), "{bad:?}");
        }
        assert!(Word::new("").is_err() && Word::new("=ls").is_err());
    }
}
