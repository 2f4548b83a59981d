//! What the target has of a closure, and what it lacks.

use std::collections::BTreeSet;

use daemon::Client;
use store::{closure::Closure, path_info::PathInfo, store_path::StorePath};

use crate::{
    error::{Error, Side},
    watch::{Pulse, Watch},
};

/// What the target has of a closure.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    /// Paths that are valid there.
    pub valid: BTreeSet<StorePath>,
    /// Those of them that were not and that it has got from caches because it was asked.
    pub substituted: BTreeSet<StorePath>,
}

/// What the target lacks of a closure.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Need {
    /// Paths.
    pub paths: usize,
    /// Bytes of their NARs: what they take on the target's disk, about, and what is sent.
    pub nar_bytes: u64,
}

/// Asks the target which paths of `closure` it has, all in one question; with `substitute` it is asked a second
/// time for those that are missing, and first tries to get them from its caches.
///
/// # Errors
/// If the target does not answer, or `pulse` does not beat for its limit.
pub fn ask(closure: &Closure, substitute: bool, remote: &mut Client, pulse: &Pulse) -> Result<Answer, Error> {
    let hangup = remote.hangup();
    let watch = Watch::start(pulse, move || hangup.hang_up());
    watch.waits_for(Side::Remote);
    let answer = question(closure, substitute, remote, pulse);
    watch.end(answer)
}

fn question(
    closure: &Closure,
    substitute: bool,
    remote: &mut Client,
    pulse: &Pulse,
) -> Result<Answer, Error> {
    let all: BTreeSet<_> = closure.iter().map(|info| info.path.clone()).collect();
    let mut valid = remote.query_valid_paths(&all, false).map_err(Error::remote)?;
    valid.retain(|path| all.contains(path));
    pulse.beat();
    let missing: BTreeSet<_> = all.difference(&valid).cloned().collect();
    if !substitute || missing.is_empty() {
        return Ok(Answer { valid, substituted: BTreeSet::new() });
    }
    let mut substituted = remote.query_valid_paths(&missing, true).map_err(Error::remote)?;
    substituted.retain(|path| missing.contains(path));
    valid.extend(substituted.iter().cloned());
    Ok(Answer { valid, substituted })
}

/// What is missing of `closure` where `valid` is.
#[must_use]
pub fn need(closure: &Closure, valid: &BTreeSet<StorePath>) -> Need {
    missing(closure, valid).iter().fold(Need::default(), |need, info| Need {
        paths: need.paths + 1,
        nar_bytes: need.nar_bytes.saturating_add(info.nar_size),
    })
}

/// The missing paths, each after all it refers to.
pub(crate) fn missing<'a>(closure: &'a Closure, valid: &BTreeSet<StorePath>) -> Vec<&'a PathInfo> {
    closure.iter().filter(|info| !valid.contains(&info.path)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use store::{hash::Sha256, store_path::HashPart};

    use super::*;

    fn info(number: u8, size: u64) -> PathInfo {
        let path = StorePath::new(HashPart([number; HashPart::LEN]), "x".parse().unwrap());
        PathInfo::new(path, Sha256::of(&[number]), size)
    }

    proptest! {
        #[test]
        fn what_is_there_and_what_is_missing_is_all(sizes in proptest::collection::vec((any::<u32>(), any::<bool>()), 0..50)) {
            let infos: Vec<_> = (0_u8..).zip(&sizes).map(|(number, (size, _))| info(number, u64::from(*size))).collect();
            let closure = Closure::new(infos.clone()).unwrap();
            let valid = infos.iter().zip(&sizes).filter(|(_, (_, there))| *there);
            let valid: BTreeSet<_> = valid.map(|(info, _)| info.path.clone()).collect();
            let need = need(&closure, &valid);
            prop_assert_eq!(need.paths + valid.len(), closure.len());
            let there: u64 = sizes.iter().filter(|(_, there)| *there).map(|(size, _)| u64::from(*size)).sum();
            prop_assert_eq!(need.nar_bytes + there, closure.nar_size());
        }
    }

    #[test]
    fn sizes_that_no_disk_has_do_not_overflow() {
        let closure = Closure::new([info(1, u64::MAX), info(2, u64::MAX)]).unwrap();
        assert_eq!(need(&closure, &BTreeSet::new()), Need { paths: 2, nar_bytes: u64::MAX });
    }
}
