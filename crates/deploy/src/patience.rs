//! How long to wait between tries, and when to give up: decided without a clock.

use std::time::Duration;

/// How long to wait before try number `number` (the first is 0) of reaching a host again: not at all, then 1, 2, 4
/// seconds and so on, at most `longest`; none if that is later than what is `left`. (A loop without pauses is what
/// sshd's PerSourcePenalties and fail2ban punish.)
pub(crate) fn pause(number: u32, longest: Duration, left: Duration) -> Option<Duration> {
    let seconds = match number {
        0 => 0,
        number => 1_u64.checked_shl(number - 1).unwrap_or(u64::MAX),
    };
    let pause = Duration::from_secs(seconds).min(longest);
    (pause < left).then_some(pause)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_end_with_the_time() {
        let cases = [
            (0, 60, 10, Some(0)),
            (1, 60, 10, Some(1)),
            (2, 60, 10, Some(2)),
            (3, 60, 10, Some(4)),
            (4, 60, 10, Some(8)),
            (5, 60, 10, None),
            (5, 8, 10, Some(8)),
            (200, 8, 10, Some(8)),
            (0, 8, 0, None),
            (1, 8, 1, None),
        ];
        for (number, longest, left, expected) in cases {
            let found = pause(number, Duration::from_secs(longest), Duration::from_secs(left));
            assert_eq!(found, expected.map(Duration::from_secs), "{number} {longest} {left}");
        }
    }
}
