//! Durations as people write them: `90s`, `2m`, `1h30m`, `500ms`.

use std::time::Duration;

use thiserror::Error;

/// Longest duration that is taken: a week is longer than any limit here can sensibly be.
const MAX: Duration = Duration::from_secs(7 * 24 * 3600);
/// Units from long to short, each in milliseconds.
const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// Why a text is not a duration.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DurationError {
    /// Not numbers with units.
    #[error("{0:?} is not a duration; write it like 90s, 2m, 1h30m or 500ms")]
    Form(String),
    /// The units do not go from long to short, each once.
    #[error("{0:?} has its units out of order; write it like 1h30m")]
    Order(String),
    /// More than a week.
    #[error("{0:?} is longer than seven days")]
    TooLong(String),
}

/// Reads a duration; `0s` is one.
///
/// # Errors
/// If the text is not numbers with units from long to short, or more than seven days.
pub fn parse_duration(text: &str) -> Result<Duration, DurationError> {
    let short = || text.chars().take(40).collect::<String>();
    let mut rest = text;
    let mut total = 0_u64;
    let mut smallest = u64::MAX;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, after) = rest.split_at(digits);
        let letters = after.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (unit, next) = after.split_at(letters);
        let factor = UNITS.iter().find(|(name, _)| *name == unit).map(|(_, factor)| *factor);
        let (Ok(number), Some(factor)) = (number.parse::<u32>(), factor) else {
            return Err(DurationError::Form(short()));
        };
        if factor >= smallest {
            return Err(DurationError::Order(short()));
        }
        smallest = factor;
        total = total.saturating_add(u64::from(number).saturating_mul(factor));
        rest = next;
    }
    let duration = Duration::from_millis(total);
    match smallest {
        u64::MAX => Err(DurationError::Form(short())),
        _ if duration > MAX => Err(DurationError::TooLong(short())),
        _ => Ok(duration),
    }
}

/// The duration in the form that [`parse_duration`] reads, whole milliseconds.
#[must_use]
pub fn format_duration(duration: Duration) -> String {
    let mut rest = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let mut text = String::new();
    for (name, factor) in UNITS {
        if rest >= factor {
            text.push_str(&format!("{}{name}", rest / factor));
            rest %= factor;
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn durations_as_people_write_them() {
        let cases = [
            ("90s", 90_000),
            ("2m", 120_000),
            ("1h30m", 5_400_000),
            ("500ms", 500),
            ("0s", 0),
            ("1m1ms", 60_001),
        ];
        for (text, millis) in cases {
            assert_eq!(parse_duration(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for bad in ["", "90", "s", "1.5s", "-1s", "1s1m", "1s1s", "1 s", "99999999999s", "8d", "1w", "1S"] {
            assert!(parse_duration(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(millis in 0_u64..=604_800_000) {
            let duration = Duration::from_millis(millis);
            prop_assert_eq!(parse_duration(&format_duration(duration)), Ok(duration));
        }

        #[test]
        fn what_is_read_can_be_written_and_read_again(text in "([0-9]{1,5}(d|h|m|s|ms)?){0,4}|.{0,30}") {
            if let Ok(duration) = parse_duration(&text) {
                prop_assert_eq!(parse_duration(&format_duration(duration)), Ok(duration));
            }
        }
    }
}
