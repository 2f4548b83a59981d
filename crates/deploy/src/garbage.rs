//! What keeps systems here from the garbage collector, what of it nobody needs any more, and what that weighs.

mod weigh;

use std::collections::{BTreeMap, BTreeSet};

use daemon::Client;
use eval::ConnectLocalError;
use fleet::Fleet;
use order::HostName;
use store::path_info::PathInfo;
use store::store_path::StorePath;
use thiserror::Error;

use self::weigh::Scales;
use crate::state::fates;
use crate::{Fate, Root, State, StateError, Stored, causes};

/// What keeps systems here, and what else is remembered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Garbage {
    /// All links, sorted by host and reason.
    pub roots: Vec<HostRoot>,
    /// Bytes of the NARs of all that they keep, what several keep counted once; nothing if that is not known.
    pub nar_size: Option<u64>,
    /// The same of what no link keeps once those are gone that need not stay. Other roots of Nix may keep it.
    pub freed: Option<u64>,
    /// Why nothing is known of sizes.
    pub unweighed: Option<String>,
    /// Whether it is known which hosts have left the fleet.
    pub knows_fleet: bool,
    /// The logs of runs.
    pub logs: Stored,
    /// Runs whose logs need not stay.
    pub surplus_logs: usize,
    /// The reports of hosts.
    pub reports: Stored,
}

/// A link of one host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostRoot {
    /// The host.
    pub host: HostName,
    /// The link.
    pub root: Root,
    /// What is to become of it.
    pub fate: Fate,
    /// Bytes of the NARs of the system and all that it refers to, if they are known.
    pub nar_size: Option<u64>,
}

/// Why it is not known how much is kept.
#[derive(Debug, Error)]
enum Unknown {
    /// There is no connection to the daemon here.
    #[error(transparent)]
    Connect(#[from] ConnectLocalError),
    /// It refused, or the connection failed.
    #[error(transparent)]
    Daemon(#[from] daemon::Error),
}

impl Garbage {
    /// The links that need not stay.
    pub fn surplus(&self) -> impl Iterator<Item = &HostRoot> {
        self.roots.iter().filter(|root| root.fate != Fate::Kept)
    }
}

/// Looks at all links. Which hosts have left the fleet is known only with one that has some of them: the directory is
/// the same for all fleets of the operator, and the nearest description may be of another.
#[must_use]
pub fn garbage(state: &State, fleet: Option<&Fleet>) -> Garbage {
    let (roots, knows_fleet) = judged(rooted(state), fleet);
    let mut garbage = Garbage {
        roots,
        knows_fleet,
        nar_size: None,
        freed: None,
        unweighed: None,
        logs: state.stored_logs(),
        surplus_logs: state.surplus_logs(),
        reports: state.stored_reports(),
    };
    if !garbage.roots.is_empty() {
        match infos(&garbage) {
            Ok(infos) => weigh(&mut garbage, &Scales::new(&infos)),
            Err(error) => garbage.unweighed = Some(causes::chain(&error)),
        }
    }
    garbage
}

/// The hosts that have links, with them.
fn rooted(state: &State) -> Vec<(HostName, Vec<Root>)> {
    let hosts = state.rooted_hosts().into_iter().map(|host| {
        let roots = state.roots(&host);
        (host, roots)
    });
    hosts.filter(|(_, roots)| !roots.is_empty()).collect()
}

/// What is to become of each link, and whether it is known which hosts have left the fleet.
fn judged(rooted: Vec<(HostName, Vec<Root>)>, fleet: Option<&Fleet>) -> (Vec<HostRoot>, bool) {
    let has = |fleet: &Fleet, host: &HostName| fleet.hosts.contains_key(host);
    let fleet = fleet.filter(|fleet| rooted.is_empty() || rooted.iter().any(|(host, _)| has(fleet, host)));
    let of_host = |(host, roots): (HostName, Vec<Root>)| {
        let fates = fates(&roots, fleet.is_some_and(|fleet| !has(fleet, &host)));
        let both: Vec<_> = roots.into_iter().zip(fates).collect();
        both.into_iter().map(move |(root, fate)| HostRoot { host: host.clone(), root, fate, nar_size: None })
    };
    (rooted.into_iter().flat_map(of_host).collect(), fleet.is_some())
}

/// What the store here knows of all that the links keep.
fn infos(garbage: &Garbage) -> Result<BTreeMap<StorePath, PathInfo>, Unknown> {
    let systems = garbage.roots.iter().map(|root| root.root.system.clone()).collect();
    Ok(reachable(&mut eval::local_daemon()?, systems)?)
}

/// What these paths refer to, directly or not, and they themselves, as far as the store has them.
fn reachable(
    client: &mut Client,
    mut open: BTreeSet<StorePath>,
) -> Result<BTreeMap<StorePath, PathInfo>, daemon::Error> {
    let mut infos = BTreeMap::new();
    while !open.is_empty() {
        let found = client.query_path_infos(&open)?;
        open = found.values().flat_map(|info| &info.references).cloned().collect();
        infos.extend(found);
        open.retain(|path| !infos.contains_key(path));
    }
    Ok(infos)
}

fn weigh(garbage: &mut Garbage, scales: &Scales) {
    let systems = |keep: &dyn Fn(Fate) -> bool| -> BTreeSet<StorePath> {
        let roots = garbage.roots.iter().filter(|root| keep(root.fate));
        roots.map(|root| root.root.system.clone()).collect()
    };
    let (all, kept) = (systems(&|_| true), systems(&|fate| fate == Fate::Kept));
    let nar_size = scales.weigh(&all);
    garbage.nar_size = Some(nar_size);
    garbage.freed = Some(nar_size - scales.weigh(&kept));
    let sizes: BTreeMap<&StorePath, u64> =
        all.iter().map(|system| (system, scales.weigh([system]))).collect();
    for root in &mut garbage.roots {
        root.nar_size = sizes.get(&root.root.system).copied().filter(|_| root.root.is_here);
    }
}

/// Removes the links that need not stay and still name what they did, and the logs of old runs; gives how many links
/// that were. Nothing of the store is collected by this. Links that stay are told to Nix once more: it does not know
/// them if the directory was moved or restored.
///
/// # Errors
/// If a link cannot be removed.
pub fn trim(state: &State, garbage: &Garbage) -> Result<usize, StateError> {
    let mut removed = 0;
    for HostRoot { host, root, .. } in garbage.surplus() {
        removed += usize::from(state.unroot(host, (&root.link, &root.system))?);
    }
    state.prune_logs();
    register(garbage.roots.iter().filter(|root| root.fate == Fate::Kept));
    Ok(removed)
}

/// Tells Nix of links. If it cannot be told it is as well as before: it was told when they were made.
fn register<'a>(kept: impl Iterator<Item = &'a HostRoot>) {
    let mut kept = kept.peekable();
    if kept.peek().is_none() {
        return;
    }
    let Ok(mut client) = eval::local_daemon() else { return };
    for HostRoot { root, .. } in kept {
        let _known = client.add_indirect_root(&root.link);
    }
}

#[cfg(test)]
mod tests {
    use fleet::Index;
    use report::Timestamp;

    use super::*;
    use crate::Why;

    fn rooted(hosts: &str) -> Vec<(HostName, Vec<Root>)> {
        let of_host = |host: &str| {
            let root = Root {
                why: Why::Running,
                link: host.into(),
                system: format!("{}-nixos-system-x", "a".repeat(32)).parse().expect("a path"),
                since: Timestamp(0),
                is_here: true,
            };
            (host.parse().expect("a name"), vec![root])
        };
        hosts.split_whitespace().map(of_host).collect()
    }

    /// The hosts whose links need not stay.
    fn departed(hosts: &str, fleet: Option<&Fleet>) -> (String, bool) {
        let (roots, knows_fleet) = judged(rooted(hosts), fleet);
        let left = roots.iter().filter(|root| root.fate == Fate::Departed);
        (left.map(|root| root.host.as_str()).collect::<Vec<_>>().join(" "), knows_fleet)
    }

    #[test]
    fn who_has_left_says_only_a_description_of_the_same_fleet() {
        let fleet = Index::parse(br#"{"names": ["web1", "web2", "db1"]}"#).expect("a fleet").into_fleet();
        for (hosts, given, left, knows_fleet) in [
            ("web1 web2", true, "", true),
            ("old1 web1 web9", true, "old1 web9", true),
            ("old1 web1 web9", false, "", false),
            ("old1 web9", true, "", false),
            ("", true, "", true),
        ] {
            let found = departed(hosts, given.then_some(&fleet));
            assert_eq!(found, (left.to_owned(), knows_fleet), "{hosts}");
        }
    }
}
