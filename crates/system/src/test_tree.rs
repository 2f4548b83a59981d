//! A tree of files in a map, for tests; folders are what lies before a file's name.

use std::collections::{BTreeMap, BTreeSet};

use crate::tree::{Tree, TreeError, join, parent};

#[derive(Debug, Clone, Default)]
pub(crate) struct TestTree(BTreeMap<String, Node>);

#[derive(Debug, Clone)]
enum Node {
    File(Vec<u8>),
    Link(String),
}

impl TestTree {
    pub(crate) fn file(mut self, path: &str, content: impl AsRef<[u8]>) -> Self {
        self.0.insert(path.to_owned(), Node::File(content.as_ref().to_vec()));
        self
    }

    pub(crate) fn link(mut self, path: &str, target: &str) -> Self {
        self.0.insert(path.to_owned(), Node::Link(target.to_owned()));
        self
    }

    pub(crate) fn without(mut self, path: &str) -> Self {
        assert!(self.0.remove(path).is_some(), "{path} is there");
        self
    }

    /// The path with the links in it followed, at the end only if asked for.
    fn follow(&self, path: &str, last: bool) -> Result<String, TreeError> {
        let mut pending: Vec<String> = path.split('/').rev().map(str::to_owned).collect();
        let (mut done, mut hops) = (String::new(), 0);
        while let Some(component) = pending.pop() {
            let next = join(&done, &component);
            match self.0.get(&next) {
                Some(Node::Link(target)) if last || !pending.is_empty() => {
                    hops += 1;
                    if hops > 40 {
                        return Err(TreeError::NotFound);
                    }
                    let whole = join(parent(&next), target);
                    done.clear();
                    pending.extend(whole.split('/').rev().map(str::to_owned));
                }
                _ => done = next,
            }
        }
        Ok(done)
    }

    fn names(&self, folder: &str) -> BTreeSet<String> {
        let prefix = if folder == "/" { "/".to_owned() } else { format!("{folder}/") };
        let inside = self.0.keys().filter_map(|path| path.strip_prefix(&prefix));
        inside.filter_map(|rest| rest.split('/').next()).map(str::to_owned).collect()
    }
}

impl Tree for TestTree {
    fn read_file(&self, path: &str, limit: usize) -> Result<Vec<u8>, TreeError> {
        let path = self.follow(path, true)?;
        match self.0.get(&path) {
            Some(Node::File(content)) if content.len() > limit => Err(TreeError::TooLong { limit }),
            Some(Node::File(content)) => Ok(content.clone()),
            _ if self.names(&path).is_empty() => Err(TreeError::NotFound),
            _ => Err(TreeError::WrongKind { expected: "a file" }),
        }
    }

    fn read_link(&self, path: &str) -> Result<String, TreeError> {
        let path = self.follow(path, false)?;
        match self.0.get(&path) {
            Some(Node::Link(target)) => Ok(target.clone()),
            None if self.names(&path).is_empty() => Err(TreeError::NotFound),
            _ => Err(TreeError::WrongKind { expected: "a link" }),
        }
    }

    fn list(&self, path: &str) -> Result<Vec<String>, TreeError> {
        let path = self.follow(path, true)?;
        let names = self.names(&path);
        match self.0.get(&path) {
            Some(_) => Err(TreeError::WrongKind { expected: "a folder" }),
            None if names.is_empty() && path != "/" => Err(TreeError::NotFound),
            None => Ok(names.into_iter().rev().collect()),
        }
    }
}
