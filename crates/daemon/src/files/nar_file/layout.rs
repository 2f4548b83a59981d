//! What is where in the NAR of a tree, without the contents of its files.

use std::{io, ops::Range};

use store::nar::{EncodeError, Encoder, Event, ListingBuilder, Node, SizeCounter, padding};

/// What ends an entry, and a directory: this once if it is the root, else twice.
const CLOSE: [u8; 16] = *b"\x01\0\0\0\0\0\0\0)\0\0\0\0\0\0\0";

/// The entries of a tree in the order of its NAR.
#[derive(Debug)]
pub(super) struct Layout {
    entries: Vec<Entry>,
    /// The names, each followed by the target if it is a symbolic link's.
    text: Vec<u8>,
    size: u64,
}

/// An entry of the tree.
#[derive(Debug)]
struct Entry {
    /// Where in the NAR it begins.
    start: u64,
    /// Bytes of a file's contents, or of a link's target.
    size: u64,
    /// Where in the text its name begins.
    text: u32,
    /// The directory around it.
    parent: u32,
    name_size: u16,
    kind: Kind,
}

/// What [`NarFile`](super::NarFile) says it holds.
const _: () = assert!(size_of::<Entry>() == 32);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Directory,
    File { executable: bool },
    Symlink,
}

/// The bytes of one entry up to the next one, in three parts.
pub(super) struct Parts {
    /// Where in the NAR it begins.
    pub(super) start: u64,
    /// What comes before the contents of a file, or all of a link's or an empty directory's own.
    pub(super) head: Vec<u8>,
    /// Where in the NAR the contents are.
    pub(super) contents: Range<u64>,
    /// Where in the NAR the next entry begins.
    pub(super) end: u64,
}

impl Parts {
    /// What comes behind the contents, without its first `offset` bytes: padding, then the end of the entry and of
    /// the directories that end with it.
    pub(super) fn tail(&self, offset: u64) -> impl Iterator<Item = u8> {
        let zeros = padding(self.contents.end - self.contents.start);
        let all = std::iter::repeat_n(0, zeros).chain(CLOSE.into_iter().cycle());
        all.skip(usize::try_from(offset).unwrap_or(usize::MAX))
    }
}

impl Layout {
    /// Bytes of the NAR.
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// The entry that the byte at `position` belongs to, an entry having all bytes up to the next one.
    pub(super) fn find(&self, position: u64) -> usize {
        self.entries.partition_point(|entry| entry.start <= position).saturating_sub(1)
    }

    pub(super) fn parts(&self, index: usize) -> Result<Parts, EncodeError> {
        let entry = &self.entries[index];
        let head = head(&self.event(index), index == 0)?;
        let begin = entry.start + head.len() as u64;
        let size = if matches!(entry.kind, Kind::File { .. }) { entry.size } else { 0 };
        let end = self.entries.get(index + 1).map_or(self.size, |next| next.start);
        Ok(Parts { start: entry.start, head, contents: begin..begin + size, end })
    }

    /// The directory around an entry; none around the root.
    pub(super) fn parent(&self, index: usize) -> Option<usize> {
        (index > 0).then(|| self.entries[index].parent as usize)
    }

    /// The name of an entry, empty for the root.
    pub(super) fn name(&self, index: usize) -> &[u8] {
        let entry = &self.entries[index];
        &self.text[entry.text as usize..][..usize::from(entry.name_size)]
    }

    /// The size of a file, and whether it is executable.
    pub(super) fn file(&self, index: usize) -> Option<(u64, bool)> {
        match self.entries[index] {
            Entry { kind: Kind::File { executable }, size, .. } => Some((size, executable)),
            _ => None,
        }
    }

    pub(super) fn listing(&self) -> Node {
        let mut builder = ListingBuilder::new();
        let mut open = Vec::new();
        for index in 0..self.entries.len() {
            while open.last().copied() != self.parent(index) {
                open.pop();
                builder.add(&Event::EndDirectory);
            }
            builder.add(&self.event(index));
            match self.entries[index].kind {
                Kind::Directory => open.push(index),
                Kind::File { .. } => builder.add(&Event::EndFile),
                Kind::Symlink => {}
            }
        }
        open.iter().for_each(|_| builder.add(&Event::EndDirectory));
        builder.finish().expect("invariant: a layout has a root")
    }

    fn event(&self, index: usize) -> Event<'_> {
        let name = self.name(index);
        let entry = &self.entries[index];
        match entry.kind {
            Kind::Directory => Event::Directory { name },
            Kind::File { executable } => Event::File { name, executable, size: entry.size },
            Kind::Symlink => {
                let target = &self.text[entry.text as usize + name.len()..];
                Event::Symlink { name, target: &target[..usize::try_from(entry.size).unwrap_or(usize::MAX)] }
            }
        }
    }
}

/// The bytes that an event becomes within a tree.
fn head(event: &Event<'_>, is_root: bool) -> Result<Vec<u8>, EncodeError> {
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes);
    let around = Event::Directory { name: b"" };
    if is_root {
        encoder.write(*event)?;
        return Ok(bytes);
    }
    let mut counter = SizeCounter::new();
    counter.add(&around);
    encoder.write(around)?;
    encoder.write(*event)?;
    Ok(bytes.split_off(usize::try_from(counter.size()).unwrap_or(usize::MAX)))
}

/// Makes a layout of the entries of a tree as they come, parents first and in the order of their names.
#[derive(Debug)]
pub(super) struct Builder {
    layout: Layout,
    position: SizeCounter,
    /// Refuses what has no NAR. It is told that files are empty.
    check: Encoder<io::Sink>,
    /// The directories around the next entry.
    open: Vec<u32>,
}

/// Why an entry is not taken.
#[derive(Debug)]
pub(super) enum Refused {
    /// The tree has no NAR.
    Tree(EncodeError),
    /// What is known of it cannot be held.
    TooLarge,
}

impl Builder {
    pub(super) fn new() -> Self {
        let layout = Layout { entries: Vec::new(), text: Vec::new(), size: 0 };
        let check = Encoder::new(io::sink());
        Self { layout, position: SizeCounter::new(), check, open: Vec::new() }
    }

    /// Takes the next entry or the end of a directory; contents and the ends of files are not told.
    pub(super) fn add(&mut self, event: &Event<'_>) -> Result<(), Refused> {
        self.check(event).map_err(Refused::Tree)?;
        match *event {
            Event::Directory { name } => {
                let index = self.entry(name, Kind::Directory, 0)?;
                self.open.push(index);
                self.position.add(event);
            }
            Event::File { name, executable, size } => {
                self.entry(name, Kind::File { executable }, size)?;
                self.position.add(event);
                self.position.add(&Event::EndFile);
            }
            Event::Symlink { name, target } => {
                self.entry(name, Kind::Symlink, target.len() as u64)?;
                self.layout.text.extend_from_slice(target);
                self.position.add(event);
            }
            Event::EndDirectory => {
                self.open.pop();
                self.position.add(event);
            }
            Event::Contents(_) | Event::EndFile => {}
        }
        // What is that large has been cut off.
        if self.position.size() == u64::MAX { Err(Refused::TooLarge) } else { Ok(()) }
    }

    /// The number that the entry added last has.
    pub(super) fn last(&self) -> usize {
        self.layout.entries.len().saturating_sub(1)
    }

    /// What there is so far.
    pub(super) fn layout(&self) -> &Layout {
        &self.layout
    }

    pub(super) fn finish(mut self) -> Layout {
        self.layout.size = self.position.size();
        self.layout.entries.shrink_to_fit();
        self.layout.text.shrink_to_fit();
        self.layout
    }

    fn check(&mut self, event: &Event<'_>) -> Result<(), EncodeError> {
        match *event {
            Event::File { name, executable, .. } => {
                self.check.write(Event::File { name, executable, size: 0 })?;
                self.check.write(Event::EndFile)
            }
            event => self.check.write(event),
        }
    }

    fn entry(&mut self, name: &[u8], kind: Kind, size: u64) -> Result<u32, Refused> {
        let number = |number: usize| u32::try_from(number).map_err(|_| Refused::TooLarge);
        let index = number(self.layout.entries.len())?;
        let entry = Entry {
            start: self.position.size(),
            size,
            text: number(self.layout.text.len())?,
            parent: self.open.last().copied().unwrap_or(0),
            name_size: u16::try_from(name.len()).map_err(|_| Refused::TooLarge)?,
            kind,
        };
        self.layout.entries.push(entry);
        self.layout.text.extend_from_slice(name);
        Ok(index)
    }
}
