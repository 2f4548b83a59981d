//! Names images by what they are made of, so that a changed recipe is a different image.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

/// A short name for content: the first 40 bits of its SHA-256.
pub(super) struct Key(Sha256);

impl Key {
    pub(super) fn new() -> Self {
        Self(Sha256::new())
    }

    pub(super) fn text(mut self, text: &str) -> Self {
        self.0.update(text.len().to_le_bytes());
        self.0.update(text);
        self
    }

    /// Adds every file below `dir`, in the order of names.
    pub(super) fn tree(mut self, dir: &Path) -> Result<Self> {
        for path in files(dir)? {
            let content = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
            self = self.text(&path.strip_prefix(dir)?.to_string_lossy());
            self.0.update(content.len().to_le_bytes());
            self.0.update(content);
        }
        Ok(self)
    }

    pub(super) fn finish(self) -> String {
        self.0.finalize().iter().take(5).map(|byte| format!("{byte:02x}")).collect()
    }
}

/// The files below `dir` that belong to the source: no hidden ones, no caches of Python's.
pub(super) fn files(dir: &Path) -> Result<Vec<std::path::PathBuf>> {
    let mut found = Vec::new();
    let entries = fs::read_dir(dir).with_context(|| format!("cannot list {}", dir.display()))?;
    let mut entries = entries.map(|entry| entry.map(|e| e.path())).collect::<Result<Vec<_>, _>>()?;
    entries.sort();
    for path in entries {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.starts_with('.') || name == "__pycache__" {
            continue;
        }
        if path.is_dir() { found.extend(files(&path)?) } else { found.push(path) }
    }
    Ok(found)
}
