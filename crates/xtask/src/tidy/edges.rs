//! Which crate of ours may know which.
//!
//! A crate is built only with crates that its row of the architecture table names, and rows name only crates above
//! them. What its tests use follows the same rule, but for development crates, whose tests may use the whole
//! product. Some crates must never meet, however many crates lie between them: those rules are written here.

use std::collections::{BTreeMap, BTreeSet};

use super::architecture::{Architecture, Row};
use super::manifest::line_of;
use super::repo::{Crate, Repo};
use super::violation::Violation;

/// A crate that must not reach others, even through a third.
struct Never {
    from: &'static str,
    to: &'static [&'static str],
    because: &'static str,
}

const NEVER: &[Never] = &[
    Never {
        from: "agent",
        to: &["fleet", "eval", "plan", "deploy", "cli"],
        because: "what runs on a host neither evaluates nor decides",
    },
    Never {
        from: "deploy",
        to: &["agent", "host"],
        because: "the operator's side touches a host only through a session",
    },
];

/// Two crates, and the only crates that both may name.
struct Meeting {
    one: &'static str,
    other: &'static str,
    only_in: &'static [&'static str],
}

const MEETINGS: &[Meeting] = &[Meeting {
    one: "deploy",
    other: "agent",
    only_in: &["session", "transfer", "order", "report", "store", "run", "daemon"],
}];

/// Crates by name, each with the crates of ours that it is built with.
type Graph<'a> = BTreeMap<&'a str, Vec<&'a str>>;

/// Every edge is in the table, the table reads downwards, and what must never meet does not.
pub(crate) fn check(repo: &Repo) -> Vec<Violation> {
    let graph: Graph<'_> =
        repo.crates.iter().map(|krate| (krate.name.as_str(), repo.builds_with(krate))).collect();
    let mut found = check_table(repo);
    for krate in &repo.crates {
        found.extend(unknown_edges(repo, krate));
        found.extend(product_reaching_development(repo, krate, &graph));
        found.extend(never(repo, krate, &graph));
    }
    found.extend(meetings(repo, &graph));
    found
}

/// Rows know only rows above them, so that the table reads in the order the data travels.
fn check_table(repo: &Repo) -> Vec<Violation> {
    let rows = &repo.architecture.rows;
    let line_of_row = |name: &String| repo.architecture.row(name).map(|row| row.line);
    let not_above = |row: &Row, known: &String| line_of_row(known).is_none_or(|line| line >= row.line);
    let mut found = Vec::new();
    for row in rows {
        for known in row.knows.iter().filter(|known| not_above(row, known)) {
            let wrong = format!("`{}` knows `{known}`, which has no row above it", row.name);
            found.push(Violation::new(Architecture::PATH, row.line, wrong, "move the row or drop the edge"));
        }
    }
    found
}

fn unknown_edges(repo: &Repo, krate: &Crate) -> Vec<Violation> {
    let Some(row) = repo.architecture.row(&krate.name) else { return Vec::new() };
    let mut used: BTreeSet<&str> = krate.manifest.builds_with(&repo.workspace);
    if row.kind.is_product() {
        used.extend(krate.manifest.tests_with(&repo.workspace));
    }
    let ours = used.into_iter().filter(|name| repo.crates.iter().any(|krate| krate.name == *name));
    let unknown = ours.filter(|name| !row.knows.iter().any(|known| known == name));
    let wrong = |name: &str| format!("`{}` may not know `{name}`", krate.name);
    unknown
        .map(|name| {
            complaint(repo, krate, name, wrong(name), "drop it, or argue for it in docs/architecture.md")
        })
        .collect()
}

fn product_reaching_development(repo: &Repo, krate: &Crate, graph: &Graph<'_>) -> Vec<Violation> {
    if !repo.kind(&krate.name).is_some_and(super::architecture::Kind::is_product) {
        return Vec::new();
    }
    let is_development = |name: &&str| repo.kind(name).is_some_and(|kind| !kind.is_product());
    let wrong = |name: &str| format!("`{}` is product and reaches `{name}`, which is not", krate.name);
    reached(graph, &krate.name)
        .into_iter()
        .filter(is_development)
        .map(|name| complaint(repo, krate, name, wrong(name), "cut the way to it"))
        .collect()
}

fn never(repo: &Repo, krate: &Crate, graph: &Graph<'_>) -> Vec<Violation> {
    let reached = reached(graph, &krate.name);
    let mut found = Vec::new();
    for rule in NEVER.iter().filter(|rule| rule.from == krate.name) {
        for name in rule.to.iter().filter(|name| reached.contains(**name)) {
            let wrong = format!("`{}` reaches `{name}`, and {}", krate.name, rule.because);
            found.push(complaint(repo, krate, name, wrong, "cut the way to it"));
        }
    }
    found
}

fn meetings(repo: &Repo, graph: &Graph<'_>) -> Vec<Violation> {
    let mut found = Vec::new();
    for meeting in MEETINGS {
        let Some(krate) = repo.crates.iter().find(|krate| krate.name == meeting.other) else { continue };
        let known = |name: &str| graph.get(name).cloned().unwrap_or_default();
        let both = known(meeting.one).into_iter().filter(|name| known(meeting.other).contains(name));
        for name in both.filter(|name| !meeting.only_in.contains(name)) {
            let wrong = format!("`{}` and `{}` meet in `{name}`", meeting.one, meeting.other);
            let remedy = format!("let them meet only in {}", meeting.only_in.join(", "));
            found.push(complaint(repo, krate, name, wrong, &remedy));
        }
    }
    found
}

/// A violation at the line of a manifest that names the dependency, or at its first line.
fn complaint(repo: &Repo, krate: &Crate, name: &str, wrong: String, remedy: &str) -> Violation {
    let line = line_of(repo.texts.get(&krate.manifest_path), name);
    Violation::new(&krate.manifest_path, line, wrong, remedy)
}

/// Every crate that `from` is built with, directly or through others.
fn reached<'a>(graph: &Graph<'a>, from: &str) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut waiting: Vec<&str> = graph.get(from).cloned().unwrap_or_default();
    while let Some(name) = waiting.pop() {
        if let Some((name, known)) = graph.get_key_value(name)
            && reached.insert(*name)
        {
            waiting.extend(known);
        }
    }
    reached
}

#[cfg(test)]
mod tests;
