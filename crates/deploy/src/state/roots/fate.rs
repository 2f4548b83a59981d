//! Which links of a host stay and which go. Pure.

use std::collections::BTreeSet;

use super::{Root, Why};
use crate::RunId;

/// Builds that are kept for each host, of different systems: the newest, which is what a run copies and what a later
/// one need not build again, and the one before, which is what the host has if the newest did not hold, or goes back
/// to. What the host runs has a link of its own, so more would keep what no copy is likely to be made of.
const BUILDS: usize = 2;

/// What is to become of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// It is needed.
    Kept,
    /// Its host is not in the fleet.
    Departed,
    /// There are newer builds, or a newer one of the same system.
    Surplus,
    /// What it names is not in the store any more.
    Gone,
}

/// The fate of each of a host's links, in their order. `has_left` if the host is known to be in the fleet no more.
pub(crate) fn fates(roots: &[Root], has_left: bool) -> Vec<Fate> {
    let kept = kept_builds(roots);
    let fate = |root: &Root| match &root.why {
        _ if has_left => Fate::Departed,
        Why::Built(run) if !kept.contains(run) => Fate::Surplus,
        _ if !root.is_here => Fate::Gone,
        _ => Fate::Kept,
    };
    roots.iter().map(fate).collect()
}

/// The runs whose builds are kept: the newest of each system, of the newest systems.
fn kept_builds(roots: &[Root]) -> BTreeSet<&RunId> {
    let built = roots.iter().filter_map(|root| match &root.why {
        Why::Built(run) => Some((run, &root.system)),
        _ => None,
    });
    let mut built: Vec<_> = built.collect();
    built.sort_by(|(one, _), (other, _)| other.cmp(one));
    let mut systems = BTreeSet::new();
    built.retain(|(_, system)| systems.len() < BUILDS && systems.insert(*system));
    built.into_iter().map(|(run, _)| run).collect()
}

#[cfg(test)]
mod tests {
    use report::Timestamp;

    use super::*;

    /// Links written as `running=a`, or `3=b` for a build of the third run; `!` stands for what is not here.
    fn roots(words: &str) -> Vec<Root> {
        let root = |word: &str| {
            let (why, letter) = word.split_once('=').expect("a reason and a system");
            let why = match why {
                "running" => Why::Running,
                "booted" => Why::Booted,
                "profile" => Why::Profile,
                "confirmed" => Why::Confirmed,
                run => Why::Built(RunId::new(Timestamp(run.parse::<u64>().expect("a run") * 1000), [0; 4])),
            };
            let is_here = !letter.ends_with('!');
            let system = format!("{}-nixos-system-web", letter.trim_end_matches('!').repeat(32));
            Root {
                why,
                link: word.into(),
                system: system.parse().expect("a path"),
                since: Timestamp(0),
                is_here,
            }
        };
        words.split_whitespace().map(root).collect()
    }

    #[test]
    fn what_is_kept_and_what_goes() {
        for (words, has_left, expected) in [
            ("", false, ""),
            ("running=a booted=b profile=c confirmed=d 1=f 2=g", false, "KKKKKK"),
            ("1=a 2=b 3=c", false, "SKK"),
            ("3=c 1=a 2=b", false, "KSK"),
            ("1=a 2=b 3=a", false, "SKK"),
            ("1=a 2=b 3=b 4=b", false, "KSSK"),
            ("running=a confirmed=a 1=a 2=a 3=a", false, "KKSSK"),
            ("running=a 1=a 2=b 3=c", false, "KSKK"),
            ("running=a! confirmed=b 1=a! 2=b", false, "GKGK"),
            ("1=a! 2=b! 3=c!", false, "SGG"),
            ("running=a! confirmed=b 1=c 2=d 3=f", true, "DDDDD"),
        ] {
            let letter = |fate: Fate| match fate {
                Fate::Kept => 'K',
                Fate::Departed => 'D',
                Fate::Surplus => 'S',
                Fate::Gone => 'G',
            };
            let found: String = fates(&roots(words), has_left).into_iter().map(letter).collect();
            assert_eq!(found, expected, "{words}");
        }
    }
}
