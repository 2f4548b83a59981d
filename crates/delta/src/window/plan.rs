//! Which piece of the base each window is made with.

use std::{collections::BTreeMap, ops::Range};

use store::nar::Node;

use super::{MAX_BASE, MAX_TARGET, Window};

/// Where the files of a NAR are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    /// Bytes of the NAR.
    size: u64,
    /// The contents of each file that is not empty, by where they begin.
    files: BTreeMap<u64, File>,
    /// Where the contents of each of those files begin.
    offsets: BTreeMap<Box<[u8]>, u64>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct File {
    path: Box<[u8]>,
    size: u64,
}

impl Shape {
    /// The shape of a NAR of `size` bytes with this listing.
    #[must_use]
    pub fn new(size: u64, listing: &Node) -> Self {
        let mut shape = Self { size, files: BTreeMap::new(), offsets: BTreeMap::new() };
        let mut open: Vec<(Vec<u8>, &Node)> = vec![(Vec::new(), listing)];
        while let Some((path, node)) = open.pop() {
            match node {
                Node::Directory(entries) => open.extend(entries.iter().map(|entry| {
                    let path = [&path[..], b"/", &entry.name].concat();
                    (path, &entry.node)
                })),
                Node::File { size: 1.., .. } => shape.add(path, node),
                Node::File { .. } | Node::Symlink { .. } => {}
            }
        }
        shape
    }

    /// Bytes of the NAR.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    fn add(&mut self, path: Vec<u8>, node: &Node) {
        if let Node::File { size, offset, .. } = *node {
            self.offsets.insert(path.clone().into(), offset);
            self.files.insert(offset, File { path: path.into(), size });
        }
    }

    /// The file that has most bytes of `range`: where its contents begin, and its path.
    fn main_file(&self, range: &Range<u64>) -> Option<(u64, &[u8])> {
        let before = self.files.range(..range.start).next_back();
        let overlap = |offset: u64, file: &File| {
            let end = offset.saturating_add(file.size).min(range.end);
            end.saturating_sub(offset.max(range.start))
        };
        let files = before.into_iter().chain(self.files.range(range.clone()));
        let (offset, file) = files.max_by_key(|(offset, file)| overlap(**offset, file))?;
        (overlap(*offset, file) > 0).then_some((*offset, &*file.path))
    }
}

/// The windows of a NAR, each with the place of the base that is likeliest to be like it.
///
/// That is the same place of the same file, if the base has the file that most of the window is of; otherwise the place
/// that is as far through the base. The piece of the base reaches as far to either side of it as may be.
#[must_use]
pub fn plan(target: &Shape, base: &Shape) -> Vec<Window> {
    let mut windows = Vec::new();
    let mut start = 0;
    while start < target.size {
        let end = target.size.min(start + u64::from(MAX_TARGET));
        windows.push(window(&(start..end), target, base));
        start = end;
    }
    windows
}

fn window(range: &Range<u64>, target: &Shape, base: &Shape) -> Window {
    let length = range.end - range.start;
    let around = (u64::from(MAX_BASE) - length) / 2;
    let last = base.size.saturating_sub(MAX_BASE.into());
    let base_offset = counterpart(range, target, base).saturating_sub(around).min(last);
    let narrow = |number: u64| u32::try_from(number).unwrap_or(MAX_TARGET);
    Window {
        target: narrow(length),
        base_offset,
        base: narrow((base.size - base_offset).min(MAX_BASE.into())),
    }
}

/// Where in the base the range should begin.
fn counterpart(range: &Range<u64>, target: &Shape, base: &Shape) -> u64 {
    let same = target.main_file(range).and_then(|(here, path)| Some((here, *base.offsets.get(path)?)));
    match same {
        Some((here, there)) => (there + range.start).saturating_sub(here),
        None => proportional(range.start, target.size, base.size),
    }
}

fn proportional(start: u64, target: u64, base: u64) -> u64 {
    let place = u128::from(start) * u128::from(base) / u128::from(target.max(1));
    u64::try_from(place).unwrap_or(u64::MAX)
}
