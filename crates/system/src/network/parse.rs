//! Reading what `ip -json` prints.

use core::net::{IpAddr, SocketAddr};
use std::collections::{BTreeMap, BTreeSet};

use thiserror::Error;

use super::{Address, Link, NetworkFacts, NetworkTexts, Row};
use crate::wire::{self, WireAddress, WireLink};

/// Longest text that is read.
const MAX_TEXT: usize = 32 << 20;
/// Where every interface's link-local addresses are.
const LINK_LOCAL: &str = "fe80::/64";
/// Most links, addresses, routes or rules.
const MAX_ROWS: usize = 100_000;

/// What changes in a route by itself, or only says how it is printed.
const VOLATILE: [&str; 14] = [
    "expires", "age", "used", "users", "lastuse", "refcnt", "ts", "tsage", "rtt", "rttvar", "cache", "nhid",
    "error", "pref",
];
/// The programs that change routes by themselves (`/etc/iproute2/rt_protos`).
const ROUTING_DAEMONS: [&str; 14] = [
    "gated", "mrt", "zebra", "bird", "dnrouted", "xorp", "ntk", "babel", "bgp", "isis", "ospf", "rip",
    "eigrp", "openr",
];
/// Beginnings of the names of interfaces that come and go with containers and virtual machines.
const OTHERS: [&str; 19] = [
    "veth",
    "ve-",
    "vb-",
    "vz-",
    "vnet",
    "docker",
    "br-",
    "podman",
    "cni",
    "cali",
    "flannel",
    "lxc",
    "virbr",
    "lxdbr",
    "incusbr",
    "cilium",
    "kube-",
    "nodelocaldns",
    "vxlan.calico",
];
/// What the modules of tunnels bring with them (`fb_tunnels_only_for_init_net` in the kernel's documentation).
const FALLBACKS: [&str; 9] =
    ["tunl0", "gre0", "gretap0", "erspan0", "sit0", "ip6tnl0", "ip6gre0", "ip_vti0", "ip6_vti0"];

/// Why a text is not `ip`'s.
#[derive(Debug, Error)]
pub enum NetworkError {
    /// More than any host has.
    #[error("the list of {what} has more than {limit} {unit}")]
    TooLong {
        /// Addresses, routes or rules.
        what: &'static str,
        /// How many are accepted.
        limit: usize,
        /// Bytes or rows.
        unit: &'static str,
    },
    /// Not the JSON of `ip`.
    #[error("not the list of {what} that ip prints")]
    Json {
        /// Addresses, routes or rules.
        what: &'static str,
        /// What the parser found.
        source: serde_json::Error,
    },
}

impl NetworkFacts {
    /// Puts the facts together. `sysctls` has paths below `/proc/sys` (see [`super::sysctl_paths`]) and values,
    /// `listeners` all addresses that are listened on, of which those with one of the ports `ssh` are kept.
    ///
    /// # Errors
    /// If a text is not what `ip` prints.
    pub fn new<'a>(
        texts: NetworkTexts<'_>,
        sysctls: impl IntoIterator<Item = (&'a str, &'a str)>,
        listeners: impl IntoIterator<Item = SocketAddr>,
        ssh: &[u16],
    ) -> Result<Self, NetworkError> {
        let mut facts = Self::default();
        facts.add_links(texts.addresses.unwrap_or_default())?;
        facts.routes = routes(texts.routes4.unwrap_or_default(), false)?;
        facts.routes.append(&mut routes(texts.routes6.unwrap_or_default(), true)?);
        facts.rules = rows("rules", texts.rules4.unwrap_or_default(), false)?.collect();
        facts.rules.extend(rows("rules", texts.rules6.unwrap_or_default(), true)?);
        let settings = sysctls.into_iter().map(|(path, value)| (path.to_owned(), one_spaced(value)));
        facts.sysctls = settings.filter(|(path, _)| !is_others_setting(path)).collect();
        facts.listeners = listeners.into_iter().filter(|listener| ssh.contains(&listener.port())).collect();
        Ok(facts)
    }

    fn add_links(&mut self, json: &[u8]) -> Result<(), NetworkError> {
        let links = checked("addresses", json, wire::links)?;
        let counts = |link: &WireLink| {
            let fallback = FALLBACKS.contains(&link.ifname.as_str());
            let up = link.flags.iter().any(|flag| flag == "UP");
            !is_others(&link.ifname) && (up || !fallback)
        };
        for link in links.into_iter().filter(counts) {
            let addresses = link.addr_info.iter().filter_map(|address| usable(&link.ifname, address));
            self.addresses.extend(addresses);
            self.links.insert(link.ifname.clone(), Link::from(link));
        }
        Ok(())
    }
}

impl From<WireLink> for Link {
    fn from(link: WireLink) -> Self {
        let has = |flag: &str| link.flags.iter().any(|found| found == flag);
        Self {
            up: has("UP"),
            carrier: has("LOWER_UP"),
            mtu: link.mtu,
            master: link.master.clone(),
            lower: link.link.clone(),
        }
    }
}

/// An address that can be used, or is about to be, and that stays. An interface gives itself its link-local one, when
/// its cable is there.
fn usable(interface: &str, wire: &WireAddress) -> Option<Address> {
    let peer = wire.address.as_deref().and_then(|peer| peer.parse().ok());
    let address: IpAddr = wire.local.as_deref()?.parse().ok()?;
    if wire.temporary || wire.dadfailed || is_link_local(address) {
        return None;
    }
    Some(Address { interface: interface.to_owned(), address, prefix: wire.prefixlen?, peer })
}

fn is_link_local(address: IpAddr) -> bool {
    matches!(address, IpAddr::V6(address) if address.is_unicast_link_local())
}

fn routes(json: &[u8], ipv6: bool) -> Result<BTreeSet<Row>, NetworkError> {
    let kept = rows("routes", json, ipv6)?.filter(|row| {
        let value = |key: &str| row.values.get(key).map(String::as_str).unwrap_or_default();
        // Table `local` follows from the addresses.
        value("table") != "local"
            && !matches!(value("type"), "multicast" | "anycast" | "local" | "broadcast")
            && value("dst") != LINK_LOCAL
            && !ROUTING_DAEMONS.contains(&value("protocol"))
            && !is_others(value("dev"))
    });
    Ok(kept.collect())
}

fn rows(what: &'static str, json: &[u8], ipv6: bool) -> Result<impl Iterator<Item = Row>, NetworkError> {
    let rows = checked(what, json, wire::rows)?;
    Ok(rows.into_iter().filter(|row| !row.is_empty()).map(move |row| {
        let values: BTreeMap<_, _> =
            row.into_iter().filter(|(key, _)| !VOLATILE.contains(&key.as_str())).collect();
        Row { ipv6, values }
    }))
}

/// Reads a bounded list; no text at all is an empty one, as `ip` prints it at times.
fn checked<T>(
    what: &'static str,
    json: &[u8],
    read: impl FnOnce(&[u8]) -> Result<Vec<T>, serde_json::Error>,
) -> Result<Vec<T>, NetworkError> {
    if json.len() > MAX_TEXT {
        return Err(NetworkError::TooLong { what, limit: MAX_TEXT, unit: "bytes" });
    }
    if json.trim_ascii().is_empty() {
        return Ok(Vec::new());
    }
    let rows = read(json).map_err(|source| NetworkError::Json { what, source })?;
    if rows.len() > MAX_ROWS {
        return Err(NetworkError::TooLong { what, limit: MAX_ROWS, unit: "rows" });
    }
    Ok(rows)
}

/// Whether an interface is a container's or virtual machine's.
pub(super) fn is_others(interface: &str) -> bool {
    OTHERS.iter().any(|prefix| {
        let Some(rest) = interface.strip_prefix(prefix) else { return false };
        match *prefix {
            // Docker's own networks are `br-` and twelve digits; people call bridges `br-lan`.
            "br-" => rest.len() == 12 && rest.bytes().all(|byte| byte.is_ascii_hexdigit()),
            _ => true,
        }
    })
}

/// Whether a setting belongs to such an interface: `net/ipv4/conf/veth0/rp_filter`.
pub(super) fn is_others_setting(path: &str) -> bool {
    let mut components = path.split('/');
    components.any(|component| matches!(component, "conf" | "neigh"))
        && components.next().is_some_and(is_others)
}

fn one_spaced(value: &str) -> String {
    value.split_whitespace().collect::<Vec<_>>().join(" ")
}
