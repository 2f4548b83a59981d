//! `cargo xtask no-lock-out [--check]`: the table of `docs/no-lock-out.md`, from the rows that scenarios write.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Serialize};
use walkdir::WalkDir;

/// What is committed of a run.
const ROWS: &str = "docs/no-lock-out.json";
/// The document with the table.
const PAGE: &str = "docs/no-lock-out.md";
/// The scenarios, whose rows are named in lines of `id: "..."`.
const SCENARIOS: &str = "crates/lab/tests/scenarios/lockout";
/// What stands around the table.
const BEGIN: &str = "<!-- Made by `cargo xtask no-lock-out` from a run of the scenarios. -->\n";
const END: &str = "<!-- The end of what is made. -->\n";

/// What `no-lock-out` can be told.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Take nothing from a run and write nothing; fail if a row has no scenario, a scenario no row, or the table is stale.
    #[arg(long)]
    check: bool,
    /// Print how many scenarios there are, and how many the last run survived.
    #[arg(long, conflicts_with = "check")]
    bench: bool,
    /// Where a run has left its rows; by default in the target directory.
    #[arg(long)]
    run: Option<PathBuf>,
}

/// A way to lose a host that a scenario survives. The scenarios write the same.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
struct Row {
    id: String,
    happens: String,
    outcome: String,
}

/// Renews, checks or counts.
pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let folder = arguments.run.clone().unwrap_or_else(|| root.join("target/no-lock-out"));
    let done = match (arguments.check, arguments.bench) {
        (true, _) => check(&root),
        (_, true) => count(&root, &folder),
        _ => renew(&root, &folder),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error),
    }
}

/// Takes the rows of a run in place of those of their names, drops those without a scenario, and writes the table.
fn renew(root: &Path, folder: &Path) -> Result<()> {
    let named = scenarios(root)?;
    let seen = seen(folder)?;
    let mut rows = committed(root)?;
    rows.retain(|row| named.contains(&row.id) && seen.iter().all(|seen| seen.id != row.id));
    rows.extend(seen.into_iter().filter(|row| named.contains(&row.id)));
    rows.sort_by_key(|row| order(&row.id));
    write(&root.join(ROWS), &(serde_json::to_string_pretty(&rows)? + "\n"))?;
    write(&root.join(PAGE), &with_table(&read(&root.join(PAGE))?, &table(&rows))?)?;
    agree(&rows, &named)
}

fn check(root: &Path) -> Result<()> {
    let rows = committed(root)?;
    agree(&rows, &scenarios(root)?)?;
    let page = read(&root.join(PAGE))?;
    ensure!(with_table(&page, &table(&rows))? == page, "{PAGE} is stale; run `cargo xtask no-lock-out`");
    Ok(())
}

/// Prints what there is, and what the last run survived just as it is committed.
#[expect(clippy::print_stdout, reason = "results of a measurement")]
fn count(root: &Path, folder: &Path) -> Result<()> {
    let (rows, seen) = (committed(root)?, seen(folder)?);
    ensure!(!seen.is_empty(), "no scenario has run: `make scenarios` runs them");
    println!("bench lockout_scenarios {} scenarios", rows.len());
    println!("bench lockout_survived {} scenarios", rows.iter().filter(|row| seen.contains(row)).count());
    Ok(())
}

/// Each scenario has its row, and each row its scenario.
fn agree(rows: &[Row], named: &BTreeSet<String>) -> Result<()> {
    let rows: BTreeSet<String> = rows.iter().map(|row| row.id.clone()).collect();
    let lost: Vec<&str> = rows.symmetric_difference(named).map(String::as_str).collect();
    if lost.is_empty() {
        return Ok(());
    }
    bail!(
        "{} in {ROWS} or in {SCENARIOS} only; run the scenarios, then `cargo xtask no-lock-out`",
        lost.join(", ")
    )
}

/// The names of all rows that scenarios write.
fn scenarios(root: &Path) -> Result<BTreeSet<String>> {
    let mut named = BTreeSet::new();
    for entry in WalkDir::new(root.join(SCENARIOS)) {
        let entry = entry?;
        if entry.file_type().is_file() {
            named.extend(ids(&read(entry.path())?).map(str::to_owned));
        }
    }
    Ok(named)
}

/// The names in a scenario's source; an empty one is of a pattern for others.
fn ids(source: &str) -> impl Iterator<Item = &str> {
    let parts = source.split("id: \"").skip(1);
    parts.filter_map(|rest| rest.split('"').next()).filter(|id| !id.is_empty())
}

fn committed(root: &Path) -> Result<Vec<Row>> {
    serde_json::from_str(&read(&root.join(ROWS))?).context(ROWS)
}

/// The rows of a run; none if there was no run.
fn seen(folder: &Path) -> Result<Vec<Row>> {
    let files = WalkDir::new(folder).into_iter().flatten().filter(|entry| entry.file_type().is_file());
    files.map(|file| serde_json::from_str(&read(file.path())?).context("a row of a run")).collect()
}

/// Timelines, which begin with a capital letter, go first.
fn order(id: &str) -> (bool, String) {
    (!id.starts_with(|letter: char| letter.is_ascii_uppercase()), id.to_owned())
}

fn table(rows: &[Row]) -> String {
    let line = |row: &Row| {
        let cell = |text: &str| text.replace('|', "\\|");
        format!("| {} | {} | {} |\n", row.id, cell(&row.happens), cell(&row.outcome))
    };
    format!(
        "\n| scenario | what happens | how it ends |\n|---|---|---|\n{}\n",
        rows.iter().map(line).collect::<String>()
    )
}

/// The document with this table between its marks.
fn with_table(page: &str, table: &str) -> Result<String> {
    let marks = || format!("{PAGE} has no place for the table: {BEGIN}{END}");
    let (before, rest) = page.split_once(BEGIN).with_context(marks)?;
    let (_, after) = rest.split_once(END).with_context(marks)?;
    Ok(format!("{before}{BEGIN}{table}{END}{after}"))
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

#[expect(clippy::print_stderr, reason = "the one place where an error of the command is shown")]
fn fail(error: &anyhow::Error) -> ExitCode {
    eprintln!("no-lock-out: {error:#}");
    ExitCode::FAILURE
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(id: &str) -> Row {
        Row { id: id.to_owned(), happens: "a | b".to_owned(), outcome: "confirmed".to_owned() }
    }

    #[test]
    fn the_table_goes_between_its_marks() {
        let page = format!("before\n{BEGIN}old\n{END}after\n");
        let made = with_table(&page, &table(&[row("A")])).unwrap();
        assert!(made.starts_with("before\n") && made.ends_with("after\n"), "{made}");
        assert!(made.contains("| A | a \\| b | confirmed |\n") && !made.contains("old"), "{made}");
        assert_eq!(with_table(&made, &table(&[row("A")])).unwrap(), made);
        assert!(with_table("no marks", "").is_err());
    }

    #[test]
    fn rows_and_scenarios_must_agree() {
        let source = r#"Case { id: "A", ..X }, Case { id: "", .. }, id: "b""#;
        let named: BTreeSet<String> = ids(source).map(str::to_owned).collect();
        assert!(agree(&[row("A"), row("b")], &named).is_ok());
        for rows in [&[row("A")][..], &[row("A"), row("b"), row("c")]] {
            assert!(agree(rows, &named).is_err(), "{rows:?}");
        }
        assert!(order("Q") < order("dhcp-slow"));
    }
}
