//! Finds the hosts that a selector means.

use std::collections::{BTreeMap, BTreeSet};

use order::HostName;
use thiserror::Error;

use super::{Expression, Pattern, Selector};
use crate::{Fleet, Member, error::meant, nearest::nearest};

/// Why a selector cannot be used with a fleet.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Error)]
pub enum SelectError {
    /// Patterns that match nothing, each once.
    #[error("{}", lines(.0))]
    Unmatched(Vec<Unmatched>),
    /// Every pattern matches something, the whole nothing.
    #[error("{0} means no host of the fleet")]
    Nothing(String),
}

/// A pattern that matches nothing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Error)]
#[error("no {} {}{}", if pattern.starts_with('@') { "tag is" } else { "host is" }, pattern, meant(nearest.as_deref()))]
pub struct Unmatched {
    /// The pattern.
    pub pattern: String,
    /// The host or `@tag` that is most like it.
    pub nearest: Option<String>,
}

fn lines(all: &[Unmatched]) -> String {
    all.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// The hosts of `fleet` that `selector` means; at least one.
///
/// # Errors
/// If a pattern in it matches nothing, be it behind a `!`, or if the whole means no host.
pub fn select(fleet: &Fleet, selector: &Selector) -> Result<BTreeSet<HostName>, SelectError> {
    let found = Directory::new(&fleet.hosts).select(selector)?;
    if found.is_empty() {
        return Err(SelectError::Nothing(selector.to_string()));
    }
    Ok(found.into_iter().cloned().collect())
}

/// For so many patterns a nearest name is looked for; each is compared with every host.
const MAX_NEAREST: usize = 20;

type Hosts<'a> = BTreeSet<&'a HostName>;

/// The hosts and what tags they have.
pub(crate) struct Directory<'a> {
    hosts: Hosts<'a>,
    by_name: BTreeMap<&'a str, &'a HostName>,
    by_tag: BTreeMap<&'a str, Hosts<'a>>,
}

impl<'a> Directory<'a> {
    pub(crate) fn new(hosts: &'a BTreeMap<HostName, Member>) -> Self {
        let mut directory =
            Self { hosts: BTreeSet::new(), by_name: BTreeMap::new(), by_tag: BTreeMap::new() };
        for (name, member) in hosts {
            directory.hosts.insert(name);
            directory.by_name.insert(name.as_str(), name);
            for tag in &member.tags {
                directory.by_tag.entry(tag.as_str()).or_default().insert(name);
            }
        }
        directory
    }

    /// The hosts that a selector means, maybe none.
    pub(crate) fn select(&self, selector: &Selector) -> Result<Hosts<'a>, SelectError> {
        let mut unmatched = Vec::new();
        let found = self.evaluate(&selector.0, &mut unmatched);
        unmatched.sort();
        unmatched.dedup();
        if unmatched.is_empty() { Ok(found) } else { Err(SelectError::Unmatched(unmatched)) }
    }

    fn evaluate(&self, expression: &Expression, unmatched: &mut Vec<Unmatched>) -> Hosts<'a> {
        match expression {
            Expression::Pattern(pattern) => {
                let found = self.matching(pattern);
                if found.is_empty() {
                    let is_told = unmatched.len() < MAX_NEAREST;
                    let nearest = is_told.then(|| self.nearest(pattern)).flatten();
                    unmatched.push(Unmatched { pattern: pattern.to_string(), nearest });
                }
                found
            }
            Expression::Not(inner) => {
                let without = self.evaluate(inner, unmatched);
                self.hosts.difference(&without).copied().collect()
            }
            Expression::And(all) => {
                let mut sets =
                    all.iter().map(|one| self.evaluate(one, unmatched)).collect::<Vec<_>>().into_iter();
                let first = sets.next().unwrap_or_default();
                sets.fold(first, |found, next| found.intersection(&next).copied().collect())
            }
            Expression::Or(all) => {
                let mut found = Hosts::new();
                for one in all {
                    found.extend(self.evaluate(one, unmatched));
                }
                found
            }
        }
    }

    fn matching(&self, pattern: &Pattern) -> Hosts<'a> {
        match (&pattern.glob, pattern.is_tag) {
            (None, true) => self.by_tag.get(&*pattern.text).cloned().unwrap_or_default(),
            (None, false) => self.by_name.get(&*pattern.text).copied().into_iter().collect(),
            (Some(_), true) => {
                let tags = self.by_tag.iter().filter(|(tag, _)| pattern.matches(tag));
                tags.flat_map(|(_, hosts)| hosts.iter().copied()).collect()
            }
            (Some(_), false) => {
                self.hosts.iter().filter(|name| pattern.matches(name.as_str())).copied().collect()
            }
        }
    }

    /// The host or tag that was meant; a name that is a tag is the nearest of all.
    fn nearest(&self, pattern: &Pattern) -> Option<String> {
        let text = &*pattern.text;
        let tags = || self.by_tag.keys().copied();
        if pattern.is_tag {
            let host = self.by_name.get(text).map(ToString::to_string);
            return host.or_else(|| nearest(text, tags()).map(|tag| format!("@{tag}")));
        }
        if self.by_tag.contains_key(text) {
            return Some(format!("@{text}"));
        }
        nearest(text, self.by_name.keys().copied()).map(str::to_owned)
    }
}
