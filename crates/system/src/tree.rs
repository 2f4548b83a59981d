//! A tree of files as this crate asks for it: bounded reads, typed errors, links followed as the kernel does.

use std::io;

use thiserror::Error;

use crate::text::excerpt;

/// Most links that are followed before a path counts as a loop (Linux: 40).
const MAX_LINKS: usize = 40;

/// Files to read from: a host's file system, one folder of it, or a session with a host.
///
/// Paths are absolute in the tree and have no `.` or `..` components except behind links. As with the kernel, links
/// in the middle of a path are followed; a link at its end is followed by [`Tree::read_file`] and [`Tree::list`], and
/// not by [`Tree::read_link`].
pub trait Tree {
    /// All bytes of the file at `path`.
    ///
    /// # Errors
    /// [`TreeError::TooLong`] if there are more than `limit`; nothing is to be allocated beyond it.
    fn read_file(&self, path: &str, limit: usize) -> Result<Vec<u8>, TreeError>;

    /// Where the link at `path` points, as it is written there.
    ///
    /// # Errors
    /// [`TreeError::WrongKind`] if something else than a link is there.
    fn read_link(&self, path: &str) -> Result<String, TreeError>;

    /// The names in the folder at `path`, in any order, without `.` and `..`. Names that are no UTF-8 are left out.
    ///
    /// # Errors
    /// [`TreeError::WrongKind`] if something else than a folder is there.
    fn list(&self, path: &str) -> Result<Vec<String>, TreeError>;
}

/// Why a tree gave nothing.
#[derive(Debug, Error)]
pub enum TreeError {
    /// Nothing is there (or a part of the path is no folder).
    #[error("there is no such file")]
    NotFound,
    /// Something else is there than what was asked for.
    #[error("it is not {expected}")]
    WrongKind {
        /// What was asked for: `a file`, `a link`, `a folder`.
        expected: &'static str,
    },
    /// More bytes or names than are accepted.
    #[error("it is longer than {limit}")]
    TooLong {
        /// Most bytes, or most names.
        limit: usize,
    },
    /// The link's target is no UTF-8.
    #[error("it is not UTF-8")]
    NotText,
    /// Reading failed.
    #[error("it cannot be read")]
    Failed(#[source] io::Error),
}

/// Why something could not be read from a tree; names the path.
#[derive(Debug, Error)]
pub enum ReadError {
    /// The tree refused.
    #[error("cannot read {path}")]
    Tree {
        /// The path that was asked for.
        path: String,
        /// What the tree said.
        source: TreeError,
    },
    /// A text is not UTF-8.
    #[error("{path} is not UTF-8")]
    NotText {
        /// The file.
        path: String,
    },
    /// JSON of another form than expected.
    #[error("{path} is not {expected}")]
    Json {
        /// The file.
        path: String,
        /// What was expected.
        expected: &'static str,
        /// What the parser found.
        source: serde_json::Error,
    },
    /// Links lead in a circle.
    #[error("{path}: more than {MAX_LINKS} links")]
    Loop {
        /// Where the way began.
        path: String,
    },
    /// More files, units or levels than any system has.
    #[error("{path} has more than {limit} {what}")]
    TooMany {
        /// The folder or file.
        path: String,
        /// Of what there are too many.
        what: &'static str,
        /// How many are accepted.
        limit: usize,
    },
}

/// The error for `path`, made from the tree's.
pub(crate) fn at(path: &str) -> impl FnOnce(TreeError) -> ReadError + '_ {
    move |source| ReadError::Tree { path: excerpt(path), source }
}

/// `None` in place of an error that says that nothing is there.
pub(crate) fn if_present<T>(path: &str, found: Result<T, TreeError>) -> Result<Option<T>, ReadError> {
    match found {
        Ok(value) => Ok(Some(value)),
        Err(TreeError::NotFound) => Ok(None),
        Err(source) => Err(at(path)(source)),
    }
}

/// The text of a file, or `None` if it is not there.
pub(crate) fn read_text(tree: &dyn Tree, path: &str, limit: usize) -> Result<Option<String>, ReadError> {
    let bytes = if_present(path, tree.read_file(path, limit))?;
    bytes
        .map(|bytes| String::from_utf8(bytes).map_err(|_| ReadError::NotText { path: excerpt(path) }))
        .transpose()
}

/// The names in a folder in order, or `None` if it is not there.
pub(crate) fn list_names(
    tree: &dyn Tree,
    path: &str,
    limit: usize,
) -> Result<Option<Vec<String>>, ReadError> {
    let Some(mut names) = if_present(path, tree.list(path))? else { return Ok(None) };
    if names.len() > limit {
        return Err(ReadError::TooMany { path: excerpt(path), what: "files", limit });
    }
    names.retain(|name| !matches!(name.as_str(), "" | "." | "..") && !name.contains('/'));
    names.sort_unstable();
    names.dedup();
    Ok(Some(names))
}

/// Where the chain of links at `path` ends: a path with no link at its end, which need not exist.
/// `None` if nothing is at `path` itself.
pub(crate) fn resolve(tree: &dyn Tree, path: &str) -> Result<Option<String>, ReadError> {
    let mut current = path.to_owned();
    for hop in 0..=MAX_LINKS {
        match tree.read_link(&current) {
            Ok(target) => current = join(parent(&current), &target),
            Err(TreeError::WrongKind { .. }) => return Ok(Some(current)),
            Err(TreeError::NotFound) => return Ok((hop > 0).then_some(current)),
            Err(source) => return Err(at(&current)(source)),
        }
    }
    Err(ReadError::Loop { path: excerpt(path) })
}

/// The path without links anywhere in it, as the kernel would find it; `None` if a part of it is not there.
pub(crate) fn canonical(tree: &dyn Tree, path: &str) -> Result<Option<String>, ReadError> {
    let mut pending: Vec<String> = path.rsplit('/').map(str::to_owned).collect();
    let mut done = String::new();
    let mut links = 0;
    while let Some(component) = pending.pop() {
        match component.as_str() {
            "" | "." => continue,
            ".." => {
                done.truncate(parent(&done).len());
                continue;
            }
            name => {
                let next = format!("{done}/{name}");
                match tree.read_link(&next) {
                    Ok(target) => {
                        links += 1;
                        if target.starts_with('/') {
                            done.clear();
                        }
                        pending.extend(target.rsplit('/').map(str::to_owned));
                    }
                    Err(TreeError::WrongKind { .. }) => done = next,
                    Err(TreeError::NotFound) => return Ok(None),
                    Err(source) => return Err(at(&next)(source)),
                }
            }
        }
        if links > MAX_LINKS {
            return Err(ReadError::Loop { path: excerpt(path) });
        }
    }
    Ok(Some(done))
}

/// `target` as seen from `folder`, with `.` and `..` taken out as text.
pub(crate) fn join(folder: &str, target: &str) -> String {
    let base = if target.starts_with('/') { "" } else { folder };
    let mut components: Vec<&str> = Vec::new();
    for component in base.split('/').chain(target.split('/')) {
        match component {
            "" | "." => {}
            ".." => drop(components.pop()),
            name => components.push(name),
        }
    }
    format!("/{}", components.join("/"))
}

/// The folder that a path lies in.
pub(crate) fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// One folder of a tree as a tree of its own, such as a host's `/boot`.
///
/// Absolute links in it are followed by the tree around it, as the kernel does.
#[derive(Clone, Copy)]
pub struct Below<'a> {
    tree: &'a dyn Tree,
    folder: &'a str,
}

impl<'a> Below<'a> {
    /// The tree below `folder`, an absolute path in `tree`.
    #[must_use]
    pub fn new(tree: &'a dyn Tree, folder: &'a str) -> Self {
        Self { tree, folder }
    }

    fn path(&self, path: &str) -> String {
        join(self.folder, path.trim_start_matches('/'))
    }
}

impl Tree for Below<'_> {
    fn read_file(&self, path: &str, limit: usize) -> Result<Vec<u8>, TreeError> {
        self.tree.read_file(&self.path(path), limit)
    }

    fn read_link(&self, path: &str) -> Result<String, TreeError> {
        self.tree.read_link(&self.path(path))
    }

    fn list(&self, path: &str) -> Result<Vec<String>, TreeError> {
        self.tree.list(&self.path(path))
    }
}
