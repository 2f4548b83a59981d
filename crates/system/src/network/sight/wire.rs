//! The stored form of a network's facts: JSON, version 1, bounded. `tests/golden/network-1.json` must parse for ever.

use core::net::{IpAddr, SocketAddr};
use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{NetworkSight, Part};
use crate::{
    network::{Address, Link, NetworkFacts, Row},
    text::excerpt,
};

/// Longest stored form in bytes; what is larger is stored without its longest parts, and says so.
pub const MAX_STORED: usize = 64 << 10;
const VERSION: u32 = 1;
/// What is given up first when all is too much: there may be thousands of the first, and a few of the last.
const LEAVE_OUT: [Part; 5] = [Part::Routes, Part::Settings, Part::Rules, Part::Addresses, Part::Listeners];

/// Why a text is not the stored form of a network's facts.
#[derive(Debug, Error)]
pub enum SightError {
    /// More bytes than any has.
    #[error("stored network facts have at most {MAX_STORED} bytes, found {0}")]
    TooLong(usize),
    /// Not the JSON of one.
    #[error("not stored network facts")]
    Json(#[from] serde_json::Error),
    /// Written by another Lockstep.
    #[error("these network facts are of version {0}, known is {VERSION}")]
    Version(u32),
}

impl NetworkSight {
    /// The facts as JSON, at most [`MAX_STORED`] bytes: parts that do not fit are left out, as parts that are not
    /// known.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut kept = self.clone();
        let mut parts = LEAVE_OUT.into_iter();
        loop {
            let json =
                serde_json::to_string(&Wire::from(kept.clone())).expect("invariant: facts are plain data");
            if json.len() <= MAX_STORED {
                return json;
            }
            let Some(part) = parts.next() else {
                return Self::unknown("they were too many to be kept").to_json();
            };
            kept.miss(part, "they were too many to be kept");
        }
    }

    /// Reads the stored form.
    ///
    /// # Errors
    /// If it is none, or of another version.
    pub fn from_json(text: &str) -> Result<Self, SightError> {
        if text.len() > MAX_STORED {
            return Err(SightError::TooLong(text.len()));
        }
        let Versioned { version } = serde_json::from_str(text)?;
        if version != VERSION {
            return Err(SightError::Version(version));
        }
        Ok(serde_json::from_str::<Wire>(text)?.into())
    }
}

#[derive(Deserialize)]
struct Versioned {
    version: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    version: u32,
    gaps: BTreeMap<PartWire, String>,
    links: BTreeMap<String, LinkWire>,
    addresses: Vec<AddressWire>,
    routes: Vec<RowWire>,
    rules: Vec<RowWire>,
    settings: BTreeMap<String, String>,
    listeners: BTreeSet<SocketAddr>,
}

#[derive(Serialize, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(remote = "Part", rename_all = "kebab-case")]
enum PartDef {
    Addresses,
    Routes,
    Rules,
    Settings,
    Listeners,
}

#[derive(Serialize, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(transparent)]
struct PartWire(#[serde(with = "PartDef")] Part);

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LinkWire {
    up: bool,
    carrier: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mtu: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    master: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lower: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct AddressWire {
    interface: String,
    address: IpAddr,
    prefix: u8,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    peer: Option<IpAddr>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RowWire {
    ipv6: bool,
    values: BTreeMap<String, String>,
}

impl From<NetworkSight> for Wire {
    fn from(NetworkSight { facts, gaps }: NetworkSight) -> Self {
        Self {
            version: VERSION,
            gaps: gaps.into_iter().map(|(part, why)| (PartWire(part), why)).collect(),
            links: facts.links.into_iter().map(|(name, link)| (name, link.into())).collect(),
            addresses: facts.addresses.into_iter().map(AddressWire::from).collect(),
            routes: facts.routes.into_iter().map(RowWire::from).collect(),
            rules: facts.rules.into_iter().map(RowWire::from).collect(),
            settings: facts.sysctls,
            listeners: facts.listeners,
        }
    }
}

impl From<Wire> for NetworkSight {
    fn from(wire: Wire) -> Self {
        let facts = NetworkFacts {
            links: wire.links.into_iter().map(|(name, link)| (name, link.into())).collect(),
            addresses: wire.addresses.into_iter().map(Address::from).collect(),
            routes: wire.routes.into_iter().map(Row::from).collect(),
            rules: wire.rules.into_iter().map(Row::from).collect(),
            sysctls: wire.settings,
            listeners: wire.listeners,
        };
        let gaps = wire.gaps.into_iter().map(|(PartWire(part), why)| (part, excerpt(&why))).collect();
        Self { facts, gaps }
    }
}

impl From<Link> for LinkWire {
    fn from(Link { up, carrier, mtu, master, lower }: Link) -> Self {
        Self { up, carrier, mtu, master, lower }
    }
}

impl From<LinkWire> for Link {
    fn from(LinkWire { up, carrier, mtu, master, lower }: LinkWire) -> Self {
        Self { up, carrier, mtu, master, lower }
    }
}

impl From<Address> for AddressWire {
    fn from(Address { interface, address, prefix, peer }: Address) -> Self {
        Self { interface, address, prefix, peer }
    }
}

impl From<AddressWire> for Address {
    fn from(AddressWire { interface, address, prefix, peer }: AddressWire) -> Self {
        Self { interface, address, prefix, peer }
    }
}

impl From<Row> for RowWire {
    fn from(Row { ipv6, values }: Row) -> Self {
        Self { ipv6, values }
    }
}

impl From<RowWire> for Row {
    fn from(RowWire { ipv6, values }: RowWire) -> Self {
        Self { ipv6, values }
    }
}
