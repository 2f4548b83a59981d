//! The members of the workspace, the folders under `crates/` and the architecture table say the same.

use super::architecture::Architecture;
use super::manifest::line_of;
use super::repo::{Crate, Repo};
use super::violation::Violation;

/// Members, folders and rows name the same crates; members and rows in the same order; names equal folders.
pub(crate) fn check(repo: &Repo) -> Vec<Violation> {
    let mut found = unclear_rows(repo);
    found.extend(repo.crates.iter().flat_map(|krate| check_crate(repo, krate)));
    found.extend(rows_without_folders(repo));
    found.extend(members_without_folders(repo));
    if found.is_empty() {
        found.extend(check_order(repo));
    }
    found
}

fn unclear_rows(repo: &Repo) -> Vec<Violation> {
    let violation = |line: &usize| {
        let remedy = "write `name`, a kind (pure, effects, binary, development), a line, and `names` or -";
        Violation::new(Architecture::PATH, *line, "this row says nothing clear", remedy)
    };
    repo.architecture.unclear.iter().map(violation).collect()
}

fn check_crate(repo: &Repo, krate: &Crate) -> Vec<Violation> {
    let (name, path) = (&krate.name, &krate.manifest_path);
    let mut found = Vec::new();
    if !repo.workspace.workspace.members.contains(&member(name)) {
        let wrong = format!("`{}` is not a member", member(name));
        found.push(Violation::new("Cargo.toml", 1, wrong, "list it in the order the data travels"));
    }
    if repo.architecture.row(name).is_none() {
        let wrong = format!("crate `{name}` has no row in the table");
        found.push(Violation::new(Architecture::PATH, 1, wrong, "say its kind and what it may know"));
    }
    if krate.manifest.package.name != *name {
        let wrong = format!("package `{}` lies in folder `{name}`", krate.manifest.package.name);
        found.push(Violation::new(path, 1, wrong, "give both the same name"));
    }
    if !krate.manifest.lints.workspace {
        let remedy = "write `[lints]` with `workspace = true`";
        found.push(Violation::new(path, 1, "the workspace's lints do not apply here", remedy));
    }
    found
}

fn rows_without_folders(repo: &Repo) -> Vec<Violation> {
    let missing = repo.architecture.rows.iter().filter(|row| !has_folder(repo, &row.name));
    let violation = |(name, line): (&String, usize)| {
        let wrong = format!("there is no crate `{name}`");
        Violation::new(Architecture::PATH, line, wrong, "a row is written when its crate is born")
    };
    missing.map(|row| violation((&row.name, row.line))).collect()
}

fn members_without_folders(repo: &Repo) -> Vec<Violation> {
    let text = repo.texts.get("Cargo.toml");
    let members = repo.workspace.workspace.members.iter();
    let missing =
        members.filter(|member| !repo.crates.iter().any(|krate| **member == self::member(&krate.name)));
    let violation = |member: &String| {
        let wrong = format!("there is no crate at `{member}`");
        Violation::new("Cargo.toml", line_of(text, member), wrong, "a member is a folder under crates/")
    };
    missing.map(violation).collect()
}

/// Only asked when both lists name the same crates; what stands in a list twice is found here too.
fn check_order(repo: &Repo) -> Option<Violation> {
    let listed = &repo.workspace.workspace.members;
    let rows: Vec<String> = repo.architecture.rows.iter().map(|row| member(&row.name)).collect();
    let index = (0..listed.len().max(rows.len())).find(|index| listed.get(*index) != rows.get(*index))?;
    let name = |list: &[String]| list.get(index).map_or("nothing", String::as_str).to_owned();
    let line = listed.get(index).map_or(1, |member| line_of(repo.texts.get("Cargo.toml"), member));
    let wrong =
        format!("member {} is {}, the architecture table has {}", index + 1, name(listed), name(&rows));
    Some(Violation::new("Cargo.toml", line, wrong, "list both in the order the data travels, each once"))
}

fn has_folder(repo: &Repo, name: &str) -> bool {
    repo.crates.iter().any(|krate| krate.name == name)
}

fn member(name: &str) -> String {
    format!("crates/{name}")
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Case, check_cases};

    const LISTED: &str = "[workspace]\nmembers = [\n\"crates/store\",\n\"crates/run\",\n\"crates/order\",\n\"crates/cli\",\n\"crates/lab\",\n]\n";

    #[test]
    fn three_lists_are_one() {
        let shorter = LISTED.replace("\"crates/run\",\n", "");
        let in_order = ["store", "order", "run", "cli", "lab", "lab"].map(super::member);
        let twice = format!("[workspace]\nmembers = {in_order:?}\n");
        let longer = LISTED.replace("\"crates/run\"", "\"crates/ghost\",\n\"crates/run\"");
        check_cases(
            super::check,
            &[
                Case { name: "sound", files: &[], expected: &[] },
                Case { name: "other order", files: &[("Cargo.toml", LISTED)], expected: &["Cargo.toml:4:"] },
                Case { name: "listed twice", files: &[("Cargo.toml", &twice)], expected: &["Cargo.toml:"] },
                Case { name: "not listed", files: &[("Cargo.toml", &shorter)], expected: &["Cargo.toml:1:"] },
                Case {
                    name: "no such folder",
                    files: &[("Cargo.toml", &longer)],
                    expected: &["Cargo.toml:4: there is no crate"],
                },
                Case {
                    name: "no row, and no member",
                    files: &[(
                        "crates/new/Cargo.toml",
                        "[package]\nname = \"new\"\n[lints]\nworkspace = true\n",
                    )],
                    expected: &["Cargo.toml:1:", "docs/architecture.md:1:"],
                },
                Case {
                    name: "row without a crate",
                    files: &[
                        ("crates/lab/Cargo.toml", ""),
                        ("crates/lab/src/lib.rs", ""),
                        ("Cargo.toml", &LISTED.replace("\"crates/lab\",\n", "")),
                    ],
                    expected: &["docs/architecture.md:10:"],
                },
                Case {
                    name: "other name, no lints",
                    files: &[("crates/run/Cargo.toml", "[package]\nname = \"runner\"\n")],
                    expected: &["crates/run/Cargo.toml:1:", "crates/run/Cargo.toml:1:"],
                },
                Case {
                    name: "unclear row",
                    files: &[(
                        "docs/architecture.md",
                        "| crate | kind | one line | knows (ours) |\n|---|---|---|---|\n| `store` | clean | words | - |\n",
                    )],
                    expected: &[
                        "docs/architecture.md:3:",
                        "docs/architecture.md:1: crate `cli`",
                        "docs/architecture.md:1: crate `lab`",
                        "docs/architecture.md:1: crate `order`",
                        "docs/architecture.md:1: crate `run`",
                        "docs/architecture.md:1: crate `store`",
                    ],
                },
            ],
        );
    }
}
