//! Reading the repository from disk: the only part of tidy that touches files.

use std::path::{Path, PathBuf};
use std::{env, fs};

use anyhow::{Context, bail};
use walkdir::{DirEntry, WalkDir};

use super::repo::{Content, Entry};

/// What is built, generated or found by fuzzing: listed as a folder, never read.
const NOT_READ: &[&str] = &[".git", "target", "fuzz/target", "fuzz/corpus", "fuzz/artifacts"];

/// A larger file holds data, not text that somebody wrote.
const LARGEST_TEXT: u64 = 1 << 20;

/// The nearest folder above the current one whose `Cargo.toml` holds a workspace.
pub(crate) fn workspace_root() -> anyhow::Result<PathBuf> {
    let here = env::current_dir().context("cannot tell the current directory")?;
    for folder in here.ancestors() {
        let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap_or_default();
        if manifest.lines().any(|line| line.trim() == "[workspace]") {
            return Ok(folder.to_owned());
        }
    }
    bail!("no workspace around {}; start tidy inside the repository or pass --root", here.display())
}

/// Every file and folder below `root`, with the text of those that are text.
pub(crate) fn read(root: &Path) -> anyhow::Result<Vec<Entry>> {
    let mut walk = WalkDir::new(root).min_depth(1).sort_by_file_name().into_iter();
    let mut entries = Vec::new();
    while let Some(found) = walk.next() {
        let found = found.with_context(|| format!("cannot list {}", root.display()))?;
        let path = relative(root, found.path());
        let skipped = NOT_READ.contains(&path.as_str());
        if skipped && found.file_type().is_dir() {
            walk.skip_current_dir();
        }
        let content = if skipped { Content::Opaque } else { content(&found)? };
        entries.push(Entry { path, content });
    }
    Ok(entries)
}

fn content(found: &DirEntry) -> anyhow::Result<Content> {
    if !found.file_type().is_file() || found.metadata()?.len() > LARGEST_TEXT {
        return Ok(Content::Opaque);
    }
    let bytes = fs::read(found.path()).with_context(|| format!("cannot read {}", found.path().display()))?;
    Ok(String::from_utf8(bytes).map_or(Content::Opaque, Content::Text))
}

/// The path below the root, with `/` between its parts.
fn relative(root: &Path, path: &Path) -> String {
    path.strip_prefix(root).unwrap_or(path).to_string_lossy().into_owned()
}
