//! What is said of one host, or of all in `defaults`, before both are put together.

use std::num::NonZeroU16;
use std::time::Duration;

use order::{OnFailure, UnitName};
use serde_json::Value;

use super::attributes::{Attribute, Errors, Group, Said};
use super::checks::SaidChecks;
use crate::table::ADDRESS;
use crate::{
    Address, AddressError, AttrPath, BuildOn, Delivery, Elevation, OnInhibitor, Problem, Selector,
    SshAddress, SshOption, SshUser, Substitute, Tag,
};

/// What is said of one host, or of all.
#[derive(Default)]
pub(super) struct HostSettings {
    pub(super) path: AttrPath,
    pub(super) addresses: Said<Vec<Address>>,
    pub(super) user: Said<SshUser>,
    pub(super) port: Said<NonZeroU16>,
    pub(super) ssh_options: Said<Vec<SshOption>>,
    pub(super) elevation: Said<Elevation>,
    pub(super) tags: Said<Vec<Tag>>,
    pub(super) build: Said<BuildOn>,
    pub(super) substitute: Said<Substitute>,
    pub(super) confirm_timeout: Said<Duration>,
    pub(super) settle: Said<Duration>,
    pub(super) idle: Said<Duration>,
    pub(super) total: Said<Duration>,
    pub(super) reboot_timeout: Said<Duration>,
    pub(super) on_inhibitor: Said<OnInhibitor>,
    pub(super) checks: SaidChecks,
    pub(super) protected: Said<Vec<UnitName>>,
    pub(super) gateway_for: Said<Vec<(AttrPath, Selector)>>,
    pub(super) delivery: Said<Delivery>,
    pub(super) on_failure: Said<OnFailure>,
}

impl HostSettings {
    pub(super) fn read(attribute: &Attribute<'_>, is_host: bool, errors: &mut Errors) -> Option<Self> {
        let group = Group::open(attribute, errors)?;
        if !is_host {
            group.refuse_host_only(errors);
        }
        let activation = group.read("activation", errors, Limits::read).value().unwrap_or_default();
        let reboot = group.read("reboot", errors, Reboots::read).value().unwrap_or_default();
        Some(Self {
            path: attribute.path.clone(),
            addresses: if is_host { group.read("addresses", errors, read_addresses) } else { Said::Nothing },
            user: group.read("user", errors, Attribute::parsed),
            port: group.read("port", errors, read_port),
            ssh_options: group.read("sshOptions", errors, Attribute::parsed_list),
            elevation: group.read("elevation", errors, Attribute::word),
            tags: group.read("tags", errors, Attribute::parsed_list),
            build: group.read("build", errors, read_build),
            substitute: group.read("substitute", errors, read_substitute),
            confirm_timeout: group.read("confirmTimeout", errors, Attribute::some_time),
            settle: group.read("settle", errors, Attribute::duration),
            idle: activation.idle,
            total: activation.total,
            reboot_timeout: reboot.timeout,
            on_inhibitor: reboot.on_inhibitor,
            checks: SaidChecks::read(&group, errors),
            protected: group.read("protectedUnits", errors, Attribute::parsed_list),
            gateway_for: if is_host {
                group.read("gatewayFor", errors, read_selectors)
            } else {
                Said::Nothing
            },
            delivery: group.read("delivery", errors, Attribute::word),
            on_failure: group.read("rollback", errors, read_rollback),
        })
    }
}

#[derive(Clone, Default)]
struct Limits {
    idle: Said<Duration>,
    total: Said<Duration>,
}

impl Limits {
    fn read(attribute: &Attribute<'_>, errors: &mut Errors) -> Option<Self> {
        let group = Group::open(attribute, errors)?;
        let idle = group.read("idle", errors, Attribute::some_time);
        let total = group.read("total", errors, Attribute::some_time);
        Some(Self { idle, total })
    }
}

#[derive(Clone, Default)]
struct Reboots {
    timeout: Said<Duration>,
    on_inhibitor: Said<OnInhibitor>,
}

impl Reboots {
    fn read(attribute: &Attribute<'_>, errors: &mut Errors) -> Option<Self> {
        let group = Group::open(attribute, errors)?;
        let timeout = group.read("timeout", errors, Attribute::some_time);
        let on_inhibitor = group.read("onInhibitor", errors, Attribute::word);
        Some(Self { timeout, on_inhibitor })
    }
}

fn read_port(attribute: &Attribute<'_>, errors: &mut Errors) -> Option<NonZeroU16> {
    let port = attribute.number(errors)?;
    u16::try_from(port).ok().and_then(NonZeroU16::new)
}

fn read_substitute(attribute: &Attribute<'_>, errors: &mut Errors) -> Option<Substitute> {
    Some(if attribute.bool(errors)? { Substitute::OnTarget } else { Substitute::Never })
}

fn read_rollback(attribute: &Attribute<'_>, errors: &mut Errors) -> Option<OnFailure> {
    Some(if attribute.bool(errors)? { OnFailure::RollBack } else { OnFailure::Keep })
}

/// Whether the host exists is asked when all are known.
fn read_build(attribute: &Attribute<'_>, errors: &mut Errors) -> Option<BuildOn> {
    match attribute.text(errors)? {
        "here" => Some(BuildOn::Here),
        "target" => Some(BuildOn::Target),
        host => match host.parse() {
            Ok(host) => Some(BuildOn::Host(host)),
            Err(_) => {
                let problem = Problem::NoBuilder { found: host.chars().take(80).collect(), nearest: None };
                attribute.complain(problem, errors)
            }
        },
    }
}

fn read_addresses(attribute: &Attribute<'_>, errors: &mut Errors) -> Option<Vec<Address>> {
    let elements = attribute.elements(errors)?;
    if elements.is_empty() {
        return attribute.complain(Problem::Impossible("the list is empty".to_owned()), errors);
    }
    let addresses: Vec<_> = elements.iter().filter_map(|element| read_address(element, errors)).collect();
    (addresses.len() == elements.len()).then_some(addresses)
}

fn read_address(attribute: &Attribute<'_>, errors: &mut Errors) -> Option<Address> {
    if !matches!(attribute.value, Value::Object(_)) {
        return attribute.parsed(errors);
    }
    let group = Group::of_table(attribute, ADDRESS, errors)?;
    let host = group.read("host", errors, Attribute::text);
    let user = group.read("user", errors, Attribute::parsed::<SshUser>).value();
    let port = group.read("port", errors, read_port).value();
    let address = match host {
        Said::Nothing if !group.has("host") => Err(AddressError::NoHost),
        Said::Nothing => return None,
        Said::Null => Err(AddressError::NoHost),
        Said::Value("local") if user.is_none() && port.is_none() => Ok(Address::Local),
        Said::Value("local") => Err(AddressError::Local),
        Said::Value(host) => SshAddress::new(host, user, port).map(Address::Ssh),
    };
    address.map_or_else(|error| attribute.complain(error.into(), errors), Some)
}

fn read_selectors(attribute: &Attribute<'_>, errors: &mut Errors) -> Option<Vec<(AttrPath, Selector)>> {
    let mut selectors = Vec::new();
    for element in attribute.elements(errors)? {
        match element.text(errors).map(Selector::parse) {
            Some(Ok(selector)) => selectors.push((element.path, selector)),
            Some(Err(error)) => element.complain(error.into(), errors).unwrap_or_default(),
            None => {}
        }
    }
    Some(selectors)
}
