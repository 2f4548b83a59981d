//! What keys do to a line that is being typed.

/// Longest line that is taken, in bytes.
const MAX_LINE: usize = 1024;

/// Whether what is typed is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Echo {
    /// As it is typed.
    Shown,
    /// Not at all.
    Hidden,
}

/// What follows a key.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum After {
    /// The line goes on; these bytes are to be shown.
    More(Vec<u8>),
    /// The line is complete.
    Done,
    /// The user does not want to.
    Cancelled,
}

/// A line that is being typed. Its bytes are overwritten when it is dropped, for it may be a password.
pub(crate) struct Line {
    echo: Echo,
    bytes: Vec<u8>,
}

impl Line {
    /// An empty line. Its room is taken at once, so that no copy of a secret is left behind by growing.
    pub(crate) fn new(echo: Echo) -> Self {
        Self { echo, bytes: Vec::with_capacity(MAX_LINE) }
    }

    /// Takes one byte as it comes from a terminal that interprets nothing.
    pub(crate) fn push(&mut self, byte: u8) -> After {
        match byte {
            // Ctrl-C.
            3 => After::Cancelled,
            // Ctrl-D ends a line, and an empty one is no answer.
            4 if self.bytes.is_empty() => After::Cancelled,
            b'\r' | b'\n' | 4 => After::Done,
            // Backspace, as either of its two codes.
            8 | 127 => {
                let erased = self.erase();
                self.shown(if erased { b"\x08 \x08" } else { b"" })
            }
            // Ctrl-U.
            21 => {
                let mut erased = 0;
                while self.erase() {
                    erased += 1;
                }
                self.shown(&b"\x08 \x08".repeat(erased))
            }
            0..32 => self.shown(b""),
            _ if self.bytes.len() == MAX_LINE => self.shown(b""),
            _ => {
                self.bytes.push(byte);
                self.shown(&[byte])
            }
        }
    }

    /// What was typed.
    pub(crate) fn take(mut self) -> Vec<u8> {
        std::mem::take(&mut self.bytes)
    }

    fn shown(&self, bytes: &[u8]) -> After {
        After::More(if self.echo == Echo::Shown { bytes.to_vec() } else { Vec::new() })
    }

    /// Removes the last character, all bytes of it.
    fn erase(&mut self) -> bool {
        while let Some(byte) = self.bytes.pop() {
            if byte & 0b1100_0000 != 0b1000_0000 {
                return true;
            }
        }
        false
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.bytes.fill(0);
        std::hint::black_box(&self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is typed and shown in the end; nothing typed if it was cancelled.
    fn typed(keys: &str, echo: Echo) -> (Option<String>, String) {
        let (mut line, mut shown) = (Line::new(echo), Vec::new());
        for byte in keys.bytes() {
            match line.push(byte) {
                After::More(bytes) => shown.extend(bytes),
                After::Done => {
                    let text = String::from_utf8(line.take()).unwrap();
                    return (Some(text), String::from_utf8(shown).unwrap());
                }
                After::Cancelled => return (None, String::from_utf8(shown).unwrap()),
            }
        }
        panic!("{keys:?} has no end");
    }

    #[test]
    fn lines_are_edited() {
        for (keys, expected) in [
            ("yes\r", Some("yes")),
            ("yex\x7fs\n", Some("yes")),
            ("p\u{e4}\x08a\n", Some("pa")),
            ("wrong\x15right\n", Some("right")),
            ("\x7f\x7fa\x04", Some("a")),
            ("\x04", None),
            ("secr\x03", None),
            ("a\x1b[Ab\n", Some("a[Ab")),
            ("\n", Some("")),
        ] {
            assert_eq!(typed(keys, Echo::Shown).0.as_deref(), expected, "{keys:?}");
            let (hidden, shown) = typed(keys, Echo::Hidden);
            assert_eq!((hidden.as_deref(), shown.as_str()), (expected, ""), "{keys:?}");
        }
        assert_eq!(typed("ab\x7f\n", Echo::Shown).1, "ab\x08 \x08");
    }

    #[test]
    fn a_line_has_an_end() {
        let keys = "x".repeat(MAX_LINE + 5) + "\n";
        assert_eq!(typed(&keys, Echo::Hidden).0.unwrap().len(), MAX_LINE);
    }
}
