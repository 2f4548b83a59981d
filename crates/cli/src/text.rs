//! How values look to people: bytes, durations, systems; and foreign text without what a terminal would obey.

use std::{borrow::Cow, fmt::Write, time::Duration};

use console::{measure_text_width, truncate_str};
use order::SystemPath;

/// The text on one line, with everything that a terminal could obey written out: control characters as `\x1b`, and
/// what turns the direction of text around as `\u{202e}`. A tab becomes a space.
pub(crate) fn clean(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_dangerous) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '\t' => safe.push(' '),
            '\n' => safe.push_str("\\n"),
            '\r' => safe.push_str("\\r"),
            c if is_dangerous(c) && u32::from(c) < 0x100 => drop(write!(safe, "\\x{:02x}", u32::from(c))),
            c if is_dangerous(c) => safe.extend(c.escape_unicode()),
            c => safe.push(c),
        }
    }
    Cow::Owned(safe)
}

/// Control characters (C0, DEL, C1), line and paragraph separators, and what overrides or isolates directions.
fn is_dangerous(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The first line of a text, clean.
pub(crate) fn first_line(text: &str) -> Cow<'_, str> {
    clean(text.lines().next().unwrap_or_default())
}

/// The text on at most `width` columns, with `…` where something was left out.
pub(crate) fn fit(text: &str, width: usize) -> Cow<'_, str> {
    truncate_str(text, width, "…")
}

/// The text, filled with spaces on the right up to `width` columns.
pub(crate) fn pad(text: &str, width: usize) -> String {
    let missing = width.saturating_sub(measure_text_width(text));
    format!("{text}{:missing$}", "")
}

/// How much that is: `0 B`, `999 B`, `12.3 kB`, `4.5 MB`, in powers of 1000.
pub(crate) fn bytes(count: u64) -> String {
    const UNITS: [&str; 6] = ["kB", "MB", "GB", "TB", "PB", "EB"];
    if count < 1000 {
        return format!("{count} B");
    }
    let mut unit = 0;
    // In tenths of the unit, rounded.
    let mut tenths = count / 100 + u64::from(count % 100 >= 50);
    while tenths >= 10_000 && unit + 1 < UNITS.len() {
        tenths = tenths / 1000 + u64::from(tenths % 1000 >= 500);
        unit += 1;
    }
    format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit])
}

/// How long that is, two units at most: `0.4s`, `12.3s`, `2m05s`, `3h04m`, `5d02h`.
pub(crate) fn duration(span: Duration) -> String {
    let tenths = (span.as_millis() + 50) / 100;
    let seconds = tenths / 10;
    match seconds {
        0..60 => format!("{seconds}.{}s", tenths % 10),
        60..3600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        3600..86_400 => format!("{}h{:02}m", seconds / 3600, seconds / 60 % 60),
        _ => format!("{}d{:02}h", seconds / 86_400, seconds / 3600 % 24),
    }
}

/// The same for what is counted in milliseconds.
pub(crate) fn millis(count: u64) -> String {
    duration(Duration::from_millis(count))
}

/// A system for tables: eight letters of its hash, and its specialisation if that is what runs.
pub(crate) fn system(path: &SystemPath) -> String {
    let base = path.path.to_string();
    let hash = base.get(..8).unwrap_or(&base);
    match &path.specialisation {
        None => hash.to_owned(),
        Some(name) => format!("{hash}/{}", clean(name)),
    }
}

/// `1 host`, `2 hosts`: the plural is made with an `s`.
pub(crate) fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn foreign_text_is_shown_and_not_obeyed() {
        for (text, expected) in [
            ("plain äöü 漢", "plain äöü 漢"),
            ("\x1b[31mred\x07", "\\x1b[31mred\\x07"),
            ("a\tb\r\nc", "a b\\r\\nc"),
            ("\u{9b}2J", "\\x9b2J"),
            ("abc\u{202e}txt.exe", "abc\\u{202e}txt.exe"),
            ("\u{7f}\0", "\\x7f\\x00"),
        ] {
            assert_eq!(clean(text), expected, "{text:?}");
        }
    }

    #[test]
    fn sizes_are_short() {
        for (count, expected) in [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.0 kB"),
            (12_345, "12.3 kB"),
            (999_949, "999.9 kB"),
            (999_950, "1.0 MB"),
            (167_000_000, "167.0 MB"),
            (u64::MAX, "18.4 EB"),
        ] {
            assert_eq!(bytes(count), expected);
        }
    }

    #[test]
    fn durations_are_short() {
        for (count, expected) in [
            (0, "0.0s"),
            (449, "0.4s"),
            (12_340, "12.3s"),
            (59_949, "59.9s"),
            (59_950, "1m00s"),
            (125_000, "2m05s"),
            (11_040_000, "3h04m"),
            (439_200_000, "5d02h"),
        ] {
            assert_eq!(millis(count), expected);
        }
    }

    proptest! {
        #[test]
        fn nothing_dangerous_is_left(text in "\\PC{0,20}|[\u{0}-\u{a0}\u{2020}-\u{2070}]{0,20}") {
            prop_assert!(!clean(&text).chars().any(is_dangerous));
        }

        #[test]
        fn what_is_fitted_fits(text in "\\PC{0,40}", width in 1_usize..30) {
            prop_assert!(measure_text_width(&fit(&text, width)) <= width);
            prop_assert!(measure_text_width(&pad(&fit(&text, width), width)) == width);
        }
    }
}
