//! The name of one run of lockstep.

use std::fmt;

use report::Timestamp;

/// What a name looks like: a `0` stands for any decimal digit, a `v` for any digit to the base 32.
const SHAPE: &[u8; 21] = b"00000000T000000Z-vvvv";

/// One run among all: when it began and four random digits, `20261121T093000Z-k3v0`. Sorted by time.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RunId(Box<str>);

impl RunId {
    /// A run that began then.
    #[must_use]
    pub fn new(at: Timestamp, random: [u8; 4]) -> Self {
        const DIGITS: &[u8; 32] = b"0123456789abcdefghijklmnopqrstuv";
        let time: String = at.to_string().chars().filter(|c| !matches!(c, '-' | ':')).collect();
        let random: String = random.iter().map(|byte| char::from(DIGITS[usize::from(byte % 32)])).collect();
        Self(format!("{time}-{random}").into())
    }

    /// Reads a name as [`RunId::new`] writes it.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let fits = |(byte, shape): (u8, u8)| match shape {
            b'0' => byte.is_ascii_digit(),
            b'v' => matches!(byte, b'0'..=b'9' | b'a'..=b'v'),
            other => byte == other,
        };
        let is_run = text.len() == SHAPE.len() && text.bytes().zip(*SHAPE).all(fits);
        is_run.then(|| Self(text.into()))
    }

    /// The name as text, fit for a file.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_named_by_its_time() {
        let run = RunId::new(Timestamp(1_795_253_400_000), [3, 31, 32, 255]);
        assert_eq!(run.as_str(), "20261121T093000Z-3v0v");
        assert_eq!(RunId::parse(run.as_str()), Some(run));
    }

    #[test]
    fn what_is_no_name_of_a_run() {
        for text in ["", "running", "20261121T093000Z", "20261121T093000Z-3v0w", "20261121T093000Z-3v0v2"] {
            assert_eq!(RunId::parse(text), None, "{text}");
        }
    }
}
