//! Checks: exactly one thing that is tried, from the host or from the operator.

use std::collections::BTreeMap;
use std::time::Duration;

use order::{Check, CheckKind};

use super::attributes::{Attribute, Errors, Group, Said};
use crate::member::Word;
use crate::{Address, AttrPath, Origin, Problem, SettingError, WebUrl};

/// How long to wait between two tries, if nobody says.
const PERIOD: Duration = Duration::from_secs(2);
/// How long a check may take, if nobody says.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Longest name of a check in characters.
const MAX_NAME: usize = 100;

/// Where a check is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum From {
    Host,
    Operator,
}

impl Word for From {
    const WORDS: &'static [(&'static str, Self)] = &[("host", Self::Host), ("operator", Self::Operator)];
}

/// One check as it was written.
#[derive(Debug, Clone)]
pub(super) struct SaidCheck {
    pub(super) path: AttrPath,
    pub(super) from: From,
    pub(super) check: Check,
}

/// The checks that were written at one place.
#[derive(Debug, Clone, Default)]
pub(super) struct SaidChecks {
    /// `checks = null`: none of `defaults`.
    is_null: bool,
    /// `None` was `null`: not the one of `defaults`.
    by_name: BTreeMap<String, Option<SaidCheck>>,
}

impl SaidChecks {
    pub(super) fn read(group: &Group<'_>, errors: &mut Errors) -> Self {
        let said = group.read("checks", errors, |attribute, errors| {
            let mut by_name = BTreeMap::new();
            for (name, check) in attribute.named(errors)? {
                if check.value.is_null() {
                    by_name.insert(name.to_owned(), None);
                } else if let Some(check) = read_check(name, &check, errors) {
                    by_name.insert(name.to_owned(), Some(check));
                }
            }
            Some(by_name)
        });
        let is_null = matches!(said, Said::Null);
        Self { is_null, by_name: said.value().unwrap_or_default() }
    }

    /// The checks that hold where `self` goes before `defaults`, by name.
    pub(super) fn over<'a>(&'a self, defaults: &'a Self) -> impl Iterator<Item = (Origin, &'a SaidCheck)> {
        let shared = |name: &String| !self.is_null && !self.by_name.contains_key(name);
        let shared = defaults.by_name.iter().filter(move |(name, _)| shared(name));
        let shared = shared.map(|(name, check)| (name, (Origin::Defaults, check)));
        let own = self.by_name.iter().map(|(name, check)| (name, (Origin::Host, check)));
        let all: BTreeMap<_, _> = shared.chain(own).collect();
        all.into_values().filter_map(|(origin, check)| Some((origin, check.as_ref()?)))
    }
}

fn read_check(name: &str, attribute: &Attribute<'_>, errors: &mut Errors) -> Option<SaidCheck> {
    let group = Group::open(attribute, errors)?;
    let name_is_good =
        !name.is_empty() && !name.chars().any(char::is_control) && name.chars().count() <= MAX_NAME;
    if !name_is_good {
        let text = format!("the name of a check has 1 to {MAX_NAME} characters and no control characters");
        errors.push(SettingError { path: attribute.path.clone(), problem: Problem::Impossible(text) });
    }
    let from = group.read("from", errors, Attribute::word).value().unwrap_or(From::Host);
    let period = group.read("period", errors, Attribute::some_time).value().unwrap_or(PERIOD);
    let timeout = group.read("timeout", errors, Attribute::some_time).value().unwrap_or(TIMEOUT);
    let kind = read_kind(attribute, &group, errors)?;
    let check = Check { name: name.to_owned(), kind, period, timeout };
    Some(SaidCheck { path: attribute.path.clone(), from, check })
}

/// The one thing that is tried.
fn read_kind(attribute: &Attribute<'_>, group: &Group<'_>, errors: &mut Errors) -> Option<CheckKind> {
    const KINDS: [&str; 3] = ["http", "tcp", "command"];
    let found: Vec<_> = KINDS.into_iter().filter(|name| group.has(name)).collect();
    let status = group.read("status", errors, read_status).value();
    if status.is_some() && found != ["http"] {
        let text = "status is for a check with http only".to_owned();
        errors.push(SettingError {
            path: attribute.path.attribute("status"),
            problem: Problem::Impossible(text),
        });
    }
    match found[..] {
        ["http"] => {
            let url = group.read("http", errors, read_url).value()?;
            Some(CheckKind::Http { url, status })
        }
        ["tcp"] => group.read("tcp", errors, read_tcp).value().map(|address| CheckKind::Tcp { address }),
        ["command"] => {
            let words = group.read("command", errors, Attribute::argv).value()?;
            Some(CheckKind::Command { words })
        }
        [] => attribute.complain(
            Problem::Impossible("expected one of http, tcp and command, found none".to_owned()),
            errors,
        ),
        _ => {
            let text = format!("expected one of http, tcp and command, found {}", found.join(" and "));
            attribute.complain(Problem::Impossible(text), errors)
        }
    }
}

fn read_status(attribute: &Attribute<'_>, errors: &mut Errors) -> Option<u16> {
    attribute.number(errors).and_then(|status| u16::try_from(status).ok())
}

fn read_url(attribute: &Attribute<'_>, errors: &mut Errors) -> Option<String> {
    let url = attribute.text(errors)?.parse::<WebUrl>();
    url.map_or_else(|()| attribute.wrong_type(errors), |url| Some(url.as_str().to_owned()))
}

/// `host:port`, the host a name or an IP address, IPv6 in brackets.
fn read_tcp(attribute: &Attribute<'_>, errors: &mut Errors) -> Option<String> {
    let text = attribute.text(errors)?;
    match text.parse::<Address>() {
        Ok(Address::Ssh(address)) if address.user.is_none() && address.port.is_some() => {
            Some(text.to_owned())
        }
        _ => attribute.wrong_type(errors),
    }
}
