//! What a host's network is like, as facts that compare: two snapshots are equal exactly if nothing that matters to
//! the way in has changed, whatever the order and whatever counters and lifetimes say.
//!
//! Settings that are there in one of them only say nothing: they come and go with kernel modules and interfaces.
//! Left out: lifetimes, counters, hardware addresses (a bridge that is made again has another one), temporary
//! addresses, link-local ones of IPv6, duplicate ones, the kernel's own tables, what routing daemons put into tables by
//! themselves, the interfaces that container and machine managers make and remove all day, and those that a
//! kernel module brings with it while nobody has switched them on.

mod compare;
mod listeners;
mod parse;
mod sight;
mod sysctl;

use core::net::{IpAddr, SocketAddr};
use std::collections::{BTreeMap, BTreeSet};

pub use compare::NetworkChange;
pub use listeners::{ListenersError, from_proc_net_tcp};
pub use parse::NetworkError;
pub use sight::{
    Answer, MAX_STORED, NetworkAnswers, NetworkComparison, NetworkSight, Part, SightError, Unread,
};
pub use sysctl::{sysctl_named_in, sysctl_paths};

/// The network of a host at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NetworkFacts {
    /// The interfaces, by name.
    pub links: BTreeMap<String, Link>,
    /// The usable addresses.
    pub addresses: BTreeSet<Address>,
    /// The routes.
    pub routes: BTreeSet<Row>,
    /// The rules of policy routing.
    pub rules: BTreeSet<Row>,
    /// Kernel settings, by path below `/proc/sys` (`net/ipv4/ip_forward`).
    pub sysctls: BTreeMap<String, String>,
    /// Where ssh is listened for.
    pub listeners: BTreeSet<SocketAddr>,
}

/// An interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Whether it is switched on.
    pub up: bool,
    /// Whether the other end is there.
    pub carrier: bool,
    /// Longest packet in bytes.
    pub mtu: Option<u64>,
    /// The bridge or bond that it belongs to.
    pub master: Option<String>,
    /// The interface below it, for a VLAN.
    pub lower: Option<String>,
}

/// An address of an interface.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Address {
    /// The interface.
    pub interface: String,
    /// The address.
    pub address: IpAddr,
    /// How many of its bits are the network's.
    pub prefix: u8,
    /// The other end of a point-to-point link.
    pub peer: Option<IpAddr>,
}

/// A route or a rule: what `ip -json` says of it, without what changes by itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row {
    /// Whether it is IPv6's.
    pub ipv6: bool,
    /// Words and values.
    pub values: BTreeMap<String, String>,
}

/// What the programs printed; `None` where one could not be run or the kernel has no such thing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NetworkTexts<'a> {
    /// `ip -json addr`.
    pub addresses: Option<&'a [u8]>,
    /// `ip -json -4 route show table all`.
    pub routes4: Option<&'a [u8]>,
    /// `ip -json -6 route show table all`.
    pub routes6: Option<&'a [u8]>,
    /// `ip -json -4 rule`.
    pub rules4: Option<&'a [u8]>,
    /// `ip -json -6 rule`.
    pub rules6: Option<&'a [u8]>,
}

#[cfg(test)]
mod tests;
