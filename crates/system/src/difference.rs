//! What changes between two systems, and whether that touches the way to the host.

mod reach;

use std::{collections::BTreeSet, fmt};

use crate::{System, system::Unit, text::listed};

/// What differs between two systems, as far as it is compared. Names are in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Difference {
    /// Units that only the new system has.
    pub units_added: Vec<String>,
    /// Units that only the old system has.
    pub units_removed: Vec<String>,
    /// Units of both whose files, drop-ins, or what pulls them in, mean something else.
    pub units_changed: Vec<String>,
    /// Files below `/etc`, without units, that were added, removed or changed.
    pub etc: Vec<String>,
    /// systemd is another one: process 1 is executed again.
    pub systemd: bool,
    /// `activate` does something else: users, groups, wrappers, special file systems are its work.
    pub activation: bool,
    /// Of the units above, those whose text speaks of the network in the old or the new system.
    network_units: BTreeSet<String>,
}

/// Compares two systems.
#[must_use]
pub fn difference(old: &System, new: &System) -> Difference {
    let mut found = Difference {
        systemd: old.systemd != new.systemd,
        activation: old.activation != new.activation,
        ..Difference::default()
    };
    for name in keys(&old.units, &new.units) {
        let (before, after) = (old.units.get(name), new.units.get(name));
        let list = match (before, after) {
            (Some(before), Some(after)) if before.means_the_same_as(after) => continue,
            (Some(_), Some(_)) => &mut found.units_changed,
            (None, _) => &mut found.units_added,
            (_, None) => &mut found.units_removed,
        };
        list.push(name.clone());
        if [before, after].into_iter().flatten().any(Unit::speaks_of_network) {
            found.network_units.insert(name.clone());
        }
    }
    found.etc = keys(&old.etc, &new.etc)
        .into_iter()
        .filter(|name| old.etc.get(*name) != new.etc.get(*name))
        .cloned()
        .collect();
    found
}

fn keys<'a, V>(
    old: &'a std::collections::BTreeMap<String, V>,
    new: &'a std::collections::BTreeMap<String, V>,
) -> BTreeSet<&'a String> {
    old.keys().chain(new.keys()).collect()
}

impl Difference {
    /// Whether nothing that is compared differs.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Every unit that was added, removed or changed, in order.
    pub fn units(&self) -> impl Iterator<Item = &String> {
        let units: BTreeSet<&String> =
            [&self.units_added, &self.units_removed, &self.units_changed].into_iter().flatten().collect();
        units.into_iter()
    }

    /// What of it may touch the way to the host: network, firewall, ssh, users, sudo and PAM, sysctl, mounts, systemd.
    ///
    /// Each item is a short phrase. Empty: a confirmation may come at once. In doubt something is named: what cannot
    /// be told apart (`activate`) counts.
    #[must_use]
    pub fn touches_reach(&self) -> Vec<String> {
        let units = self.units().filter_map(|name| match reach::of_unit(name) {
            Some(area) => Some(format!("unit {name} ({area})")),
            None if self.network_units.contains(name) => Some(format!("unit {name} (network)")),
            None => None,
        });
        let etc = self.etc.iter().filter_map(|path| Some(format!("/etc/{path} ({})", reach::of_etc(path)?)));
        let systemd = self.systemd.then(|| "systemd itself".to_owned());
        let activation = self.activation.then(|| "the activation script (users, wrappers)".to_owned());
        units.chain(etc).chain(systemd).chain(activation).collect()
    }
}

impl fmt::Display for Difference {
    /// One sentence without a full stop, with the numbers of what changed.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return out.write_str("nothing that is compared differs");
        }
        let counted = |count: usize, one: &str, many: &str| match count {
            0 => None,
            1 => Some(format!("1 {one}")),
            count => Some(format!("{count} {many}")),
        };
        let parts = [
            counted(self.units_added.len(), "unit added", "units added"),
            counted(self.units_removed.len(), "unit removed", "units removed"),
            counted(self.units_changed.len(), "unit changed", "units changed"),
            counted(self.etc.len(), "other file of /etc", "other files of /etc"),
            self.systemd.then(|| "another systemd".to_owned()),
            self.activation.then(|| "another activation script".to_owned()),
        ];
        out.write_str(&listed(parts.into_iter().flatten()))
    }
}

#[cfg(test)]
mod tests;
