//! What is wrong in a description: which attribute, what was found there, what was expected.

use std::{error, fmt};

use order::{DurationError, HostName, NameError};
use thiserror::Error;

use crate::{AddressError, AttrPath, SelectError, SelectorError, SshOptionError, TagError};

/// Everything that is wrong in a description; never empty, in the order of the paths, nothing twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingErrors(Vec<SettingError>);

impl SettingErrors {
    /// `Err` if there is any error.
    pub(crate) fn check(mut errors: Vec<SettingError>) -> Result<(), Self> {
        errors.sort();
        errors.dedup();
        if errors.is_empty() { Ok(()) } else { Err(Self(errors)) }
    }

    pub(crate) fn one(error: SettingError) -> Self {
        Self(vec![error])
    }

    /// Each error.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &SettingError> {
        self.0.iter()
    }
}

impl fmt::Display for SettingErrors {
    /// One error on each line.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            write!(out, "{}{error}", if index == 0 { "" } else { "\n" })?;
        }
        Ok(())
    }
}

impl error::Error for SettingErrors {}

/// One thing that is wrong in a description.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Error)]
#[error("{path}: {problem}")]
pub struct SettingError {
    /// The attribute.
    pub path: AttrPath,
    /// What is wrong with it.
    pub problem: Problem,
}

/// What is wrong with an attribute.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Error)]
pub enum Problem {
    /// More bytes than are read.
    #[error("{0} bytes of JSON are more than any description has (at most {max})", max = crate::MAX_INDEX)]
    TooLong(usize),
    /// Not the JSON that the evaluation gives.
    #[error("the evaluation did not give the expected JSON (line {line}, column {column})")]
    Json {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
    /// More items than are taken.
    #[error("found {found} {items}, at most {max} are taken")]
    TooMany {
        /// How many there are.
        found: usize,
        /// What they are.
        items: &'static str,
        /// How many are taken.
        max: usize,
    },
    /// There is no such setting.
    #[error("there is no such setting{}", unknown(nearest.as_deref(), valid))]
    Unknown {
        /// The valid name that is most like it.
        nearest: Option<String>,
        /// All valid names here.
        valid: Vec<&'static str>,
    },
    /// The setting exists, but not here.
    #[error("this can only be set for one host, in lockstep.hosts.<name>")]
    HostOnly,
    /// A value of another type.
    #[error("expected {expected}, found {found}")]
    Type {
        /// What is expected.
        expected: String,
        /// The value that was found, as Nix writes it, shortened.
        found: String,
    },
    /// A value of the right type that cannot be.
    #[error("{0}")]
    Impossible(String),
    /// A host that is not in the fleet.
    #[error("there is no configuration of this name{}", meant(nearest.as_ref().map(HostName::as_str)))]
    NoConfiguration {
        /// The host whose name is most like it.
        nearest: Option<HostName>,
    },
    /// Where to build is a host that is not in the fleet.
    #[error("expected \"here\", \"target\" or a host of the fleet, found {found:?}{}", meant(nearest.as_deref()))]
    NoBuilder {
        /// What was found.
        found: String,
        /// The valid value that is most like it.
        nearest: Option<String>,
    },
    /// Two durations do not fit together.
    #[error("{found} is not {relation} {other}")]
    Durations {
        /// The duration that was found.
        found: String,
        /// How it must relate to the other.
        relation: &'static str,
        /// The other setting and its value.
        other: String,
    },
    /// An address that another host has too.
    #[error("{address} is the address of {other} too; a machine can be only one host")]
    DuplicateAddress {
        /// The address.
        address: String,
        /// The host that has it too.
        other: HostName,
    },
    /// Hosts that are each the way to the other.
    #[error("this host would be the way to itself: {}", chain(.0))]
    GatewayCycle(Vec<HostName>),
    /// A text that is no duration.
    #[error(transparent)]
    Duration(#[from] DurationProblem),
    /// A text that is no address.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// A text that is no option for ssh.
    #[error(transparent)]
    SshOption(#[from] SshOptionError),
    /// A text that is no tag.
    #[error(transparent)]
    Tag(#[from] TagError),
    /// A text that is no name.
    #[error(transparent)]
    Name(#[from] NameProblem),
    /// A text that is no selector.
    #[error(transparent)]
    Selector(#[from] SelectorError),
    /// A selector that does not fit the fleet.
    #[error(transparent)]
    Select(#[from] SelectError),
}

/// A [`DurationError`] that can be sorted.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(transparent)]
pub struct DurationProblem(#[from] pub DurationError);

/// A [`NameError`] that can be sorted.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(transparent)]
pub struct NameProblem(#[from] pub NameError);

macro_rules! sorted_by_text {
    ($name:ident) => {
        impl PartialOrd for $name {
            fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
                Some(self.cmp(other))
            }
        }

        impl Ord for $name {
            fn cmp(&self, other: &Self) -> std::cmp::Ordering {
                self.to_string().cmp(&other.to_string())
            }
        }
    };
}
sorted_by_text!(DurationProblem);
sorted_by_text!(NameProblem);

/// The end of a message about an unknown name.
pub(crate) fn meant(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |nearest| format!("; did you mean {nearest}?"))
}

fn unknown(nearest: Option<&str>, valid: &[&str]) -> String {
    match nearest {
        Some(_) => meant(nearest),
        None => format!("; there are {}", valid.join(", ")),
    }
}

fn chain(hosts: &[HostName]) -> String {
    hosts.iter().map(HostName::as_str).collect::<Vec<_>>().join(" -> ")
}
