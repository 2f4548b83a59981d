//! Sets out of the images' own files: a thousand small paths, a large one, packages of two releases.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use lab::{Layout, Suite, image::Image};

use super::draft::{Draft, Form, Set, Source};

/// How many small paths there are.
pub(crate) const SMALL: usize = 1_000;
/// A small path has files until they have so many bytes.
const SMALL_BYTES: u64 = 52_000;
/// The longest file of a small path; longer ones are for the large path.
const SMALL_FILE: u64 = 128 << 10;
/// Bytes of the large path.
const LARGE_BYTES: u64 = 100_000_000;
/// Bytes of what an initrd is packed of.
const INITRD_BYTES: u64 = 30_000_000;

/// The root of an image.
pub(crate) fn root(suite: Suite) -> Result<PathBuf> {
    Ok(Image::find(&Layout::from_env(), suite)?.root)
}

/// The files of the image's `/usr`, in the order of their names, with their sizes.
pub(crate) struct Usr {
    files: Vec<(Source, u64)>,
}

impl Usr {
    pub(crate) fn read() -> Result<Self> {
        let root = root(Suite::Trixie)?;
        let mut files = Vec::new();
        list(&root, Path::new("usr"), &mut |source, size| files.push((source, size)))?;
        Ok(Self { files })
    }

    /// [`SMALL`] paths that refer to some before them, over what `below` has already.
    pub(crate) fn small(&self, below: Set) -> Result<Set> {
        let mut files = self.files.iter().filter(|(_, size)| (1..=SMALL_FILE).contains(size));
        let Set(mut drafts) = below;
        let under = drafts.len();
        for number in 0..SMALL {
            let mut draft = Draft {
                name: format!("slice-{number:04}"),
                files: Vec::new(),
                form: Form::Stamped,
                references: (0..under).collect(),
            };
            let mut bytes = 0;
            while bytes < SMALL_BYTES {
                let (source, size) = files.next().context("the image's /usr is too small")?;
                draft.files.push(source.clone());
                bytes += size;
            }
            let mut before: Vec<_> = (1..=number).map(|by| number - by).collect();
            before.retain(|at| [number / 2, number / 3, number.saturating_sub(7)].contains(at));
            draft.references.extend(before.into_iter().map(|at| under + at));
            drafts.push(draft);
        }
        Ok(Set(drafts))
    }

    /// Adds a path of [`LARGE_BYTES`] that refers to a few of those before it.
    pub(crate) fn large(&self, Set(mut drafts): Set) -> Result<Set> {
        let references = (0..drafts.len()).step_by(50).collect();
        let files = self.long_files(LARGE_BYTES)?;
        drafts.push(Draft { name: "large-1.0".to_owned(), files, form: Form::Stamped, references });
        Ok(Set(drafts))
    }

    /// A set of one path, whose only file is compressed.
    pub(crate) fn initrd(&self) -> Result<Set> {
        let files = self.long_files(INITRD_BYTES)?;
        let initrd =
            Draft { name: "initrd-6.12".to_owned(), files, form: Form::Packed, references: Vec::new() };
        Ok(Set(vec![initrd]).with_root())
    }

    fn long_files(&self, enough: u64) -> Result<Vec<Source>> {
        let mut bytes = 0;
        let mut taken = Vec::new();
        for (source, size) in self.files.iter().filter(|(_, size)| *size > SMALL_FILE) {
            if bytes + size <= enough {
                bytes += size;
                taken.push(source.clone());
            }
        }
        ensure!(bytes > enough * 9 / 10, "the image's /usr has only {bytes} bytes in long files");
        Ok(taken)
    }
}

/// All files below a directory, in the order of their names; no directories and nothing that is not theirs.
fn list(root: &Path, directory: &Path, take: &mut dyn FnMut(Source, u64)) -> Result<()> {
    let entries = fs::read_dir(root.join(directory))?.collect::<Result<Vec<_>, _>>()?;
    let mut names: Vec<_> = entries.into_iter().map(|entry| entry.file_name()).collect();
    names.sort();
    for name in names {
        let below = directory.join(name);
        let from = root.join(&below);
        let kind = from.symlink_metadata()?;
        if kind.is_dir() {
            list(root, &below, take)?;
        } else if kind.is_file() || kind.is_symlink() {
            let size = if kind.is_file() { kind.len() } else { 0 };
            take(Source { to: below, from }, size);
        }
    }
    Ok(())
}

/// All files of an unpacked package.
pub(crate) fn tree(root: &Path) -> Result<Vec<Source>> {
    let mut files = Vec::new();
    list(root, Path::new(""), &mut |source, _| files.push(source))?;
    Ok(files)
}
