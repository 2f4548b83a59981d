//! Text of the daemon made fit for any terminal, log or report.

use std::{iter::Peekable, str::Chars};

type Rest<'a> = Peekable<Chars<'a>>;

/// `text` without escape sequences (ECMA-48, 7 and 8 bits) and control characters other than line breaks and tabs.
///
/// What a build, an error message or a host prints must not be able to write to an operator's terminal.
#[must_use]
pub fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\x1b' => skip_sequence(&mut rest),
            // The C1 form of the sequence that ESC [ begins.
            '\u{9b}' => skip_parameters(&mut rest),
            '\n' | '\t' => plain.push(c),
            _ if c.is_control() => {}
            _ => plain.push(c),
        }
    }
    plain
}

/// Foreign bytes as [`plain`] text of at most `limit` bytes, without white space at its end. What is no UTF-8 is
/// replaced, which makes it longer, so that it is cut behind that.
pub(crate) fn plain_cut(bytes: &[u8], limit: usize) -> String {
    let mut text = plain(&String::from_utf8_lossy(bytes));
    text.truncate(text.trim_end().len());
    text.truncate(text.floor_char_boundary(limit));
    text.shrink_to_fit();
    text
}

/// `text` on one line, at most `limit` characters of it: for an error that says what it has found.
pub(crate) fn clipped(text: &str, limit: usize) -> String {
    let mut chars = text.chars();
    let mut clipped = String::new();
    for c in chars.by_ref().take(limit) {
        if c.is_control() {
            clipped.extend(c.escape_default());
        } else {
            clipped.push(c);
        }
    }
    if chars.next().is_some() {
        clipped.push('…');
    }
    clipped
}

/// Skips the rest of a sequence whose ESC was taken (ECMA-48, 5.3 to 5.6).
fn skip_sequence(rest: &mut Rest<'_>) {
    match rest.peek() {
        Some('[') => {
            rest.next();
            skip_parameters(rest);
        }
        // Strings: an operating system command, a device control string and their like.
        Some(']' | 'P' | 'X' | '^' | '_') => skip_string(rest),
        _ => {
            while rest.next_if(|c| matches!(c, ' '..='/')).is_some() {}
            rest.next_if(|c| matches!(c, '0'..='~'));
        }
    }
}

/// Skips parameters up to and with the final byte of a control sequence; stops before what cannot be one.
fn skip_parameters(rest: &mut Rest<'_>) {
    while let Some(c) = rest.next_if(|c| matches!(c, ' '..='~')) {
        if matches!(c, '@'..='~') {
            return;
        }
    }
}

/// Skips a string up to and with its terminator, BEL or ESC \; one without a terminator ends with its line.
fn skip_string(rest: &mut Rest<'_>) {
    while let Some(c) = rest.next_if(|c| *c != '\n') {
        match c {
            '\x07' | '\u{9c}' => return,
            '\x1b' => {
                rest.next_if_eq(&'\\');
                return;
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn escape_sequences_go() {
        let cases = [
            ("", ""),
            ("plain words \n", "plain words \n"),
            ("a\tb\nc", "a\tb\nc"),
            ("\x1b[31;1merror:\x1b[0m path '\x1b[35;1m/nix/store/x\x1b[0m'", "error: path '/nix/store/x'"),
            ("\x1b]0;title\x07after", "after"),
            ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
            ("\x1b]never ends\nnext line", "\nnext line"),
            ("\x1bPdevice\x1b\\x", "x"),
            ("\x1b(Bx", "x"),
            ("\x1b7x\x1bc", "x"),
            ("\u{9b}31mx", "x"),
            ("bell\x07 back\x08 return\r null\0 delete\x7f", "bell back return null delete"),
            ("cut\x1b[", "cut"),
            ("cut\x1b", "cut"),
            ("\x1b[31\x1b[0mx", "x"),
            ("\x1b\x1b[31mx", "x"),
            ("ünïcode ✓", "ünïcode ✓"),
        ];
        for (text, expected) in cases {
            assert_eq!(plain(text), expected, "{text:?}");
        }
    }

    #[test]
    fn what_is_no_utf8_is_cut_behind_its_replacement() {
        let cases: [(&[u8], usize, &str); 6] = [
            (b"\xff\xff\xff", 3, "\u{fffd}"),
            (b"\xff\xff\xff", 5, "\u{fffd}"),
            ("aü".as_bytes(), 2, "a"),
            ("aü".as_bytes(), 3, "aü"),
            (b"\x1b[1mabc", 2, "ab"),
            (b"line \n\n", 9, "line"),
        ];
        for (bytes, limit, expected) in cases {
            assert_eq!(plain_cut(bytes, limit), expected, "{bytes:?}");
        }
    }

    #[test]
    fn what_is_found_fits_a_line() {
        assert_eq!(clipped("a\nb\x1b[1m", 20), "a\\nb\\u{1b}[1m");
        assert_eq!(clipped("aüb", 3), "aüb");
        assert_eq!(clipped("aübc", 3), "aüb…");
    }

    proptest! {
        #[test]
        fn nothing_dangerous_remains(text in "(\\PC|\x1b|[\\[\\]();0-9mP\\\\]|[\0-\x1f]|[\u{7f}-\u{9f}])*") {
            let plain = plain(&text);
            prop_assert!(!plain.chars().any(|c| c.is_control() && c != '\n' && c != '\t'), "{plain:?}");
        }
    }
}
