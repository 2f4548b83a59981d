//! The repository as a value: everything the rules look at, read and parsed once.

use std::collections::{BTreeMap, BTreeSet};

use super::architecture::{Architecture, Kind};
use super::manifest::Manifest;
use super::source::{self, RustFile};
use super::violation::Violation;

/// One thing found below the root.
pub(crate) struct Entry {
    /// Below the root, with `/` between its parts.
    pub(crate) path: String,
    pub(crate) content: Content,
}

/// What there is to know about an entry.
pub(crate) enum Content {
    /// A text file.
    Text(String),
    /// A folder, a link, or a file that is not text.
    Opaque,
}

/// A folder under `crates/` with a manifest.
pub(crate) struct Crate {
    /// The folder's name, which is the crate's name.
    pub(crate) name: String,
    pub(crate) manifest_path: String,
    pub(crate) manifest: Manifest,
}

/// Everything the rules look at.
pub(crate) struct Repo {
    /// Where the repository lies on this machine, if it lies anywhere.
    pub(crate) root: Option<String>,
    /// Every file and folder.
    pub(crate) paths: BTreeSet<String>,
    /// Every text file by its path.
    pub(crate) texts: BTreeMap<String, String>,
    pub(crate) workspace: Manifest,
    pub(crate) architecture: Architecture,
    pub(crate) crates: Vec<Crate>,
    pub(crate) rust: Vec<RustFile>,
    unreadable: Vec<Violation>,
}

impl Repo {
    /// Parses what was read. What does not parse is kept for [`check_readable`].
    pub(crate) fn new(entries: Vec<Entry>) -> Self {
        let paths = entries.iter().map(|entry| entry.path.clone()).collect();
        let texts = entries.into_iter().filter_map(text_of).collect();
        let mut unreadable = Vec::new();
        let workspace = manifest(&texts, "Cargo.toml", &mut unreadable);
        let crates =
            crate_names(&texts).into_iter().map(|name| folder(name, &texts, &mut unreadable)).collect();
        let architecture = Architecture::parse(texts.get(Architecture::PATH).map_or("", String::as_str));
        let rust = source::parse_all(&texts, &mut unreadable);
        Self { root: None, paths, texts, workspace, architecture, crates, rust, unreadable }
    }

    /// Says where on this machine the repository lies, so that no file of it names that place.
    pub(crate) fn rooted_at(self, root: String) -> Self {
        Self { root: Some(root), ..self }
    }

    /// The kind of the crate in the architecture table.
    pub(crate) fn kind(&self, name: &str) -> Option<Kind> {
        self.architecture.row(name).map(|row| row.kind)
    }

    /// The kind of the crate that a file belongs to; none for files outside of crates.
    pub(crate) fn kind_of(&self, file: &RustFile) -> Option<Kind> {
        file.krate.as_deref().and_then(|name| self.kind(name))
    }

    /// The crates of one kind, by name.
    pub(crate) fn crates_of(&self, kind: Kind) -> impl Iterator<Item = &Crate> {
        self.crates.iter().filter(move |krate| self.kind(&krate.name) == Some(kind))
    }

    /// The crates of ours that a crate builds with: normal and build dependencies, not those of its tests.
    pub(crate) fn builds_with<'repo>(&'repo self, krate: &'repo Crate) -> Vec<&'repo str> {
        let used = krate.manifest.builds_with(&self.workspace);
        used.into_iter().filter(|name| self.crates.iter().any(|krate| krate.name == *name)).collect()
    }
}

/// Every file parses.
pub(crate) fn check_readable(repo: &Repo) -> Vec<Violation> {
    repo.unreadable.clone()
}

fn text_of(entry: Entry) -> Option<(String, String)> {
    match entry.content {
        Content::Text(text) => Some((entry.path, text)),
        Content::Opaque => None,
    }
}

/// The folders under `crates/` that hold anything.
fn crate_names(texts: &BTreeMap<String, String>) -> BTreeSet<&str> {
    texts
        .keys()
        .filter_map(|path| path.strip_prefix("crates/")?.split_once('/'))
        .map(|(name, _)| name)
        .collect()
}

fn folder(name: &str, texts: &BTreeMap<String, String>, unreadable: &mut Vec<Violation>) -> Crate {
    let manifest_path = format!("crates/{name}/Cargo.toml");
    let manifest = manifest(texts, &manifest_path, unreadable);
    Crate { name: name.to_owned(), manifest_path, manifest }
}

fn manifest(texts: &BTreeMap<String, String>, path: &str, unreadable: &mut Vec<Violation>) -> Manifest {
    let Some(text) = texts.get(path) else {
        unreadable.push(Violation::new(path, 1, "there is no such file", "write it, or remove its folder"));
        return Manifest::default();
    };
    Manifest::parse(text).unwrap_or_else(|error| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        unreadable.push(Violation::new(path, line, error.message(), "write a manifest that Cargo reads"));
        Manifest::default()
    })
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Case, check_cases};

    #[test]
    fn what_does_not_parse_is_a_violation() {
        check_cases(
            super::check_readable,
            &[
                Case { name: "all parses", files: &[], expected: &[] },
                Case {
                    name: "broken Rust",
                    files: &[("crates/store/src/lib.rs", "//! Words.\n\nfn (")],
                    expected: &["crates/store/src/lib.rs:3:"],
                },
                Case {
                    name: "broken manifest",
                    files: &[("crates/store/Cargo.toml", "[package]\nname = ")],
                    expected: &["crates/store/Cargo.toml:2:"],
                },
                Case {
                    name: "folder without a manifest",
                    files: &[("crates/ghost/src/lib.rs", "//! A ghost.\n")],
                    expected: &["crates/ghost/Cargo.toml:1:"],
                },
            ],
        );
    }
}
