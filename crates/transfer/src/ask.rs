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
    let watch = Watch::start(pulse, [None, Some(remote.hangup())]);
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
