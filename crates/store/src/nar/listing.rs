//! What is in a NAR and where, without the contents.

use std::fmt;

use super::{DecodeError, Decoder, Event, SizeCounter};

/// One directory, file or link of a NAR. Its `Debug` form is a flat map of paths to what is there, because a tree
/// may be deeper than the stack of a thread could print.
#[derive(Clone, PartialEq, Eq)]
pub enum Node {
    /// A directory with its entries, sorted by name.
    Directory(Vec<Entry>),
    /// A regular file.
    File {
        /// Whether it is executable.
        executable: bool,
        /// Bytes of its contents.
        size: u64,
        /// Where in the NAR its contents begin.
        offset: u64,
    },
    /// A symbolic link.
    Symlink {
        /// What it points to.
        target: Box<[u8]>,
    },
}

/// One entry of a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its name.
    pub name: Box<[u8]>,
    /// What bears the name.
    pub node: Node,
}

impl Node {
    /// The tree of a whole NAR in memory. What follows the NAR is not looked at.
    pub fn list(mut nar: &[u8]) -> Result<Self, DecodeError> {
        let mut decoder = Decoder::new();
        let mut builder = ListingBuilder::new();
        while let Some(event) = decoder.next_event(&mut nar)? {
            builder.add(&event);
        }
        decoder.finish()?;
        Ok(builder.finish().expect("invariant: a NAR that ended has a root"))
    }

    /// The node at `path`, names with `/` between them; empty for this node itself.
    #[must_use]
    pub fn get(&self, path: &[u8]) -> Option<&Self> {
        let names = path.split(|byte| *byte == b'/').filter(|name| !name.is_empty());
        names.into_iter().try_fold(self, |node, name| {
            let Self::Directory(entries) = node else { return None };
            let position = entries.binary_search_by(|entry| (*entry.name).cmp(name)).ok()?;
            Some(&entries[position].node)
        })
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut map = f.debug_map();
        let mut path = String::new();
        let mut pending = vec![(0, None, self)];
        while let Some((parent_length, name, node)) = pending.pop() {
            path.truncate(parent_length);
            if let Some(name) = name {
                path = format!("{path}/{}", <[u8]>::escape_ascii(name));
            }
            match node {
                Self::Directory(entries) => {
                    let children = entries.iter().rev();
                    pending.extend(children.map(|entry| (path.len(), Some(&*entry.name), &entry.node)));
                    map.entry(&path, &format_args!("Directory"));
                }
                Self::File { executable, size, offset } => {
                    let text = format_args!("File(executable: {executable}, size: {size}, offset: {offset})");
                    map.entry(&path, &text);
                }
                Self::Symlink { target } => {
                    map.entry(&path, &format_args!("Symlink({})", target.escape_ascii()));
                }
            }
        }
        map.finish()
    }
}

/// Makes a listing of the events of one tree, as they are decoded or encoded.
#[derive(Debug, Default)]
pub struct ListingBuilder {
    position: SizeCounter,
    /// Names of the open directories, with the entries they have so far.
    open: Vec<(Box<[u8]>, Vec<Entry>)>,
    root: Option<Node>,
}

impl ListingBuilder {
    /// A builder that has seen nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in the next event, which is one that [`Decoder`] gave or [`Encoder`](super::Encoder) took.
    pub fn add(&mut self, event: &Event<'_>) {
        self.position.add(event);
        match *event {
            Event::Directory { name } => self.open.push((name.into(), Vec::new())),
            Event::EndDirectory => {
                let (name, entries) = self.open.pop().unwrap_or_default();
                self.node(name, Node::Directory(entries));
            }
            Event::File { name, executable, size } => {
                self.node(name.into(), Node::File { executable, size, offset: self.position.size() });
            }
            Event::Symlink { name, target } => {
                self.node(name.into(), Node::Symlink { target: target.into() });
            }
            Event::Contents(_) | Event::EndFile => {}
        }
    }

    /// The root of the tree, if its events have come.
    #[must_use]
    pub fn finish(self) -> Option<Node> {
        self.root
    }

    fn node(&mut self, name: Box<[u8]>, node: Node) {
        match self.open.last_mut() {
            Some((_, entries)) => entries.push(Entry { name, node }),
            None => self.root = Some(node),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nar::MAX_DEPTH;

    fn listing(events: &[Event<'_>]) -> Node {
        let mut builder = ListingBuilder::new();
        events.iter().for_each(|event| builder.add(event));
        builder.finish().unwrap()
    }

    #[test]
    fn debug_form_is_flat() {
        let file = |name| Event::File { name, executable: false, size: 0 };
        let tree = listing(&[
            Event::Directory { name: b"" },
            Event::Directory { name: b"a" },
            file(b"x"),
            Event::EndFile,
            Event::Symlink { name: b"y\n", target: b"x" },
            Event::EndDirectory,
            Event::Directory { name: b"b" },
            Event::EndDirectory,
            Event::EndDirectory,
        ]);
        let Some(Node::File { offset, .. }) = tree.get(b"a/x") else { panic!("a file") };
        let file = format!("File(executable: false, size: 0, offset: {offset})");
        let expected = format!(
            r#"{{"": Directory, "/a": Directory, "/a/x": {file}, "/a/y\\n": Symlink(x), "/b": Directory}}"#
        );
        assert_eq!(format!("{tree:?}"), expected);
    }

    #[test]
    fn the_deepest_tree_can_be_printed() {
        let mut events = vec![Event::Directory { name: b"" }];
        events.resize(MAX_DEPTH, Event::Directory { name: b"d" });
        events.resize(2 * MAX_DEPTH, Event::EndDirectory);
        assert_eq!(format!("{:#?}", listing(&events)).lines().count(), MAX_DEPTH + 2);
    }
}
