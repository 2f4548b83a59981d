//! Foreign text made fit for a terminal and a log: lines of a bounded length, without control characters.

/// Most bytes of a line that are kept.
const LINE: usize = 4 << 10;
/// Most lines that a cause carries.
pub(crate) const LAST_LINES: usize = 20;

/// Cuts a stream of bytes into lines.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    open: Vec<u8>,
}

impl Lines {
    /// Takes the next bytes and gives every line that is complete.
    pub(crate) fn push(&mut self, bytes: &[u8], give: &mut dyn FnMut(String)) {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let (line, ends) = piece.strip_suffix(b"\n").map_or((piece, false), |line| (line, true));
            let room = LINE.saturating_sub(self.open.len());
            self.open.extend_from_slice(&line[..line.len().min(room)]);
            if ends {
                give(plain(&String::from_utf8_lossy(&self.open)));
                self.open.clear();
            }
        }
    }

    /// Gives what is left without an end of its line.
    pub(crate) fn finish(&mut self, give: &mut dyn FnMut(String)) {
        if !self.open.is_empty() {
            self.push(b"\n", give);
        }
    }
}

/// The text as [`daemon::plain`] text, and without line breaks and what reorders; a tab becomes a space. What a carriage
/// return would have overwritten is dropped.
pub(crate) fn plain(text: &str) -> String {
    let text = text.trim_end_matches('\r');
    let text = text.rsplit('\r').next().unwrap_or(text);
    let shown = |c: &char| *c != '\n' && !is_direction(*c);
    daemon::plain(text).replace('\t', " ").chars().filter(shown).collect()
}

/// The text on one line, and plain.
pub(crate) fn one_line(text: &str) -> String {
    plain(&text.replace(['\n', '\r'], " "))
}

/// Characters that reorder what is shown.
fn is_direction(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The last lines of a text, cleaned.
pub(crate) fn last_lines(text: &str) -> Vec<String> {
    let lines: Vec<String> = text.lines().map(plain).filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(LAST_LINES)..].to_vec()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn lines(pieces: &[&[u8]]) -> Vec<String> {
        let (mut lines, mut given) = (Lines::default(), Vec::new());
        pieces.iter().for_each(|piece| lines.push(piece, &mut |line| given.push(line)));
        lines.finish(&mut |line| given.push(line));
        given
    }

    #[test]
    fn streams_become_lines() {
        let cases: [(&[&[u8]], &[&str]); 5] = [
            (&[b"a\nb"], &["a", "b"]),
            (&[b"a", b"b\n", b"\nc\n"], &["ab", "", "c"]),
            (&[b"10%\r20%\r\n"], &["20%"]),
            (&[b"\x1b[31mred\x1b[0m \x1b]0;title\x07x\x07\n"], &["red x"]),
            (&[b"\xff\n"], &["\u{fffd}"]),
        ];
        for (pieces, expected) in cases {
            assert_eq!(lines(pieces), expected);
        }
        let long = [b'x'; 3 * LINE];
        assert_eq!(lines(&[&long, &long, b"\ny"]), ["x".repeat(LINE), "y".to_owned()]);
    }

    proptest! {
        #[test]
        fn no_control_character_is_left(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            for line in lines(&[&bytes]) {
                prop_assert!(!line.chars().any(char::is_control));
            }
        }
    }
}
