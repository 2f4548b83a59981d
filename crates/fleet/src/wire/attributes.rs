//! Attributes with their paths: what each value must be, and an error where it is not.

use std::{str::FromStr, time::Duration};

use order::parse_duration;
use serde_json::{Map, Value};

use super::nix;
use crate::error::{DurationProblem, NameProblem};
use crate::member::Word;
use crate::nearest::nearest;
use crate::table::{Kind, Place, Setting, find};
use crate::{AttrPath, Origin, Problem, SettingError};

/// What was found to be wrong so far.
pub(super) type Errors = Vec<SettingError>;

/// Most elements of a list.
const MAX_ITEMS: usize = 1000;

/// A value, where it stands, and what it must be.
pub(super) struct Attribute<'a> {
    pub(super) path: AttrPath,
    pub(super) value: &'a Value,
    pub(super) kind: Kind,
}

/// What was said of a setting. A wrong value counts as nothing, beside its error.
#[derive(Debug, Clone, Default)]
pub(super) enum Said<T> {
    #[default]
    Nothing,
    /// `null`: the built-in default, whatever others say.
    Null,
    Value(T),
}

impl<T> Said<T> {
    pub(super) fn value(self) -> Option<T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Nothing | Self::Null => None,
        }
    }
}

impl<T: Clone> Said<T> {
    /// What holds where `self` goes before `defaults`.
    pub(super) fn over(&self, defaults: &Self) -> (Option<T>, Origin) {
        match (self, defaults) {
            (Self::Value(value), _) => (Some(value.clone()), Origin::Host),
            (Self::Null, _) => (None, Origin::Host),
            (Self::Nothing, Self::Value(value)) => (Some(value.clone()), Origin::Defaults),
            (Self::Nothing, _) => (None, Origin::Default),
        }
    }
}

impl<T: Clone> Said<Vec<T>> {
    /// The lists joined, `self` first.
    pub(super) fn join(&self, defaults: &Self) -> (Vec<T>, Origin) {
        match (self, defaults) {
            (Self::Value(own), Self::Value(shared)) => ([own.clone(), shared.clone()].concat(), Origin::Both),
            _ => {
                let (list, origin) = self.over(defaults);
                (list.unwrap_or_default(), origin)
            }
        }
    }
}

/// An attribute set whose names are those of a table.
pub(super) struct Group<'a> {
    path: AttrPath,
    values: &'a Map<String, Value>,
    table: &'static [Setting],
}

impl<'a> Group<'a> {
    /// The attribute as a group; unknown names in it are errors.
    pub(super) fn open(attribute: &Attribute<'a>, errors: &mut Errors) -> Option<Self> {
        let (Kind::Group(table) | Kind::Named(_, table)) = attribute.kind else { return None };
        Self::of_table(attribute, table, errors)
    }

    pub(super) fn of_table(
        attribute: &Attribute<'a>,
        table: &'static [Setting],
        errors: &mut Errors,
    ) -> Option<Self> {
        let Value::Object(values) = attribute.value else {
            return Attribute { kind: Kind::Group(table), path: attribute.path.clone(), ..*attribute }
                .wrong_type(errors);
        };
        for name in values.keys().filter(|name| find(table, name).is_none()) {
            errors.push(unknown(&attribute.path, name, table));
        }
        Some(Self { path: attribute.path.clone(), values, table })
    }

    /// Reads the setting of this name, which is in the table.
    pub(super) fn read<T>(
        &self,
        name: &str,
        errors: &mut Errors,
        read: impl FnOnce(&Attribute<'a>, &mut Errors) -> Option<T>,
    ) -> Said<T> {
        let (Some(setting), Some(value)) = (find(self.table, name), self.values.get(name)) else {
            return Said::Nothing;
        };
        if value.is_null() {
            return Said::Null;
        }
        let attribute = Attribute { path: self.path.attribute(name), value, kind: setting.kind };
        read(&attribute, errors).map_or(Said::Nothing, Said::Value)
    }

    /// Whether anything but `null` is said of this setting.
    pub(super) fn has(&self, name: &str) -> bool {
        self.values.get(name).is_some_and(|value| !value.is_null())
    }

    /// Complains about settings that are only for single hosts.
    pub(super) fn refuse_host_only(&self, errors: &mut Errors) {
        let host_only = self.table.iter().filter(|setting| setting.place == Place::HostOnly);
        for setting in host_only.filter(|setting| self.values.contains_key(setting.name)) {
            errors.push(SettingError { path: self.path.attribute(setting.name), problem: Problem::HostOnly });
        }
    }
}

/// The error about a name that is not in the table.
fn unknown(path: &AttrPath, name: &str, table: &'static [Setting]) -> SettingError {
    let valid: Vec<&'static str> = table.iter().map(|setting| setting.name).collect();
    let peer = table.iter().find(|setting| setting.peers.contains(&name)).map(|setting| setting.name);
    let nearest = peer.or_else(|| nearest(name, valid.iter().copied())).map(str::to_owned);
    SettingError { path: path.attribute(name), problem: Problem::Unknown { nearest, valid } }
}

impl<'a> Attribute<'a> {
    pub(super) fn complain<T>(&self, problem: Problem, errors: &mut Errors) -> Option<T> {
        errors.push(SettingError { path: self.path.clone(), problem });
        None
    }

    pub(super) fn wrong_type<T>(&self, errors: &mut Errors) -> Option<T> {
        let problem = Problem::Type { expected: self.kind.expected(), found: nix::shorten(self.value) };
        self.complain(problem, errors)
    }

    pub(super) fn bool(&self, errors: &mut Errors) -> Option<bool> {
        self.value.as_bool().or_else(|| self.wrong_type(errors))
    }

    /// A number within the bounds of its kind.
    pub(super) fn number(&self, errors: &mut Errors) -> Option<u32> {
        let Kind::Number(from, to) = self.kind else { return None };
        let number = self.value.as_u64().and_then(|number| u32::try_from(number).ok());
        number.filter(|number| (from..=to).contains(number)).or_else(|| self.wrong_type(errors))
    }

    pub(super) fn text(&self, errors: &mut Errors) -> Option<&'a str> {
        self.value.as_str().or_else(|| self.wrong_type(errors))
    }

    pub(super) fn parsed<T>(&self, errors: &mut Errors) -> Option<T>
    where
        T: FromStr,
        Problem: From<T::Err>,
    {
        match self.text(errors)?.parse() {
            Ok(value) => Some(value),
            Err(error) => self.complain(error.into(), errors),
        }
    }

    pub(super) fn duration(&self, errors: &mut Errors) -> Option<Duration> {
        match parse_duration(self.text(errors)?) {
            Ok(duration) => Some(duration),
            Err(error) => self.complain(Problem::Duration(DurationProblem(error)), errors),
        }
    }

    /// A duration that is longer than nothing.
    pub(super) fn some_time(&self, errors: &mut Errors) -> Option<Duration> {
        let duration = self.duration(errors)?;
        if duration.is_zero() {
            return self.complain(Problem::Impossible("must be longer than zero".to_owned()), errors);
        }
        Some(duration)
    }

    pub(super) fn word<T: Word>(&self, errors: &mut Errors) -> Option<T> {
        let text = self.text(errors)?;
        let found = T::WORDS.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
        found.or_else(|| self.wrong_type(errors))
    }

    /// The elements of a list, each with its path; texts if the kind says so.
    pub(super) fn elements(&self, errors: &mut Errors) -> Option<Vec<Attribute<'a>>> {
        let Value::Array(list) = self.value else { return self.wrong_type(errors) };
        if list.len() > MAX_ITEMS {
            let problem = Problem::TooMany { found: list.len(), items: "elements", max: MAX_ITEMS };
            return self.complain(problem, errors);
        }
        let kind = match self.kind {
            Kind::Texts(what, pattern) => Kind::Text(what, pattern),
            Kind::Command | Kind::CommandOrUrl => Kind::Text("text", ""),
            Kind::Addresses => Kind::Text("address, a text or an attribute set", ""),
            other => other,
        };
        let element = |(index, value)| Attribute { path: self.path.element(index), value, kind };
        Some(list.iter().enumerate().map(element).collect())
    }

    /// A list of texts that parse; wrong ones are left out, beside their errors.
    pub(super) fn parsed_list<T>(&self, errors: &mut Errors) -> Option<Vec<T>>
    where
        T: FromStr,
        Problem: From<T::Err>,
    {
        let elements = self.elements(errors)?;
        Some(elements.iter().filter_map(|element| element.parsed(errors)).collect())
    }

    /// A program and its arguments.
    pub(super) fn argv(&self, errors: &mut Errors) -> Option<Vec<String>> {
        let elements = self.elements(errors)?;
        let words: Vec<_> = elements.iter().filter_map(|element| element.text(errors)).collect();
        if words.len() < elements.len() {
            return None;
        }
        if words.first().is_none_or(|program| program.is_empty()) {
            return self.complain(Problem::Impossible("the program is missing".to_owned()), errors);
        }
        if words.iter().any(|word| word.contains('\0')) {
            return self.complain(Problem::Impossible("an argument holds a zero byte".to_owned()), errors);
        }
        Some(words.into_iter().map(str::to_owned).collect())
    }

    /// The attributes of a set of named groups.
    pub(super) fn named(&self, errors: &mut Errors) -> Option<Vec<(&'a str, Attribute<'a>)>> {
        let (Kind::Named(_, table), Value::Object(values)) = (self.kind, self.value) else {
            return self.wrong_type(errors);
        };
        let kind = Kind::Group(table);
        let attribute = |(name, value): (&'a String, _)| {
            (name.as_str(), Attribute { path: self.path.attribute(name), value, kind })
        };
        Some(values.iter().map(attribute).collect())
    }
}

impl From<order::NameError> for Problem {
    fn from(error: order::NameError) -> Self {
        Self::Name(NameProblem(error))
    }
}
