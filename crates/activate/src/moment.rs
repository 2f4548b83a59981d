//! Points in time that survive a change of the clock: a boot, and the time since it.

use std::{fmt, str::FromStr, time::Duration};

use thiserror::Error;

/// One boot of one host, as `/proc/sys/kernel/random/boot_id` names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BootId(u128);

/// A text is not a boot id.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0:?} is not a boot id (a UUID in lower case)")]
pub struct BootIdError(String);

/// Where the hyphens of a UUID are, and how long it is.
const HYPHENS: [usize; 4] = [8, 13, 18, 23];
const UUID: usize = 36;

impl BootId {
    /// The boot id with these bits.
    #[must_use]
    pub fn from_bits(bits: u128) -> Self {
        Self(bits)
    }
}

impl FromStr for BootId {
    type Err = BootIdError;

    fn from_str(text: &str) -> Result<Self, BootIdError> {
        let error = || BootIdError(text.chars().take(80).collect());
        let shaped = text.len() == UUID
            && text.bytes().enumerate().all(|(at, byte)| match byte {
                b'-' => HYPHENS.contains(&at),
                b'0'..=b'9' | b'a'..=b'f' => !HYPHENS.contains(&at),
                _ => false,
            });
        if !shaped {
            return Err(error());
        }
        u128::from_str_radix(&text.replace('-', ""), 16).map(Self).map_err(|_| error())
    }
}

impl fmt::Display for BootId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{:032x}", self.0);
        write!(out, "{}-{}-{}-{}-{}", &text[..8], &text[8..12], &text[12..16], &text[16..20], &text[20..])
    }
}

/// A point in time on one host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Moment {
    /// The boot it belongs to.
    pub boot: BootId,
    /// Time since that boot, sleep included (`CLOCK_BOOTTIME`).
    pub since_boot: Duration,
    /// Seconds since 1970 by the host's clock, for people; never compared.
    pub unix: u64,
}

impl Moment {
    /// The moment this much later in the same boot.
    #[must_use]
    pub fn after(self, duration: Duration) -> Self {
        let since_boot = self.since_boot.saturating_add(duration);
        Self { since_boot, unix: self.unix.saturating_add(duration.as_secs()), ..self }
    }

    /// Whether this moment is over at `now`. A moment of another boot is.
    #[must_use]
    pub fn is_over(self, now: Self) -> bool {
        self.boot != now.boot || self.since_boot <= now.since_boot
    }

    /// How long until this moment, zero if it is over.
    #[must_use]
    pub fn from_now(self, now: Self) -> Duration {
        if self.is_over(now) { Duration::ZERO } else { self.since_boot.saturating_sub(now.since_boot) }
    }

    /// The earlier of two moments of one boot.
    #[must_use]
    pub fn min(self, other: Self) -> Self {
        if other.since_boot < self.since_boot { other } else { self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOOT: &str = "0c7ea1f0-3c1f-4f6a-9d55-7a6f0b9c2e11";

    fn at(boot: u128, seconds: u64) -> Moment {
        Moment { boot: BootId::from_bits(boot), since_boot: Duration::from_secs(seconds), unix: 0 }
    }

    #[test]
    fn boot_ids_are_read_and_written_back() {
        assert_eq!(BOOT.parse::<BootId>().expect("a boot id").to_string(), BOOT);
        assert_eq!(BootId::from_bits(7).to_string().parse(), Ok(BootId::from_bits(7)));
        for bad in ["", "0c7e", &BOOT.to_uppercase(), &BOOT.replace('-', "0"), &BOOT.replace('c', "-")] {
            assert!(bad.parse::<BootId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_deadline_of_another_boot_is_over() {
        assert!(!at(1, 10).is_over(at(1, 9)) && at(1, 10).is_over(at(1, 10)));
        assert!(at(1, 10).is_over(at(2, 0)));
        assert_eq!(at(1, 10).from_now(at(1, 4)), Duration::from_secs(6));
        assert_eq!(at(1, 10).from_now(at(2, 4)), Duration::ZERO);
        assert_eq!(at(1, 10).min(at(1, 4)), at(1, 4));
        assert_eq!(at(1, 4).min(at(1, 10)), at(1, 4));
    }
}
