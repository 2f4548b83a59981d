//! Contact: the last time that somebody came to this host from outside and was heard.

use std::{fs, io, time::Duration};

use activate::{BootId, Moment};

use crate::{clock::BootClock, paths, runtime};

/// Writes down that a session has begun, now.
///
/// # Errors
/// If it cannot be written.
pub fn stamp() -> io::Result<()> {
    runtime::make_runtime()?;
    runtime::write_private(paths::CONTACT, stamp_text(BootClock::new().moment()).as_bytes())
}

/// Whether a session has begun at this moment or later, in the same boot.
#[must_use]
pub fn since(moment: Moment) -> bool {
    let text = fs::read_to_string(paths::CONTACT).unwrap_or_default();
    parse(&text).is_some_and(|last| is_since(last, moment))
}

fn is_since((boot, since_boot): (BootId, Duration), moment: Moment) -> bool {
    boot == moment.boot && since_boot >= moment.since_boot
}

/// The boot, and nanoseconds since it.
fn stamp_text(moment: Moment) -> String {
    format!("{} {}\n", moment.boot, moment.since_boot.as_nanos())
}

fn parse(text: &str) -> Option<(BootId, Duration)> {
    let (boot, since_boot) = text.trim_end().split_once(' ')?;
    Some((boot.parse().ok()?, Duration::from_nanos(since_boot.parse().ok()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_later_session_of_the_same_boot_counts() {
        let at = |boot, seconds| Moment {
            boot: BootId::from_bits(boot),
            since_boot: Duration::from_secs(seconds),
            unix: 0,
        };
        let stamped = stamp_text(at(1, 10));
        for (text, moment, expected) in [
            (stamped.as_str(), at(1, 9), true),
            (&stamped, at(1, 10), true),
            (&stamped, at(1, 11), false),
            (&stamped, at(2, 9), false),
            ("", at(1, 0), false),
            ("10", at(1, 0), false),
            ("x 10", at(1, 0), false),
            (&stamped.replace('1', "x"), at(1, 0), false),
        ] {
            let found = parse(text).is_some_and(|last| is_since(last, moment));
            assert_eq!(found, expected, "{text} at {moment:?}");
        }
    }
}
