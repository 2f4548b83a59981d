//! One stream over several lanes: blocks, each of which says on which lane the next one comes.
//!
//! One channel of ssh carries at most its window, 2 MiB, in a round trip; over a long line two carry twice as much. A
//! lane may join at any time. The block's head is four bytes, big-endian: the highest bit is the lane of the next
//! block, the rest the number of bytes that follow.

use std::{
    io::{self, Read, Write},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
};

/// Most bytes of a block: with its head as many as one frame of a session holds.
const BLOCK: usize = (64 << 10) - 4;
/// Blocks that wait for a lane.
const WAITING: usize = 8;
/// The highest bit of a head.
const OTHER: u32 = 1 << 31;

/// A lane on which blocks are written, from a thread of its own.
struct Lane {
    blocks: SyncSender<Vec<u8>>,
    pending: Arc<AtomicUsize>,
    failed: Arc<AtomicBool>,
}

impl Lane {
    fn start(mut to: Box<dyn Write + Send>) -> Self {
        let (blocks, waiting) = sync_channel::<Vec<u8>>(WAITING);
        let (pending, failed) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let lane = Self { blocks, pending: Arc::clone(&pending), failed: Arc::clone(&failed) };
        thread::spawn(move || {
            for block in waiting {
                if to.write_all(&block).and_then(|()| to.flush()).is_err() {
                    failed.store(true, Ordering::Release);
                    return;
                }
                pending.fetch_sub(1, Ordering::AcqRel);
            }
        });
        lane
    }

    fn send(&self, block: Vec<u8>) -> io::Result<()> {
        let broken = || io::Error::from(io::ErrorKind::BrokenPipe);
        if self.failed.load(Ordering::Acquire) {
            return Err(broken());
        }
        self.pending.fetch_add(1, Ordering::AcqRel);
        self.blocks.send(block).map_err(|_| broken())
    }

    fn pending(&self) -> usize {
        self.pending.load(Ordering::Acquire)
    }
}

/// A stream to a receiver.
pub struct LanesWriter {
    first: Lane,
    second: Option<Lane>,
    joining: Receiver<Box<dyn Write + Send>>,
    /// Whether the next block is due on the second.
    on_second: bool,
    block: Vec<u8>,
}

impl LanesWriter {
    /// A stream over one lane. A second one that comes out of `joining` is used from then on.
    #[must_use]
    pub fn new(first: Box<dyn Write + Send>, joining: Receiver<Box<dyn Write + Send>>) -> Self {
        let first = Lane::start(first);
        Self { first, second: None, joining, on_second: false, block: Vec::with_capacity(BLOCK) }
    }

    fn send(&mut self) -> io::Result<()> {
        if self.block.is_empty() {
            return Ok(());
        }
        if self.second.is_none() {
            self.second = self.joining.try_recv().ok().map(Lane::start);
        }
        let on_second = self.on_second;
        // The block itself counts where it goes.
        let first = self.first.pending() + usize::from(!on_second);
        let next =
            self.second.as_ref().is_some_and(|second| second.pending() + usize::from(on_second) < first);
        let length = u32::try_from(self.block.len()).map_err(io::Error::other)?;
        let head = length | if next { OTHER } else { 0 };
        let block = [&head.to_be_bytes()[..], &self.block].concat();
        self.block.clear();
        self.on_second = next;
        match &self.second {
            Some(second) if on_second => second.send(block),
            _ => self.first.send(block),
        }
    }
}

impl Write for LanesWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = bytes.len().min(BLOCK - self.block.len());
        self.block.extend_from_slice(&bytes[..count]);
        if self.block.len() == BLOCK {
            self.send()?;
        }
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.send()
    }
}

/// How a receiver comes to its second lane, when a block is due there for the first time.
pub type Join = Box<dyn FnOnce() -> io::Result<Box<dyn Read + Send>> + Send>;

/// A stream from a sender.
pub struct LanesReader<R> {
    first: R,
    second: Option<Box<dyn Read + Send>>,
    join: Option<Join>,
    on_second: bool,
    next: bool,
    left: usize,
}

impl<R: Read> LanesReader<R> {
    /// A stream over `first`, and over what `join` gives.
    #[must_use]
    pub fn new(first: R, join: Join) -> Self {
        Self { first, second: None, join: Some(join), on_second: false, next: false, left: 0 }
    }

    /// Where the next bytes come.
    fn lane(&mut self) -> io::Result<&mut dyn Read> {
        if !self.on_second {
            return Ok(&mut self.first);
        }
        if let Some(join) = self.join.take() {
            self.second = Some(join()?);
        }
        match &mut self.second {
            Some(second) => Ok(second),
            None => Err(io::Error::new(io::ErrorKind::NotConnected, "the second lane did not come")),
        }
    }

    /// Reads the head of the next block; false at the end of the stream.
    fn head(&mut self) -> io::Result<bool> {
        self.on_second = self.next;
        let mut head = [0; 4];
        let mut filled = 0;
        while filled < head.len() {
            match self.lane()?.read(&mut head[filled..]) {
                Ok(0) if filled == 0 => return Ok(false),
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        let head = u32::from_be_bytes(head);
        self.next = head & OTHER != 0;
        self.left = usize::try_from(head & !OTHER).unwrap_or(usize::MAX);
        if !(1..=BLOCK).contains(&self.left) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a block of this length is never sent"));
        }
        Ok(true)
    }
}

impl<R: Read> Read for LanesReader<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if into.is_empty() || (self.left == 0 && !self.head()?) {
            return Ok(0);
        }
        let most = into.len().min(self.left);
        let count = self.lane()?.read(&mut into[..most])?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.left -= count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use proptest::prelude::*;

    use super::*;

    fn pattern(length: usize) -> Vec<u8> {
        (0..length).map(|at| u8::try_from(at % 251).unwrap()).collect()
    }

    /// Sends `bytes` in pieces, with a second lane from `joins` pieces on, and gives what arrives on both.
    fn through(bytes: &[u8], piece: usize, joins: usize) -> Vec<u8> {
        let (read_first, write_first) = io::pipe().unwrap();
        let (read_second, write_second) = io::pipe().unwrap();
        let (join, joining) = channel();
        let sent = bytes.to_vec();
        let sender = thread::spawn(move || {
            let mut writer = LanesWriter::new(Box::new(write_first), joining);
            let mut second: Option<Box<dyn Write + Send>> = Some(Box::new(write_second));
            for (number, piece) in sent.chunks(piece).enumerate() {
                if number >= joins
                    && let Some(second) = second.take()
                {
                    join.send(second).unwrap();
                }
                writer.write_all(piece).unwrap();
                writer.flush().unwrap();
            }
        });
        let join: Join = Box::new(move || Ok(Box::new(read_second)));
        let mut found = Vec::new();
        LanesReader::new(read_first, join).read_to_end(&mut found).unwrap();
        sender.join().unwrap();
        found
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn all_comes_in_order_on_one_lane_or_two(
            length in 0..2_000_000_usize, piece in 1..200_000_usize, joins in 0..20_usize
        ) {
            let bytes = pattern(length);
            prop_assert!(through(&bytes, piece.max(length / 500 + 1), joins) == bytes);
        }

        #[test]
        fn any_bytes_are_blocks_or_an_error(bytes: Vec<u8>) {
            let join: Join = Box::new(|| Err(io::ErrorKind::NotConnected.into()));
            let mut found = Vec::new();
            if LanesReader::new(&bytes[..], join).read_to_end(&mut found).is_ok() {
                prop_assert!(found.len() <= bytes.len());
            }
        }
    }

    #[test]
    fn a_lane_that_breaks_or_does_not_come_is_an_error() {
        let (reader, writer) = io::pipe().unwrap();
        drop(reader);
        let (_join, joining) = channel();
        let mut writer = LanesWriter::new(Box::new(writer), joining);
        let broken = (0..1000).find_map(|_| writer.write_all(&[0; BLOCK]).err());
        assert_eq!(broken.unwrap().kind(), io::ErrorKind::BrokenPipe);
        let blocks = [&(1 | OTHER).to_be_bytes()[..], b"x"].concat();
        let join: Join = Box::new(|| Err(io::ErrorKind::TimedOut.into()));
        let mut reader = LanesReader::new(&blocks[..], join);
        assert_eq!(reader.read(&mut [0; 9]).unwrap(), 1);
        assert_eq!(reader.read(&mut [0; 9]).unwrap_err().kind(), io::ErrorKind::TimedOut);
    }
}
