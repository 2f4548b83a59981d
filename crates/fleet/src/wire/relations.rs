//! What must hold between hosts: no address twice, builders that exist, gateways without a circle.

use std::collections::{BTreeMap, BTreeSet};

use order::HostName;

use super::attributes::Errors;
use super::host::HostSettings;
use crate::gateways::find_cycle;
use crate::nearest::nearest;
use crate::selector::Directory;
use crate::{Address, AttrPath, BuildOn, Member, Origin, Problem, SettingError};

type Hosts = BTreeMap<HostName, Member>;

/// Most pairs of a gateway and a host that it is the way to.
const MAX_WAYS: usize = 1_000_000;
/// Most selectors in all `gatewayFor` together; each is compared with every host.
const MAX_SELECTORS: usize = 10_000;
/// For so many names a nearest one is looked for; each is compared with every host.
pub(super) const MAX_NEAREST: usize = 20;
/// The port that ssh takes if nobody says one.
const SSH_PORT: u16 = 22;

/// One address, however it is written. Private addresses behind different jump hosts are different machines, so what
/// ssh is told besides belongs to it.
type Place = (Option<(String, u16)>, Vec<String>);

/// No two hosts have one address, and no host has one twice.
pub(super) fn check_addresses(hosts: &Hosts, errors: &mut Errors) {
    let mut places: BTreeMap<Place, &HostName> = BTreeMap::new();
    for (name, member) in hosts {
        let mut own = BTreeSet::new();
        for (index, address) in member.reach.addresses.iter().enumerate() {
            if !own.insert(address) {
                let text = format!("{address} is in the list twice");
                errors.push(SettingError {
                    path: path_of(name, member, index),
                    problem: Problem::Impossible(text),
                });
            }
            let other = *places.entry(place(member, address)).or_insert(name);
            if other != name {
                errors.push(duplicate(hosts, (name, index), other));
            }
        }
    }
}

fn place(member: &Member, address: &Address) -> Place {
    match address {
        Address::Local => (None, Vec::new()),
        Address::Ssh(address) => {
            let port = address.port.map_or(SSH_PORT, Into::into);
            let options = member.reach.ssh_options.iter().map(ToString::to_string).collect();
            (Some((address.host().to_ascii_lowercase(), port)), options)
        }
    }
}

/// The error stands at a host that wrote the address, if one did.
fn duplicate(hosts: &Hosts, (name, index): (&HostName, usize), other: &HostName) -> SettingError {
    let wrote = |name: &HostName| hosts.get(name).filter(|member| is_written(member));
    let address_of =
        |member: &Member, index| member.reach.addresses.iter().nth(index).map(ToString::to_string);
    let (at, index, other) = match (wrote(name), wrote(other)) {
        (None, Some(member)) => {
            let same = |address: &Address| {
                hosts.get(name).is_some_and(|own| {
                    own.reach.addresses.iter().any(|first| place(own, first) == place(member, address))
                })
            };
            (other, member.reach.addresses.iter().position(same).unwrap_or_default(), name)
        }
        _ => (name, index, other),
    };
    let member = hosts.get(at);
    let address = member.and_then(|member| address_of(member, index)).unwrap_or_default();
    let path = member.map_or_else(AttrPath::default, |member| path_of(at, member, index));
    SettingError { path, problem: Problem::DuplicateAddress { address, other: other.clone() } }
}

fn is_written(member: &Member) -> bool {
    member.origins.of("addresses") == Origin::Host
}

fn path_of(name: &HostName, member: &Member, index: usize) -> AttrPath {
    let list = AttrPath::new(&["lockstep", "hosts", name.as_str(), "addresses"]);
    if is_written(member) { list.element(index) } else { list }
}

/// Whoever builds for others is in the fleet.
pub(super) fn check_builders(hosts: &Hosts, errors: &mut Errors) {
    // A wrong builder in `defaults` is that of every host, and is looked for once.
    let mut known: BTreeMap<&HostName, Option<String>> = BTreeMap::new();
    for (name, member) in hosts {
        let BuildOn::Host(builder) = &member.build else { continue };
        if hosts.contains_key(builder) {
            continue;
        }
        let valid = || ["here", "target"].into_iter().chain(hosts.keys().map(HostName::as_str));
        let is_told = known.len() < MAX_NEAREST;
        let look = || is_told.then(|| nearest(builder.as_str(), valid())).flatten().map(str::to_owned);
        let nearest = known.entry(builder).or_insert_with(look).clone();
        let path = member.origins.of("build").paths(name, "build").into_iter().next().unwrap_or_default();
        let problem = Problem::NoBuilder { found: builder.to_string(), nearest };
        errors.push(SettingError { path, problem });
    }
}

/// Finds the hosts that each gateway is the way to.
pub(super) fn find_gateways(
    hosts: &mut Hosts,
    written: &BTreeMap<String, HostSettings>,
    errors: &mut Errors,
) {
    let ways = resolve(hosts, written, errors);
    if let Some(chain) = find_cycle(&ways) {
        let names = ["lockstep", "hosts", chain.first().map_or("", HostName::as_str), "gatewayFor"];
        errors.push(SettingError { path: AttrPath::new(&names), problem: Problem::GatewayCycle(chain) });
    }
    for (name, behind) in ways {
        if let Some(member) = hosts.get_mut(&name) {
            member.gateway_for = behind;
            member.origins.set("gatewayFor", Origin::Host);
        }
    }
}

fn resolve(
    hosts: &Hosts,
    written: &BTreeMap<String, HostSettings>,
    errors: &mut Errors,
) -> BTreeMap<HostName, BTreeSet<HostName>> {
    let selectors = written.values().filter_map(|host| host.gateway_for.clone().value());
    let found = selectors.map(|selectors| selectors.len()).sum();
    if found > MAX_SELECTORS {
        let path = AttrPath::new(&["lockstep", "hosts"]);
        let problem = Problem::TooMany { found, items: "selectors in gatewayFor", max: MAX_SELECTORS };
        errors.push(SettingError { path, problem });
        return BTreeMap::new();
    }
    let directory = Directory::new(hosts);
    let mut ways: BTreeMap<HostName, BTreeSet<HostName>> = BTreeMap::new();
    let mut count = 0;
    for (name, settings) in hosts.keys().filter_map(|name| Some((name, written.get(name.as_str())?))) {
        for (path, selector) in settings.gateway_for.clone().value().unwrap_or_default() {
            let mut complain = |problem| errors.push(SettingError { path: path.clone(), problem });
            match directory.select(&selector) {
                Err(error) => complain(Problem::Select(error)),
                Ok(_) if selector.is_name(name) => {
                    complain(Problem::Impossible("a host is not the way to itself".to_owned()));
                }
                Ok(found) if count + found.len() > MAX_WAYS => {
                    complain(Problem::TooMany { found: count + found.len(), items: "ways", max: MAX_WAYS });
                }
                Ok(found) => {
                    count += found.len();
                    let behind = found.into_iter().filter(|host| *host != name).cloned();
                    ways.entry(name.clone()).or_default().extend(behind);
                }
            }
        }
    }
    ways.retain(|_, behind| !behind.is_empty());
    ways
}
