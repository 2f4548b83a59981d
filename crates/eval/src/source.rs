//! Where the description of a fleet is.

use std::{
    fmt,
    path::{Component, Path, PathBuf},
};

use thiserror::Error;

/// A description that is not a flake has this name where none is given.
const FILE: &str = "fleet.nix";
const FLAKE: &str = "flake.nix";

/// Where the description of a fleet is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A flake in a directory here. In a git work tree Nix sees what git tracks or has staged.
    Flake {
        /// The directory of its `flake.nix`, absolute.
        directory: PathBuf,
        /// Where the user was, absolute: what relative paths in options mean.
        base: PathBuf,
    },
    /// A Nix file that is not a flake: `{ lockstep ? ..., nixosConfigurations }`, or a function that gives
    /// that when it is called with `{ }`.
    File {
        /// The file, absolute.
        path: PathBuf,
        /// Where the user was, absolute.
        base: PathBuf,
    },
    /// A flake somewhere else, as Nix names flakes: `github:owner/name`, `path:/somewhere`, a registry's name.
    Reference {
        /// The reference.
        reference: String,
        /// Where the user was, absolute: what relative paths in it mean.
        base: PathBuf,
    },
}

/// Why there is no description.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SourceError {
    /// Neither file is in the directory or above it.
    #[error(
        "neither {FLAKE} nor {FILE} is in {} or any directory above it; go to your configuration, or name it with -f",
        start.display()
    )]
    NotFound {
        /// Where the search began.
        start: PathBuf,
    },
    /// The directory that was named has neither file.
    #[error("{} has neither {FLAKE} nor {FILE}", directory.display())]
    NothingInDirectory {
        /// The directory.
        directory: PathBuf,
    },
    /// The file that was named is not there.
    #[error("{} does not exist", path.display())]
    NoSuchFile {
        /// The file.
        path: PathBuf,
    },
    /// The file that was named is no Nix file.
    #[error("{} is no Nix file; name a directory, a file that ends in .nix, or a flake", path.display())]
    NoNixFile {
        /// The file.
        path: PathBuf,
    },
    /// The flake was named with an attribute of it.
    #[error(
        "`{argument}` names a part of a flake; leave out what begins with #, hosts are named by the selector"
    )]
    Fragment {
        /// What was given.
        argument: String,
    },
    /// What was named is neither there nor a way to name a flake.
    #[error("`{argument}` is no file or directory, and no reference to a flake")]
    NoReference {
        /// What was given.
        argument: String,
    },
}

impl Source {
    /// Looks for `flake.nix` or `fleet.nix` in `start` and upward, as git looks for its directory; the nearest
    /// wins, and of two in one directory the flake.
    ///
    /// # Errors
    /// If there is none.
    pub fn find(start: &Path) -> Result<Self, SourceError> {
        let found = start.ancestors().find_map(|directory| in_directory(directory, start));
        found.ok_or_else(|| SourceError::NotFound { start: start.to_owned() })
    }

    /// What the user named: a directory, a Nix file, or a reference to a flake. Relative paths mean `base`,
    /// which is absolute.
    ///
    /// # Errors
    /// If nothing of the kind is there.
    pub fn named(argument: &str, base: &Path) -> Result<Self, SourceError> {
        let path = clean(&base.join(argument));
        if path.is_file() {
            return file(path, base);
        }
        match in_directory(&path, base) {
            Some(source) => return Ok(source),
            None if path.is_dir() && looks_like_path(argument) => {
                return Err(SourceError::NothingInDirectory { directory: path });
            }
            None => {}
        }
        if argument.contains('#') {
            return Err(SourceError::Fragment { argument: argument.to_owned() });
        }
        if looks_like_path(argument) && !argument.contains('?') {
            return Err(SourceError::NoSuchFile { path });
        }
        if argument.is_empty() || argument.starts_with('-') || argument.contains(char::is_whitespace) {
            return Err(SourceError::NoReference { argument: argument.to_owned() });
        }
        Ok(Self::Reference { reference: argument.to_owned(), base: base.to_owned() })
    }

    /// The directory that Nix runs in.
    pub(crate) fn directory(&self) -> &Path {
        match self {
            Self::Flake { directory, .. } => directory,
            Self::File { path, .. } => path.parent().unwrap_or(path),
            Self::Reference { base, .. } => base,
        }
    }

    /// Where the user was.
    pub(crate) fn base(&self) -> &Path {
        match self {
            Self::Flake { base, .. } | Self::File { base, .. } | Self::Reference { base, .. } => base,
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flake { directory, .. } => directory.join(FLAKE).display().fmt(f),
            Self::File { path, .. } => path.display().fmt(f),
            Self::Reference { reference, .. } => f.write_str(reference),
        }
    }
}

fn in_directory(directory: &Path, base: &Path) -> Option<Source> {
    let base = base.to_owned();
    if directory.join(FLAKE).is_file() {
        return Some(Source::Flake { directory: directory.to_owned(), base });
    }
    let path = directory.join(FILE);
    path.is_file().then_some(Source::File { path, base })
}

fn file(path: PathBuf, base: &Path) -> Result<Source, SourceError> {
    let base = base.to_owned();
    match path.file_name() {
        Some(name) if name == FLAKE => {
            let directory = path.parent().unwrap_or(&path).to_owned();
            Ok(Source::Flake { directory, base })
        }
        _ if path.extension().is_some_and(|extension| extension == "nix") => Ok(Source::File { path, base }),
        _ => Err(SourceError::NoNixFile { path }),
    }
}

/// Whether somebody who writes this means a file and not a flake of a registry.
fn looks_like_path(argument: &str) -> bool {
    let first = Path::new(argument).components().next();
    argument.ends_with(".nix")
        || argument.ends_with('/')
        || matches!(first, Some(Component::RootDir | Component::CurDir | Component::ParentDir))
}

/// The path without `.` components; `..` stays, for it means something else behind a symbolic link.
fn clean(path: &Path) -> PathBuf {
    path.components().filter(|component| *component != Component::CurDir).collect()
}

#[cfg(test)]
mod tests;
