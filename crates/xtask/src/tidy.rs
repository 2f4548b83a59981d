//! `cargo xtask tidy`: the rules of this repository that neither the compiler nor clippy can hold.
//!
//! The repository is read once into a [`Repo`] value; every rule is a function from that value to violations, so
//! that each is tested on a repository of a few lines. `docs/architecture.md` says which crate is of which kind
//! and may know which; its table is read here, not repeated.

mod architecture;
mod disk;
mod dispatch;
mod documents;
mod doubles;
mod edges;
mod effects;
mod errors;
#[cfg(test)]
mod fixture;
mod habits;
mod manifest;
mod markdown;
mod members;
mod mentions;
mod places;
mod purity;
mod python;
mod repo;
mod report;
mod sizes;
mod source;
mod syntax;
mod unsafety;
mod violation;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;

use self::repo::Repo;
use self::violation::Violation;

/// A rule: what in this repository breaks it.
type Rule = fn(&Repo) -> Vec<Violation>;

/// Every rule, in the order in which its violations are printed.
const RULES: &[Rule] = &[
    repo::check_readable,
    members::check,
    edges::check,
    purity::check,
    effects::check_processes,
    effects::check_json,
    errors::check,
    sizes::check,
    dispatch::check,
    unsafety::check,
    documents::check,
    places::check,
    habits::check,
    doubles::check,
];

/// What `tidy` can be told.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The repository to check; by default the workspace around the current directory.
    #[arg(long)]
    root: Option<PathBuf>,
}

/// Checks, prints violations and figures, and fails if there was any violation.
pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    match inspect(arguments) {
        Ok((violations, figures)) => print(&violations, &figures),
        Err(error) => fail(&error),
    }
}

/// Reads the repository, asks every rule and counts.
fn inspect(arguments: &Arguments) -> anyhow::Result<(Vec<Violation>, String)> {
    let root = match &arguments.root {
        Some(root) => root.canonicalize().with_context(|| format!("cannot find {}", root.display()))?,
        None => disk::workspace_root()?,
    };
    let repo = Repo::new(disk::read(&root)?).rooted_at(root.display().to_string());
    let violations = RULES.iter().flat_map(|rule| rule(&repo)).collect();
    Ok((violations, report::page(&repo)))
}

#[expect(clippy::print_stdout, reason = "the result of the command is what it prints")]
fn print(violations: &[Violation], figures: &str) -> ExitCode {
    for violation in violations {
        println!("{violation}");
    }
    println!("{figures}");
    println!("tidy: {} rules, {} violations", RULES.len(), violations.len());
    if violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

#[expect(clippy::print_stderr, reason = "the one place where an error of tidy is shown")]
fn fail(error: &anyhow::Error) -> ExitCode {
    eprintln!("tidy: {error:#}");
    ExitCode::FAILURE
}
