//! Reads what the evaluation gives: JSON, in which every error is found and none stops the others.

mod attributes;
mod checks;
mod host;
mod member;
mod nix;
mod relations;
mod schema;

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;

use order::HostName;
use serde_json::Value;

use self::attributes::{Attribute, Errors, Group};
use self::host::HostSettings;
use crate::nearest::nearest;
use crate::{
    Argv, AttrPath, Fleet, Index, LeftOut, Member, OnResult, Problem, RunSettings, SettingError,
    SettingErrors, WebUrl, table,
};

pub(crate) use self::nix::json_to_nix;
pub use self::schema::schema;

/// Longest JSON in bytes that is read.
pub const MAX_INDEX: usize = 16 << 20;
/// Most hosts of a fleet.
pub const MAX_HOSTS: usize = 100_000;

impl Index {
    /// Reads `{"names": [...], "lockstep": {...} | null}`: the names of all configurations, and the attribute set
    /// `lockstep` of the description if it has one. `lockstep` may be left out.
    ///
    /// # Errors
    /// All that is wrong, each with the path of its attribute.
    pub fn parse(json: &[u8]) -> Result<Self, SettingErrors> {
        let input = read_input(json).map_err(SettingErrors::one)?;
        let mut errors = Errors::new();
        let fleet = read_fleet(&input, &mut errors);
        SettingErrors::check(errors)?;
        Ok(Self { fleet })
    }
}

/// The JSON, in its two parts.
struct Input {
    names: Vec<String>,
    lockstep: Value,
}

fn read_input(json: &[u8]) -> Result<Input, SettingError> {
    let wrong = |problem| SettingError { path: AttrPath::new(&["lockstep"]), problem };
    let no_json = |line, column| wrong(Problem::Json { line, column });
    if json.len() > MAX_INDEX {
        return Err(wrong(Problem::TooLong(json.len())));
    }
    let mut input: Value =
        serde_json::from_slice(json).map_err(|error| no_json(error.line(), error.column()))?;
    let names = input.get_mut("names").map(Value::take).ok_or_else(|| no_json(1, 1))?;
    let names = serde_json::from_value(names).map_err(|_| no_json(1, 1))?;
    let lockstep = input.get_mut("lockstep").map(Value::take).unwrap_or_default();
    Ok(Input { names, lockstep })
}

fn read_fleet(input: &Input, errors: &mut Errors) -> Fleet {
    let (names, left_out) = read_names(&input.names, errors);
    let written = read_lockstep(&input.lockstep, errors);
    check_entries(&names, &written.hosts, errors);
    let nothing = HostSettings::default();
    let mut hosts: BTreeMap<HostName, Member> = BTreeMap::new();
    for name in names {
        let own = written.hosts.get(name.as_str()).unwrap_or(&nothing);
        let member = member::assemble(&name, own, &written.defaults, errors);
        hosts.insert(name, member);
    }
    relations::check_addresses(&hosts, errors);
    relations::check_builders(&hosts, errors);
    relations::find_gateways(&mut hosts, &written.hosts, errors);
    Fleet { hosts, left_out, run: written.run }
}

/// Every entry of `lockstep.hosts` has a configuration.
fn check_entries(names: &BTreeSet<HostName>, entries: &BTreeMap<String, HostSettings>, errors: &mut Errors) {
    let is_known = |name: &str| name.parse().is_ok_and(|name: HostName| names.contains(&name));
    let unknown = entries.iter().filter(|(name, _)| !is_known(name));
    for (index, (name, settings)) in unknown.enumerate() {
        let is_told = index < relations::MAX_NEAREST;
        let nearest = is_told.then(|| nearest(name, names.iter().map(HostName::as_str))).flatten();
        let nearest = nearest.and_then(|name| name.parse().ok());
        let problem = Problem::NoConfiguration { nearest };
        errors.push(SettingError { path: settings.path.clone(), problem });
    }
}

fn read_names(names: &[String], errors: &mut Errors) -> (BTreeSet<HostName>, Vec<LeftOut>) {
    if names.len() > MAX_HOSTS {
        let problem = Problem::TooMany { found: names.len(), items: "hosts", max: MAX_HOSTS };
        errors.push(SettingError { path: AttrPath::new(&["nixosConfigurations"]), problem });
        return Default::default();
    }
    let mut good = BTreeSet::new();
    let mut left_out = BTreeMap::new();
    for name in names {
        match name.parse::<HostName>() {
            Ok(name) => drop(good.insert(name)),
            Err(reason) => drop(left_out.insert(name, reason)),
        }
    }
    let left_out = left_out.into_iter().map(|(name, reason)| LeftOut { name: name.clone(), reason });
    (good, left_out.collect())
}

/// What `lockstep` says.
#[derive(Default)]
struct Written {
    defaults: HostSettings,
    hosts: BTreeMap<String, HostSettings>,
    run: RunSettings,
}

fn read_lockstep(lockstep: &Value, errors: &mut Errors) -> Written {
    let path = AttrPath::new(&["lockstep"]);
    let root = Attribute { path, value: lockstep, kind: table::Kind::Group(table::FLEET) };
    if lockstep.is_null() {
        return Written::default();
    }
    let Some(group) = Group::open(&root, errors) else { return Written::default() };
    let defaults =
        group.read("defaults", errors, |attribute, errors| HostSettings::read(attribute, false, errors));
    let hosts = group.read("hosts", errors, |attribute, errors| {
        let hosts = attribute.named(errors)?;
        let read = |(name, host): (&str, Attribute<'_>)| {
            Some((name.to_owned(), HostSettings::read(&host, true, errors)?))
        };
        Some(hosts.into_iter().filter_map(read).collect())
    });
    let parallel = group.read("parallel", errors, Attribute::number).value().and_then(NonZeroU32::new);
    let on_result = group.read("onResult", errors, read_on_result).value();
    Written {
        defaults: defaults.value().unwrap_or_default(),
        hosts: hosts.value().unwrap_or_default(),
        run: RunSettings { parallel, on_result },
    }
}

fn read_on_result(attribute: &Attribute<'_>, errors: &mut Errors) -> Option<OnResult> {
    match attribute.value {
        Value::String(text) => match text.parse::<WebUrl>() {
            Ok(url) => Some(OnResult::Webhook(url)),
            Err(()) => attribute.wrong_type(errors),
        },
        _ => attribute.argv(errors).and_then(Argv::new).map(OnResult::Command),
    }
}
