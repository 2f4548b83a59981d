//! The order in which hosts are activated: a host that is the way to others comes after them, alone.

use std::collections::{BTreeMap, BTreeSet};

use order::HostName;

use crate::Fleet;

/// Which hosts each gateway is the way to.
type Ways = BTreeMap<HostName, BTreeSet<HostName>>;

/// The selected hosts of the fleet in groups; a group begins when the one before it has ended.
///
/// The first group holds every host that is the way to no other. Each gateway follows in a group of its own, after all
/// that it is the way to, be it over another gateway. Hosts that are not in the fleet are passed over; no group is empty.
#[must_use]
pub fn order_waves(fleet: &Fleet, selected: &BTreeSet<HostName>) -> Vec<Vec<HostName>> {
    let is_gateway =
        |name: &HostName| fleet.hosts.get(name).is_some_and(|member| !member.gateway_for.is_empty());
    let known = selected.iter().filter(|name| fleet.hosts.contains_key(*name));
    let first: Vec<HostName> = known.filter(|name| !is_gateway(name)).cloned().collect();
    let ways = fleet.hosts.iter().filter(|(_, member)| !member.gateway_for.is_empty());
    let ways: Ways = ways.map(|(name, member)| (name.clone(), member.gateway_for.clone())).collect();
    let gateways = walk(&ways).ordered.into_iter().filter(|name| selected.contains(*name));
    let mut waves: Vec<_> = gateways.map(|name| vec![name.clone()]).collect();
    if !first.is_empty() {
        waves.insert(0, first);
    }
    waves
}

/// The first hosts of a chain that comes back to its first, each the way to the next; none if there is no such chain.
pub(crate) fn find_cycle(ways: &Ways) -> Option<Vec<HostName>> {
    walk(ways).cycle
}

/// What a walk through all gateways finds.
struct Walk<'a> {
    /// Each gateway after those that it is the way to.
    ordered: Vec<&'a HostName>,
    cycle: Option<Vec<HostName>>,
}

/// Walks from each gateway to those that it is the way to, deepest first, without recursion.
fn walk(ways: &Ways) -> Walk<'_> {
    let next_of = |name: &HostName| ways.get(name).map(|hosts| hosts.iter()).into_iter().flatten();
    let mut found = Walk { ordered: Vec::new(), cycle: None };
    let mut seen: BTreeSet<&HostName> = BTreeSet::new();
    for start in ways.keys() {
        if !seen.insert(start) {
            continue;
        }
        let mut trail = vec![(start, next_of(start))];
        while let Some((name, nexts)) = trail.last_mut() {
            match nexts.find(|next| ways.contains_key(*next)) {
                None => {
                    found.ordered.push(name);
                    trail.pop();
                }
                Some(next) if seen.insert(next) => trail.push((next, next_of(next))),
                Some(next) => {
                    let names = || trail.iter().map(|(name, _)| *name);
                    if found.cycle.is_none()
                        && let Some(begin) = names().position(|name| name == next)
                    {
                        let chain = names().skip(begin).chain([next]);
                        found.cycle = Some(chain.cloned().collect());
                    }
                }
            }
        }
    }
    found
}
