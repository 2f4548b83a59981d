//! What could be seen of a network, and what could not: a fact that is missing is never taken for one that is gone.

mod wire;

use core::net::SocketAddr;
use std::collections::BTreeMap;

use thiserror::Error;

pub use wire::{MAX_STORED, SightError};

use super::{NetworkChange, NetworkError, NetworkFacts, NetworkTexts};
use crate::text::{excerpt, listed};

/// A part of a network's facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// Interfaces and their addresses.
    Addresses,
    /// The routes.
    Routes,
    /// The rules of policy routing.
    Rules,
    /// The kernel's settings.
    Settings,
    /// Where ssh is listened for.
    Listeners,
}

impl Part {
    /// Every part.
    pub const ALL: [Self; 5] = [Self::Addresses, Self::Routes, Self::Rules, Self::Settings, Self::Listeners];

    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Addresses => "addresses",
            Self::Routes => "routes",
            Self::Rules => "rules",
            Self::Settings => "settings",
            Self::Listeners => "listeners",
        }
    }
}

/// The network of a host at one moment, as far as it could be read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NetworkSight {
    facts: NetworkFacts,
    /// The parts that are not known, and why.
    gaps: BTreeMap<Part, String>,
}

/// Why something could not be read, for people.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct Unread(pub String);

/// What `ip` answered to a question: its output, or why there is none.
pub type Answer = Result<Vec<u8>, Unread>;

/// What the programs printed, or why they did not.
#[derive(Debug, Clone)]
pub struct NetworkAnswers {
    /// `ip -json addr`.
    pub addresses: Answer,
    /// `ip -json -4 route show table all` and the same with `-6`.
    pub routes: [Answer; 2],
    /// `ip -json -4 rule` and the same with `-6`.
    pub rules: [Answer; 2],
    /// Paths below `/proc/sys` and values.
    pub settings: Vec<(String, String)>,
    /// All addresses that are listened on.
    pub listeners: Result<Vec<SocketAddr>, Unread>,
}

impl NetworkSight {
    /// Puts together what was answered. Of the listeners those with one of the ports `ssh` are kept.
    #[must_use]
    pub fn new(answers: NetworkAnswers, ssh: &[u16]) -> Self {
        let NetworkAnswers { addresses, routes, rules, settings, listeners } = answers;
        let mut sight = Self::default();
        for (part, answers) in
            [(Part::Addresses, vec![addresses]), (Part::Routes, routes.into()), (Part::Rules, rules.into())]
        {
            match answers.into_iter().collect::<Result<Vec<_>, _>>() {
                Ok(answers) => sight.take(part, NetworkFacts::new(texts(part, &answers), [], [], ssh)),
                Err(Unread(why)) => sight.miss(part, why),
            }
        }
        let nothing = NetworkTexts::default();
        let pairs = settings.iter().map(|(path, value)| (path.as_str(), value.as_str()));
        sight.take(Part::Settings, NetworkFacts::new(nothing, pairs, [], ssh));
        match listeners {
            Ok(found) => sight.take(Part::Listeners, NetworkFacts::new(nothing, [], found, ssh)),
            Err(Unread(why)) => sight.miss(Part::Listeners, why),
        }
        sight
    }

    /// A network of which nothing is known.
    #[must_use]
    pub fn unknown(why: &str) -> Self {
        let gaps = Part::ALL.map(|part| (part, excerpt(why))).into_iter().collect();
        Self { facts: NetworkFacts::default(), gaps }
    }

    /// What is known.
    #[must_use]
    pub fn facts(&self) -> &NetworkFacts {
        &self.facts
    }

    /// What differs in `now`, of what is known in both.
    #[must_use]
    pub fn compare(&self, now: &Self) -> NetworkComparison {
        let (mut before, mut after) = (self.facts.clone(), now.facts.clone());
        let mut unknown = Vec::new();
        for part in Part::ALL {
            if let Some(why) = self.gaps.get(&part).or_else(|| now.gaps.get(&part)) {
                unknown.push((part, why.clone()));
                before.forget(part);
                after.forget(part);
            }
        }
        NetworkComparison { changes: before.changes_to(&after), unknown }
    }

    fn take(&mut self, part: Part, read: Result<NetworkFacts, NetworkError>) {
        match read {
            Ok(facts) => self.facts.absorb(facts),
            Err(error) => self.miss(part, error.to_string()),
        }
    }

    fn miss(&mut self, part: Part, why: impl AsRef<str>) {
        self.facts.forget(part);
        self.gaps.insert(part, excerpt(why.as_ref()));
    }
}

/// What differs between two moments.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NetworkComparison {
    /// What differs, of what is known.
    pub changes: Vec<NetworkChange>,
    /// The parts that could not be compared, and why.
    pub unknown: Vec<(Part, String)>,
}

impl NetworkComparison {
    /// That parts could not be compared, as a sentence without a full stop, if so.
    #[must_use]
    pub fn doubts(&self) -> Option<String> {
        let (_, why) = self.unknown.first()?;
        let parts = listed(self.unknown.iter().map(|(part, _)| part.word()));
        Some(format!("the network's {parts} could not be compared: {why}"))
    }
}

fn texts(part: Part, answers: &[Vec<u8>]) -> NetworkTexts<'_> {
    let text = |index: usize| answers.get(index).map(Vec::as_slice);
    let mut texts = NetworkTexts::default();
    match part {
        Part::Routes => (texts.routes4, texts.routes6) = (text(0), text(1)),
        Part::Rules => (texts.rules4, texts.rules6) = (text(0), text(1)),
        Part::Addresses => texts.addresses = text(0),
        Part::Settings | Part::Listeners => {}
    }
    texts
}

impl NetworkFacts {
    fn forget(&mut self, part: Part) {
        match part {
            Part::Addresses => {
                self.links.clear();
                self.addresses.clear();
            }
            Part::Routes => self.routes.clear(),
            Part::Rules => self.rules.clear(),
            Part::Settings => self.sysctls.clear(),
            Part::Listeners => self.listeners.clear(),
        }
    }

    fn absorb(&mut self, mut other: Self) {
        self.links.append(&mut other.links);
        self.addresses.append(&mut other.addresses);
        self.routes.append(&mut other.routes);
        self.rules.append(&mut other.rules);
        self.sysctls.append(&mut other.sysctls);
        self.listeners.append(&mut other.listeners);
    }
}

#[cfg(test)]
mod tests;
