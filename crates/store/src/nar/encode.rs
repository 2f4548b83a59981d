//! Events to bytes.

use std::io;

use thiserror::Error;

use super::{
    Event, MAGIC, padding,
    tree::{OpenDirectories, TreeError, check_target},
};

/// Why an event could not be written.
#[derive(Debug, Error)]
pub enum EncodeError {
    /// The tree is not one that could be read back.
    #[error("this tree has no NAR")]
    Tree(#[from] TreeError),
    /// The event does not belong here.
    #[error("expected {expected} next in the NAR, found {found}")]
    Order {
        /// What belongs here.
        expected: &'static str,
        /// What came.
        found: &'static str,
    },
    /// More contents came than the size of the file.
    #[error("the file has more contents than the {size} bytes announced for it")]
    TooMuchContents {
        /// The announced size.
        size: u64,
    },
    /// The file ended before all contents came.
    #[error("{missing} of the {size} bytes announced for the file are missing")]
    MissingContents {
        /// The announced size.
        size: u64,
        /// Bytes that did not come.
        missing: u64,
    },
    /// The bytes could not be written.
    #[error("cannot write the NAR")]
    Write(#[source] io::Error),
}

/// What may come next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Root,
    Entry,
    Contents { size: u64, left: u64 },
    End,
    Failed,
}

impl State {
    fn expected(self) -> &'static str {
        match self {
            Self::Root => "the root",
            Self::Entry => "an entry or the end of the directory",
            Self::Contents { .. } => "contents or the end of the file",
            Self::End => "nothing",
            Self::Failed => "nothing after an error",
        }
    }
}

/// Writes the events of one tree as a NAR, and refuses what [`Decoder`](super::Decoder) would refuse.
///
/// Each event becomes one write, contents without being copied; give it a buffered writer if writes are dear.
/// After an error the writer has part of a NAR, and nothing more is taken.
#[derive(Debug)]
pub struct Encoder<W> {
    writer: W,
    /// The strings of the event at hand.
    frame: Vec<u8>,
    state: State,
    directories: OpenDirectories,
}

impl<W: io::Write> Encoder<W> {
    /// An encoder that has written nothing yet.
    pub fn new(writer: W) -> Self {
        Self { writer, frame: Vec::new(), state: State::Root, directories: OpenDirectories::default() }
    }

    /// Writes the next event.
    pub fn write(&mut self, event: Event<'_>) -> Result<(), EncodeError> {
        let result = self.write_event(event);
        if result.is_err() {
            self.state = State::Failed;
        }
        result
    }

    /// Checks that the tree is complete and gives the writer back, not flushed.
    pub fn finish(self) -> Result<W, EncodeError> {
        match self.state {
            State::End => Ok(self.writer),
            state => Err(EncodeError::Order { expected: state.expected(), found: "the end" }),
        }
    }

    fn write_event(&mut self, event: Event<'_>) -> Result<(), EncodeError> {
        match (self.state, event) {
            (State::Root | State::Entry, Event::Directory { name }) => self.directory(name),
            (State::Root | State::Entry, Event::File { name, executable, size }) => {
                self.file(name, executable, size)
            }
            (State::Root | State::Entry, Event::Symlink { name, target }) => self.symlink(name, target),
            (State::Entry, Event::EndDirectory) => self.end_directory(),
            (State::Contents { size, left }, Event::Contents(bytes)) => self.contents(size, left, bytes),
            (State::Contents { size, left }, Event::EndFile) => self.end_file(size, left),
            (state, event) => Err(EncodeError::Order { expected: state.expected(), found: describe(&event) }),
        }
    }

    fn directory(&mut self, name: &[u8]) -> Result<(), EncodeError> {
        self.begin_node(name)?;
        self.directories.open()?;
        self.strings(&["directory"]);
        self.state = State::Entry;
        self.write_frame()
    }

    fn file(&mut self, name: &[u8], executable: bool, size: u64) -> Result<(), EncodeError> {
        self.begin_node(name)?;
        self.strings(&["regular"]);
        if executable {
            self.strings(&["executable", ""]);
        }
        self.strings(&["contents"]);
        self.frame.extend_from_slice(&size.to_le_bytes());
        self.state = State::Contents { size, left: size };
        self.write_frame()
    }

    fn symlink(&mut self, name: &[u8], target: &[u8]) -> Result<(), EncodeError> {
        check_target(target).map_err(TreeError::from)?;
        self.begin_node(name)?;
        self.strings(&["symlink", "target"]);
        self.string(target);
        self.end_node();
        self.write_frame()
    }

    fn end_directory(&mut self) -> Result<(), EncodeError> {
        self.directories.close();
        self.end_node();
        self.write_frame()
    }

    fn contents(&mut self, size: u64, left: u64, bytes: &[u8]) -> Result<(), EncodeError> {
        let left = left.checked_sub(bytes.len() as u64).ok_or(EncodeError::TooMuchContents { size })?;
        self.state = State::Contents { size, left };
        self.writer.write_all(bytes).map_err(EncodeError::Write)
    }

    fn end_file(&mut self, size: u64, left: u64) -> Result<(), EncodeError> {
        if left > 0 {
            return Err(EncodeError::MissingContents { size, missing: left });
        }
        self.frame.resize(padding(size), 0);
        self.end_node();
        self.write_frame()
    }

    /// Everything of a node before its type, with the entry around it.
    fn begin_node(&mut self, name: &[u8]) -> Result<(), EncodeError> {
        if self.state == State::Root {
            if !name.is_empty() {
                return Err(EncodeError::Order { expected: "the root", found: "a node with a name" });
            }
            self.strings(&[MAGIC]);
        } else {
            self.directories.advance(name).map_err(TreeError::from)?;
            self.strings(&["entry", "(", "name"]);
            self.string(name);
            self.strings(&["node"]);
        }
        self.strings(&["(", "type"]);
        Ok(())
    }

    fn end_node(&mut self) {
        self.strings(&[")"]);
        if self.directories.is_empty() {
            self.state = State::End;
        } else {
            self.strings(&[")"]);
            self.state = State::Entry;
        }
    }

    fn strings(&mut self, strings: &[&str]) {
        for string in strings {
            self.string(string.as_bytes());
        }
    }

    fn string(&mut self, bytes: &[u8]) {
        let length = bytes.len() as u64;
        self.frame.extend_from_slice(&length.to_le_bytes());
        self.frame.extend_from_slice(bytes);
        self.frame.resize(self.frame.len() + padding(length), 0);
    }

    fn write_frame(&mut self) -> Result<(), EncodeError> {
        let written = self.writer.write_all(&self.frame);
        self.frame.clear();
        written.map_err(EncodeError::Write)
    }
}

fn describe(event: &Event<'_>) -> &'static str {
    match event {
        Event::Directory { .. } => "a directory",
        Event::EndDirectory => "the end of a directory",
        Event::File { .. } => "a file",
        Event::Contents(_) => "contents",
        Event::EndFile => "the end of a file",
        Event::Symlink { .. } => "a symbolic link",
    }
}
