//! A small repository that breaks no rule, and the one way in which the rules are tested on changes to it.

use super::Rule;
use super::repo::{Content, Entry, Repo};

/// A change to the small repository and where a rule must then complain.
pub(crate) struct Case<'a> {
    pub(crate) name: &'a str,
    /// Files to add or to replace; `""` removes one.
    pub(crate) files: &'a [(&'a str, &'a str)],
    /// How each violation begins, in order.
    pub(crate) expected: &'a [&'a str],
}

/// Asks the rule about every case.
pub(crate) fn check_cases(rule: Rule, cases: &[Case<'_>]) {
    for case in cases {
        let found: Vec<String> = rule(&repo(case.files)).iter().map(ToString::to_string).collect();
        let matches = found.len() == case.expected.len()
            && found.iter().zip(case.expected).all(|(one, start)| one.starts_with(start));
        assert!(matches, "{}: expected {:#?}, found {found:#?}", case.name, case.expected);
    }
}

/// The small repository with these files changed.
pub(crate) fn repo(changes: &[(&str, &str)]) -> Repo {
    let mut files: Vec<(&str, &str)> = FILES.to_vec();
    files.retain(|(path, _)| changes.iter().all(|(changed, _)| changed != path));
    files.extend(changes.iter().filter(|(_, text)| !text.is_empty()));
    let mut entries: Vec<Entry> = files.iter().flat_map(|(path, _)| folders(path)).collect();
    let text = |text: &str| Content::Text(text.to_owned());
    entries.extend(
        files.iter().map(|(path, content)| Entry { path: (*path).to_owned(), content: text(content) }),
    );
    Repo::new(entries)
}

/// The folders above a file.
fn folders(path: &str) -> Vec<Entry> {
    let ends = path.match_indices('/').map(|(end, _)| end);
    ends.map(|end| Entry { path: path[..end].to_owned(), content: Content::Opaque }).collect()
}

const FILES: &[(&str, &str)] = &[
    (
        "Cargo.toml",
        "[workspace]
members = [
    \"crates/store\",
    \"crates/order\",
    \"crates/run\",
    \"crates/cli\",
    \"crates/lab\",
]
",
    ),
    (
        "docs/architecture.md",
        "# Architecture

| crate | kind | one line | knows (ours) |
|---|---|---|---|
| *words* | | | |
| `store` | pure | Nix's words | - |
| `order` | pure | what is asked | `store` |
| `run` | effects | child processes | - |
| `cli` | binary | the program | `order`, `run` |
| `lab` | development | hosts | `run` |

Crates that may use `unsafe`: `lab`.
",
    ),
    ("crates/store/Cargo.toml", "[package]\nname = \"store\"\n[lints]\nworkspace = true\n"),
    ("crates/store/clippy.toml", "# doors\n"),
    ("crates/store/src/lib.rs", "//! Words.\n"),
    (
        "crates/order/Cargo.toml",
        "[package]\nname = \"order\"\n[dependencies]\nstore = \"1\"\n[lints]\nworkspace = true\n",
    ),
    ("crates/order/clippy.toml", "# doors\n"),
    ("crates/order/src/lib.rs", "//! Orders.\n"),
    ("crates/run/Cargo.toml", "[package]\nname = \"run\"\n[lints]\nworkspace = true\n"),
    ("crates/run/src/lib.rs", "//! Processes.\n"),
    (
        "crates/cli/Cargo.toml",
        "[package]\nname = \"cli\"\n[dependencies]\norder = \"1\"\n[lints]\nworkspace = true\n",
    ),
    ("crates/cli/src/main.rs", "//! Program.\nfn main() {}\n"),
    (
        "crates/lab/Cargo.toml",
        "[package]\nname = \"lab\"\n[dependencies]\nrun = \"1\"\n[lints]\nworkspace = true\n",
    ),
    ("crates/lab/src/lib.rs", "//! Hosts.\n"),
];

#[test]
fn the_small_repository_breaks_no_rule() {
    let sound = repo(&[]);
    for rule in super::RULES {
        assert_eq!(rule(&sound), []);
    }
}
