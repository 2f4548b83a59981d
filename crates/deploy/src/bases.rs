//! What hosts have is kept from the garbage collector here, as far as it is here: what a later copy is made of.
//!
//! Nothing is asked of a host for it, and nothing fails for it. The daemon here is asked only when a link has to change.

use std::sync::Mutex;

use daemon::Client;
use eval::ConnectLocalError;
use order::{HostName, SystemPath};
use report::{Deployed, Ending, HostResult, HostStatus};
use session::Hello;
use store::store_path::StorePath;
use thiserror::Error;

use crate::lock::lock;
use crate::pipeline::Pipeline;
use crate::state::{Why, is_here};
use crate::{State, StateError, causes};

/// What a host has, and why that is worth to be kept.
pub(crate) type Told<'a> = (Why, Option<&'a SystemPath>);

/// What the first sentence of a host tells.
pub(crate) fn of_hello(hello: &Hello) -> [Told<'_>; 2] {
    [(Why::Running, hello.running.as_ref()), (Why::Profile, hello.profile.as_ref())]
}

/// What a status tells.
pub(crate) fn of_status(status: &HostStatus) -> [Told<'_>; 3] {
    let profile = status.profile.as_ref().map(|generation| &generation.system);
    [(Why::Running, status.running.as_ref()), (Why::Booted, status.booted.as_ref()), (Why::Profile, profile)]
}

/// What the end of a host's part tells.
pub(crate) fn of_result(deployed: &Deployed) -> [Told<'_>; 1] {
    let is_confirmed = matches!(deployed.result, HostResult::Activated(Ending::Confirmed { .. }));
    [(Why::Confirmed, deployed.system.as_ref().filter(|_| is_confirmed))]
}

impl Pipeline {
    /// Keeps what the host has, where it is here. What is not, or was not told, leaves what was kept before: the host
    /// may still have that.
    pub(crate) fn keep(&self, told: &[Told<'_>]) {
        let (state, host) = (&self.common.operator.state, self.teller.host());
        if let Some(why) = self.common.bases.keep((state, host), told) {
            self.teller.note(format!("what the host has is not kept from the garbage collector here: {why}"));
        }
    }
}

/// What keeps systems for all hosts of a run, over one connection to the daemon here.
#[derive(Default)]
pub(crate) struct Bases(Mutex<Keeper>);

#[derive(Default)]
struct Keeper {
    client: Option<Client>,
    /// Whether it was said that something could not be kept.
    has_complained: bool,
}

/// Why a system is not kept.
#[derive(Debug, Error)]
enum NotKept {
    /// There is no connection to the daemon here.
    #[error(transparent)]
    Connect(#[from] ConnectLocalError),
    /// It refused, or the connection failed.
    #[error(transparent)]
    Daemon(#[from] daemon::Error),
    /// There is no link.
    #[error(transparent)]
    State(#[from] StateError),
}

impl Bases {
    /// Keeps what is told of a host. Why that failed is told for the first host only: the next ones fail likewise.
    fn keep(&self, (state, host): (&State, &HostName), told: &[Told<'_>]) -> Option<String> {
        let told = told.iter().filter_map(|(why, system)| Some((why, &(*system)?.path)));
        let changed: Vec<_> =
            told.filter(|(why, system)| !state.is_rooted(host, why, system) && is_here(system)).collect();
        if changed.is_empty() {
            return None;
        }
        let mut keeper = lock(&self.0);
        let error = keeper.keep((state, host), &changed).err()?;
        let is_first = !std::mem::replace(&mut keeper.has_complained, true);
        is_first.then(|| causes::chain(&error))
    }
}

impl Keeper {
    /// Keeps all of it. A connection that was good some time ago may have ended since, so another one is tried.
    fn keep(&mut self, of: (&State, &HostName), changed: &[(&Why, &StorePath)]) -> Result<(), NotKept> {
        let earlier = self.client.take();
        let first = earlier.map(|client| self.keep_over(client, of, changed));
        match first {
            None | Some(Err(NotKept::Daemon(_))) => self.keep_over(eval::local_daemon()?, of, changed),
            Some(kept) => kept,
        }
    }

    fn keep_over(
        &mut self,
        mut client: Client,
        of: (&State, &HostName),
        changed: &[(&Why, &StorePath)],
    ) -> Result<(), NotKept> {
        changed.iter().try_for_each(|(why, system)| root(&mut client, of, why, system))?;
        self.client = Some(client);
        Ok(())
    }
}

/// Makes one link, if the system is valid.
fn root(
    client: &mut Client,
    (state, host): (&State, &HostName),
    why: &Why,
    system: &StorePath,
) -> Result<(), NotKept> {
    // From here on until the link is known it is not collected.
    client.add_temp_root(system)?;
    if !client.is_valid_path(system)? {
        return Ok(());
    }
    let pointed = state.point_root(host, why, system)?;
    let known = client.add_indirect_root(&pointed.link);
    if known.is_err() && pointed.is_new {
        // It would look like one that keeps something.
        let _left = state.unroot(host, (&pointed.link, system));
    }
    Ok(known?)
}

#[cfg(test)]
mod tests {
    use order::Mode;
    use report::{Cause, CauseKind, Extent, Stage};

    use super::*;

    fn system() -> SystemPath {
        let path: StorePath = format!("{}-nixos-system-web", "a".repeat(32)).parse().expect("a path");
        path.into()
    }

    #[test]
    fn only_a_confirmed_system_is_kept_as_one() {
        let cause = || Cause::new(CauseKind::Units, "it fails");
        for (result, is_confirmed) in [
            (HostResult::Activated(Ending::Confirmed { lasting: true }), true),
            (HostResult::Activated(Ending::Confirmed { lasting: false }), true),
            (HostResult::Activated(Ending::Unchanged { cause: cause() }), false),
            (HostResult::Failed { stage: Stage::Ship, cause: cause() }, false),
            (HostResult::AlreadyThere, false),
            (HostResult::Done, false),
        ] {
            let deployed = Deployed {
                order: None,
                system: Some(system()),
                mode: Mode::Switch,
                extent: Extent::Activate,
                result,
                millis: 0,
                bytes: 0,
            };
            let [(why, told)] = of_result(&deployed);
            assert_eq!((why, told.is_some()), (Why::Confirmed, is_confirmed), "{:?}", deployed.result);
        }
    }

    #[test]
    fn what_is_not_here_costs_nothing() {
        let place = std::env::temp_dir().join(format!("lockstep-bases-{}", std::process::id()));
        let (state, host) = (State::at(&place), "web1".parse().expect("a name"));
        let (bases, system) = (Bases::default(), system());
        for told in [None, Some(&system)] {
            assert_eq!(bases.keep((&state, &host), &[(Why::Running, told)]), None);
        }
        assert!(lock(&bases.0).client.is_none(), "nobody was asked");
        assert!(!place.exists(), "nothing was written");
    }
}
