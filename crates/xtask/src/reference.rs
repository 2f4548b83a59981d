//! `cargo xtask reference [--check]`: writes the pages that are made from code, or says which are stale.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};

/// A page, and what makes it.
type Page = (&'static str, fn() -> String);

/// Every page, relative to the repository.
const PAGES: &[Page] =
    &[("docs/settings.md", fleet::reference_page), ("docs/settings.schema.json", fleet::schema)];

/// What `reference` can be told.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Write nothing, and fail if a page is stale.
    #[arg(long)]
    check: bool,
}

/// Writes or checks all pages.
pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    match treat(&root, arguments.check) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error),
    }
}

fn treat(root: &Path, only_check: bool) -> Result<()> {
    let mut stale = Vec::new();
    for (name, make) in PAGES {
        let (path, page) = (root.join(name), make());
        if std::fs::read_to_string(&path).ok().as_ref() == Some(&page) {
            continue;
        }
        stale.push(*name);
        if !only_check {
            write(&path, &page)?;
        }
    }
    if only_check && !stale.is_empty() {
        bail!("{} is stale; run `cargo xtask reference`", stale.join(" and "));
    }
    Ok(())
}

fn write(path: &Path, page: &str) -> Result<()> {
    std::fs::write(path, page).with_context(|| format!("cannot write {}", path.display()))
}

#[expect(clippy::print_stderr, reason = "the one place where an error of the command is shown")]
fn fail(error: &anyhow::Error) -> ExitCode {
    eprintln!("reference: {error:#}");
    ExitCode::FAILURE
}
