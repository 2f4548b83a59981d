//! What tidy reads from a `Cargo.toml`.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use toml::Value;

/// Dependencies as they are written: name to version or table.
type Dependencies = BTreeMap<String, Value>;

/// A package's or the workspace's manifest; what is not there is empty.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub(crate) struct Manifest {
    pub(crate) package: Package,
    pub(crate) workspace: Workspace,
    pub(crate) lints: Lints,
    dependencies: Dependencies,
    build_dependencies: Dependencies,
    dev_dependencies: Dependencies,
    target: BTreeMap<String, Platform>,
}

/// `[package]`.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Package {
    pub(crate) name: String,
}

/// `[workspace]`.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Workspace {
    pub(crate) members: Vec<String>,
    dependencies: Dependencies,
}

/// `[lints]`.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Lints {
    pub(crate) workspace: bool,
}

/// `[target.'cfg(...)']`.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
struct Platform {
    dependencies: Dependencies,
    build_dependencies: Dependencies,
    dev_dependencies: Dependencies,
}

impl Manifest {
    /// Reads a manifest's text.
    pub(crate) fn parse(text: &str) -> Result<Self, toml::de::Error> {
        toml::from_str(text)
    }

    /// The packages this one is built with on any platform, under their own names even where they are renamed.
    pub(crate) fn builds_with<'a>(&'a self, workspace: &'a Self) -> BTreeSet<&'a str> {
        let platforms = self.target.values().flat_map(|one| [&one.dependencies, &one.build_dependencies]);
        let tables = [&self.dependencies, &self.build_dependencies].into_iter().chain(platforms);
        packages(tables, workspace)
    }

    /// The packages that only its tests, examples and benches are built with.
    pub(crate) fn tests_with<'a>(&'a self, workspace: &'a Self) -> BTreeSet<&'a str> {
        let platforms = self.target.values().map(|one| &one.dev_dependencies);
        packages([&self.dev_dependencies].into_iter().chain(platforms), workspace)
    }
}

fn packages<'a>(
    tables: impl Iterator<Item = &'a Dependencies>,
    workspace: &'a Manifest,
) -> BTreeSet<&'a str> {
    let inherited = &workspace.workspace.dependencies;
    tables.flatten().map(|(key, value)| package(key, value, inherited)).collect()
}

/// The package behind a dependency's key: `key = { package = "name" }`, here or in the workspace's table.
fn package<'a>(key: &'a str, value: &'a Value, inherited: &'a Dependencies) -> &'a str {
    let renamed = |value: &'a Value| value.get("package").and_then(Value::as_str);
    renamed(value).or_else(|| renamed(inherited.get(key)?)).unwrap_or(key)
}

/// The line of a manifest, from one, that begins with this word; the first line if none does.
pub(crate) fn line_of(text: Option<&String>, word: &str) -> usize {
    let begins =
        |line: &str| line.trim_start().trim_start_matches('"').strip_prefix(word).is_some_and(ends_word);
    text.and_then(|text| text.lines().position(begins)).map_or(1, |index| index + 1)
}

fn ends_word(rest: &str) -> bool {
    !rest.starts_with(|next: char| next.is_alphanumeric() || next == '_' || next == '-')
}

#[cfg(test)]
mod tests {
    use super::{Manifest, line_of};

    #[test]
    fn dependencies_are_found_wherever_they_stand() {
        let workspace = Manifest::parse(
            "[workspace.dependencies]\nstore = { path = 's' }\nalias = { package = 'lab', path = 'l' }\n",
        )
        .unwrap();
        for (text, built, tested) in [
            ("[dependencies]\nstore.workspace = true", &["store"][..], &[][..]),
            ("[dependencies]\nalias.workspace = true", &["lab"], &[]),
            ("[dependencies]\nother = { package = 'run', version = '1' }", &["run"], &[]),
            ("[build-dependencies]\nstore = '1'", &["store"], &[]),
            ("[target.'cfg(unix)'.dependencies]\nstore = '1'", &["store"], &[]),
            ("[target.'cfg(unix)'.build-dependencies]\nstore = '1'", &["store"], &[]),
            ("[dev-dependencies]\nstore = '1'", &[], &["store"]),
            ("[target.'cfg(unix)'.dev-dependencies]\nalias.workspace = true", &[], &["lab"]),
        ] {
            let manifest = Manifest::parse(text).unwrap();
            assert!(manifest.builds_with(&workspace).into_iter().eq(built.iter().copied()), "{text}");
            assert!(manifest.tests_with(&workspace).into_iter().eq(tested.iter().copied()), "{text}");
        }
    }

    #[test]
    fn a_line_is_found_by_its_first_word() {
        let text = "[dependencies]\nstore-path = '1'\nstore_x = '1'\nstorex = '1'\nstore.workspace = true\n\"crates/run\",\n".to_owned();
        for (word, line) in [("store", 5), ("store-path", 2), ("crates/run", 6), ("absent", 1)] {
            assert_eq!(line_of(Some(&text), word), line, "{word}");
        }
    }
}
