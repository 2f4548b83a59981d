//! Repositories with one wrong edge each.

use super::super::fixture::{Case, check_cases};

/// A repository whose crates are given as `name kind dependencies`, each known to its row.
fn crates(specifications: &[&str]) -> Vec<(String, String)> {
    let mut table = "| crate | kind | one line | knows (ours) |\n|---|---|---|---|\n".to_owned();
    let mut files = Vec::new();
    for specification in specifications {
        let words: Vec<&str> = specification.split(' ').collect();
        let [name, kind, known @ ..] = words.as_slice() else { panic!("name and kind: {specification}") };
        let cell: Vec<String> = known.iter().map(|name| format!("`{name}`")).collect();
        let cell = if cell.is_empty() { "-".to_owned() } else { cell.join(", ") };
        table += &format!("| `{name}` | {kind} | a line | {cell} |\n");
        let dependencies: String = known.iter().map(|name| format!("{name} = \"1\"\n")).collect();
        files.push((format!("crates/{name}/Cargo.toml"), format!("[dependencies]\n{dependencies}")));
    }
    files.push(("docs/architecture.md".to_owned(), table));
    files
}

fn check_crates(name: &str, specifications: &[&str], expected: &[&str]) {
    let files = crates(specifications);
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    check_cases(super::check, &[Case { name, files: &files, expected }]);
}

#[test]
fn edges_are_in_the_table() {
    check_cases(
        super::check,
        &[
            Case { name: "sound", files: &[], expected: &[] },
            Case {
                name: "a package of others",
                files: &[("crates/run/Cargo.toml", "[dependencies]\nserde = \"1\"\n")],
                expected: &[],
            },
            Case {
                name: "not in the row",
                files: &[("crates/run/Cargo.toml", "[dependencies]\nstore = \"1\"\n")],
                expected: &["crates/run/Cargo.toml:2: `run` may not know `store`"],
            },
            Case {
                name: "a build script is built with it too",
                files: &[("crates/run/Cargo.toml", "[build-dependencies]\nstore = \"1\"\n")],
                expected: &["crates/run/Cargo.toml:2:"],
            },
            Case {
                name: "tests of the product follow the row",
                files: &[("crates/run/Cargo.toml", "[dev-dependencies]\nstore = \"1\"\n")],
                expected: &["crates/run/Cargo.toml:2:"],
            },
            Case {
                name: "tests of the product leave the lab alone",
                files: &[("crates/cli/Cargo.toml", "[dev-dependencies]\nlab = \"1\"\n")],
                expected: &["crates/cli/Cargo.toml:2:"],
            },
            Case {
                name: "tests of the lab may use the product",
                files: &[("crates/lab/Cargo.toml", "[dev-dependencies]\nstore = \"1\"\ncli = \"1\"\n")],
                expected: &[],
            },
            Case {
                name: "the lab itself may not",
                files: &[("crates/lab/Cargo.toml", "[dependencies]\nstore = \"1\"\n")],
                expected: &["crates/lab/Cargo.toml:2:"],
            },
        ],
    );
}

#[test]
fn rows_know_only_rows_above() {
    check_crates("below", &["order pure store", "store pure"], &["docs/architecture.md:3:"]);
    check_crates("nowhere", &["order pure ghost"], &["docs/architecture.md:3:"]);
}

#[test]
fn nothing_in_the_product_reaches_the_lab() {
    let lab = ["lab development", "tools effects lab", "cli binary tools"];
    let expected = [
        "crates/cli/Cargo.toml:1: `cli` is product and reaches `lab`",
        "crates/tools/Cargo.toml:2: `tools` is product and reaches `lab`",
    ];
    check_crates("through a third", &lab, &expected);
}

#[test]
fn the_agent_never_decides() {
    for forbidden in ["fleet", "eval", "plan", "deploy", "cli"] {
        let direct = [&format!("{forbidden} pure")[..], &format!("agent binary {forbidden}")];
        check_crates(
            "direct",
            &direct,
            &[&format!("crates/agent/Cargo.toml:2: `agent` reaches `{forbidden}`")],
        );
        let middle = format!("middle pure {forbidden}");
        let through = [&format!("{forbidden} pure")[..], &middle, "agent binary middle"];
        check_crates(
            "through",
            &through,
            &[&format!("crates/agent/Cargo.toml:1: `agent` reaches `{forbidden}`")],
        );
    }
}

#[test]
fn deploy_and_agent_meet_only_on_the_way() {
    let meet_in = |place: &str| {
        [format!("{place} pure"), format!("agent binary {place}"), format!("deploy effects {place}")]
    };
    for allowed in ["session", "transfer", "order", "report"] {
        check_crates("allowed", &meet_in(allowed).each_ref().map(String::as_str), &[]);
    }
    let expected = ["crates/agent/Cargo.toml:2: `deploy` and `agent` meet in `activate`"];
    check_crates("not allowed", &meet_in("activate").each_ref().map(String::as_str), &expected);
    let outside = "[dependencies]\nserde = \"1\"\n";
    let files = [("crates/agent/Cargo.toml", outside), ("crates/deploy/Cargo.toml", outside)];
    check_cases(super::check, &[Case { name: "a package of others", files: &files, expected: &[] }]);
    let reaching = ["host effects", "agent binary host", "middle effects host", "deploy effects middle"];
    check_crates("through", &reaching, &["crates/deploy/Cargo.toml:1: `deploy` reaches `host`"]);
}
