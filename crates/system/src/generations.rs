//! The numbered generations of a profile, from the links beside it (`Profiles` in the Nix manual).

use std::collections::BTreeMap;

/// One generation of a profile.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Generation {
    /// Its number, 42 of `system-42-link`.
    pub number: u64,
    /// What its link names, nearly always a store path.
    pub target: String,
}

/// The generations of one profile, lowest number first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Generations {
    /// All that have a link.
    pub all: Vec<Generation>,
    /// The number that the profile itself names, even if that link is gone.
    pub current: Option<u64>,
}

impl Generations {
    /// Reads the links of a profile's folder, names and targets, for `profile` (`system`).
    ///
    /// Links of other profiles, and numbers that Nix would not write (`system-007-link`), are left out.
    #[must_use]
    pub fn from_links<'a>(profile: &str, links: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut found = BTreeMap::new();
        let mut current = None;
        for (name, target) in links {
            if let Some(number) = number_of(profile, name) {
                found.insert(number, target.to_owned());
            } else if name == profile {
                let name = target.rsplit('/').next().unwrap_or(target);
                current = number_of(profile, name);
            }
        }
        let all = found.into_iter().map(|(number, target)| Generation { number, target }).collect();
        Self { all, current }
    }

    /// The generation with this number.
    #[must_use]
    pub fn get(&self, number: u64) -> Option<&Generation> {
        self.all.iter().find(|generation| generation.number == number)
    }

    /// The generation that the profile names, if its link is there.
    #[must_use]
    pub fn current(&self) -> Option<&Generation> {
        self.current.and_then(|number| self.get(number))
    }
}

/// 42 of `system-42-link` for the profile `system`.
fn number_of(profile: &str, name: &str) -> Option<u64> {
    let digits = name.strip_prefix(profile)?.strip_prefix('-')?.strip_suffix("-link")?;
    let number: u64 = digits.parse().ok()?;
    (number.to_string() == digits).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_become_generations_in_order() {
        let links = [
            ("system", "/nix/var/nix/profiles/system-10-link"),
            ("system-10-link", "/nix/store/ten"),
            ("system-9-link", "/nix/store/nine"),
            ("system-11-link", "/nix/store/nine"),
            ("system-007-link", "/nix/store/no"),
            ("system-+7-link", "/nix/store/no"),
            ("system--link", "/nix/store/no"),
            ("system-99999999999999999999-link", "/nix/store/no"),
            ("system-profiles", "/nix/store/no"),
            ("default-3-link", "/nix/store/no"),
        ];
        let generations = Generations::from_links("system", links);
        let numbers: Vec<u64> = generations.all.iter().map(|generation| generation.number).collect();
        assert_eq!(numbers, [9, 10, 11]);
        assert_eq!(
            generations.current().map(|generation| generation.target.as_str()),
            Some("/nix/store/ten")
        );
        let reversed = Generations::from_links("system", links.into_iter().rev());
        assert_eq!(generations, reversed);
    }

    #[test]
    fn a_profile_may_name_a_generation_that_is_gone() {
        let generations =
            Generations::from_links("system", [("system", "system-4-link"), ("system-3-link", "/x")]);
        assert_eq!((generations.current, generations.current()), (Some(4), None));
        assert_eq!(Generations::from_links("system", [("system", "/nix/store/x")]).current, None);
    }
}
