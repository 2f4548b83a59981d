//! The difference of two snapshots of a network, in words.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use super::{Address, Link, NetworkFacts, Row};
use crate::text::excerpt;

/// One thing that differs. Prints as a short clause.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum NetworkChange {
    /// Something came: an interface, an address, a route, a rule, a listener.
    Came(String),
    /// Something went.
    Went(String),
    /// Something has another value.
    Became {
        /// What it is.
        what: String,
        /// Its old value.
        old: String,
        /// Its new value.
        new: String,
    },
}

impl fmt::Display for NetworkChange {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Came(what) => write!(out, "{what} is new"),
            Self::Went(what) => write!(out, "{what} is gone"),
            Self::Became { what, old, new } => write!(out, "{what} is now {new} (was {old})"),
        }
    }
}

impl NetworkFacts {
    /// What differs in `now`; empty exactly if both are equal, but for settings that only one of them has.
    #[must_use]
    pub fn changes_to(&self, now: &Self) -> Vec<NetworkChange> {
        let mut changes = Vec::new();
        values(&self.links, &now.links, "interface", &mut changes);
        items(&self.addresses, &now.addresses, "address", &mut changes);
        items(&self.routes, &now.routes, "route", &mut changes);
        items(&self.rules, &now.rules, "rule", &mut changes);
        settings(&self.sysctls, &now.sysctls, &mut changes);
        items(&self.listeners, &now.listeners, "listener", &mut changes);
        changes
    }
}

fn items<T: Ord + fmt::Display>(
    old: &BTreeSet<T>,
    new: &BTreeSet<T>,
    what: &str,
    changes: &mut Vec<NetworkChange>,
) {
    changes.extend(old.difference(new).map(|item| NetworkChange::Went(format!("{what} {item}"))));
    changes.extend(new.difference(old).map(|item| NetworkChange::Came(format!("{what} {item}"))));
}

/// The settings of the module that filters what goes over bridges; without the module nothing is filtered.
const BRIDGES: &str = "net/bridge/";

/// Settings that only one has came or went with a kernel module or an interface, and a module's defaults are no change.
fn settings(
    old: &BTreeMap<String, String>,
    new: &BTreeMap<String, String>,
    changes: &mut Vec<NetworkChange>,
) {
    let off = "0".to_owned();
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    for name in names {
        let absent = name.starts_with(BRIDGES).then_some(&off);
        if let (Some(old), Some(new)) = (old.get(name).or(absent), new.get(name).or(absent))
            && old != new
        {
            let (old, new) = (old.clone(), new.clone());
            changes.push(NetworkChange::Became { what: format!("setting {}", excerpt(name)), old, new });
        }
    }
}

fn values<T: PartialEq + fmt::Display>(
    old: &BTreeMap<String, T>,
    new: &BTreeMap<String, T>,
    what: &str,
    changes: &mut Vec<NetworkChange>,
) {
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    for name in names {
        let what = format!("{what} {}", excerpt(name));
        match (old.get(name), new.get(name)) {
            (Some(old), Some(new)) if old == new => {}
            (Some(old), Some(new)) => {
                changes.push(NetworkChange::Became { what, old: old.to_string(), new: new.to_string() });
            }
            (Some(_), None) => changes.push(NetworkChange::Went(what)),
            (None, _) => changes.push(NetworkChange::Came(what)),
        }
    }
}

impl fmt::Display for Link {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match (self.up, self.carrier) {
            (false, _) => "off",
            (true, false) => "on without carrier",
            (true, true) => "on",
        };
        out.write_str(state)?;
        if let Some(mtu) = self.mtu {
            write!(out, ", mtu {mtu}")?;
        }
        for (word, other) in [("in", &self.master), ("over", &self.lower)] {
            if let Some(other) = other {
                write!(out, ", {word} {}", excerpt(other))?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Address {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{}", self.address, self.prefix)?;
        if let Some(peer) = self.peer {
            write!(out, " peer {peer}")?;
        }
        write!(out, " on {}", excerpt(&self.interface))
    }
}

/// How `ip` itself writes routes and rules: first what is asked for most, the rest by name.
const FIRST: [&str; 7] = ["priority", "type", "dst", "gateway", "via", "dev", "src"];

impl fmt::Display for Row {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let first = FIRST.iter().filter_map(|key| self.values.get_key_value(*key));
        let rest = self.values.iter().filter(|(key, _)| !FIRST.contains(&key.as_str()));
        out.write_str(if self.ipv6 { "IPv6" } else { "IPv4" })?;
        for (key, value) in first.chain(rest) {
            match (key.as_str(), value.as_str()) {
                ("flags", "") => {}
                ("dst" | "type", value) => write!(out, " {}", excerpt(value))?,
                (key, "") => write!(out, " {}", excerpt(key))?,
                (key, value) => write!(out, " {} {}", excerpt(key), excerpt(value))?,
            }
        }
        Ok(())
    }
}
