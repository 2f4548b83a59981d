//! What is in a NAR and where, without the contents.

use super::{DecodeError, Decoder, Event, SizeCounter};

/// One directory, file or link of a NAR.
#[derive(Debug, Clone, PartialEq, Eq)]
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
