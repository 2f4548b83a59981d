//! The size of a NAR, without making it.

use super::{Event, MAGIC, padding};

/// Adds up the size of a NAR from the events of its tree.
///
/// [`Event::Contents`] count for nothing and may be left out, so that no file need be read.
#[derive(Debug, Clone, Default)]
pub struct SizeCounter {
    size: u64,
    depth: usize,
    file_size: u64,
}

impl SizeCounter {
    /// A counter that has seen nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the bytes that `event` becomes. All contents of a file are added at its end.
    pub fn add(&mut self, event: &Event<'_>) {
        match *event {
            Event::Directory { name } => {
                self.begin_node(name);
                self.strings(&["directory"]);
                self.depth += 1;
            }
            Event::EndDirectory => {
                self.depth = self.depth.saturating_sub(1);
                self.end_node();
            }
            Event::File { name, executable, size } => {
                self.begin_node(name);
                self.strings(if executable { &["regular", "executable", ""] } else { &["regular"] });
                self.strings(&["contents"]);
                // The length before the contents; the rest comes with their end.
                self.bytes(8);
                self.file_size = size;
            }
            Event::Contents(_) => {}
            Event::EndFile => {
                self.bytes(self.file_size);
                self.bytes(padding(self.file_size) as u64);
                self.end_node();
            }
            Event::Symlink { name, target } => {
                self.begin_node(name);
                self.strings(&["symlink", "target"]);
                self.string(target.len());
                self.end_node();
            }
        }
    }

    /// Bytes of the NAR up to and with the last event; `u64::MAX` if there are more.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    fn begin_node(&mut self, name: &[u8]) {
        if self.depth == 0 {
            self.strings(&[MAGIC]);
        } else {
            self.strings(&["entry", "(", "name"]);
            self.string(name.len());
            self.strings(&["node"]);
        }
        self.strings(&["(", "type"]);
    }

    fn end_node(&mut self) {
        self.strings(if self.depth == 0 { &[")"] } else { &[")", ")"] });
    }

    fn strings(&mut self, strings: &[&str]) {
        for string in strings {
            self.string(string.len());
        }
    }

    fn string(&mut self, length: usize) {
        self.bytes((8 + length + padding(length as u64)) as u64);
    }

    fn bytes(&mut self, count: u64) {
        self.size = self.size.saturating_add(count);
    }
}
