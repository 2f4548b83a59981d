//! Making the NAR of a path of what comes and of what is there.

use std::io::{Read, Write};

use daemon::files::NarFile;
use delta::{
    op::{Base, Op},
    rewrite::{RewriteWriter, Rewriter},
    window::{self, Head, MAX_HEAD, MAX_TARGET},
};

use super::{Receiver, Trouble};
use crate::{
    announcement::Announcement,
    wire::{Malformed, end, read_message},
};

/// How much of a NAR is passed on at once.
const PIECE: usize = 64 << 10;

/// What windows are made of.
#[derive(Default)]
pub(super) struct Buffers {
    source: Vec<u8>,
    payload: Vec<u8>,
}

/// A base, ready to be rewritten.
struct Source {
    file: NarFile,
    rewriter: Rewriter,
}

impl<R: Read> Receiver<'_, R> {
    /// Makes a NAR of at most one window as a whole.
    pub(super) fn make_short(&mut self, what: &Announcement, nar: &mut Vec<u8>) -> Result<(), Trouble> {
        let wrong = |why: String| Trouble::Wrong { index: what.index, why };
        match &what.op {
            Op::Whole => self.pass_on(what.info.nar_size, nar),
            Op::Rewrite(base) => {
                let mut source = self.source(what, base)?;
                let size = source.size(what)?;
                source.file.read_at(0..size, nar).map_err(|error| wrong(super::chain(&error)))?;
                source.rewriter.rewrite(nar);
                Ok(())
            }
            Op::Patch(base) => {
                let mut source = self.source(what, base)?;
                let head = self.head()?;
                self.window(what, &head, &mut source, nar)
            }
        }
    }

    /// Makes a NAR, or what is not there of it.
    pub(super) fn make(&mut self, what: &Announcement, sink: &mut dyn Write) -> Result<(), Trouble> {
        match &what.op {
            Op::Whole => self.pass_on(what.info.nar_size - what.from, sink),
            Op::Rewrite(base) => self.rewrite(what, base, sink),
            Op::Patch(base) => self.patch(what, base, sink),
        }
    }

    /// Passes on the next bytes of the stream.
    fn pass_on(&mut self, mut left: u64, sink: &mut dyn Write) -> Result<(), Trouble> {
        let mut buffer = [0; PIECE];
        while left > 0 {
            let most = usize::try_from(left).unwrap_or(PIECE).min(PIECE);
            let count = self.stream.read(&mut buffer[..most])?;
            sink.write_all(&buffer[..count])?;
            left -= count as u64;
        }
        Ok(())
    }

    fn rewrite(&mut self, what: &Announcement, base: &Base, sink: &mut dyn Write) -> Result<(), Trouble> {
        if what.from > 0 {
            return Err(due(what, "nothing of it can be there").into());
        }
        let mut source = self.source(what, base)?;
        let size = source.size(what)?;
        let mut writer = RewriteWriter::new(&source.rewriter, sink);
        for start in (0..size).step_by(MAX_TARGET as usize) {
            let end = size.min(start + u64::from(MAX_TARGET));
            let read = source.file.read_at(start..end, &mut self.buffers.source);
            read.map_err(|error| Trouble::Wrong { index: what.index, why: super::chain(&error) })?;
            writer.write_all(&self.buffers.source)?;
        }
        writer.finish()?;
        Ok(())
    }

    fn patch(&mut self, what: &Announcement, base: &Base, sink: &mut dyn Write) -> Result<(), Trouble> {
        let mut source = self.source(what, base)?;
        let (mut made, mut target) = (what.from, Vec::new());
        while made < what.info.nar_size {
            let head = self.head()?;
            made += u64::from(head.window.target());
            if made > what.info.nar_size {
                return Err(due(what, "its windows make more than it has").into());
            }
            self.window(what, &head, &mut source, &mut target)?;
            sink.write_all(&target)?;
        }
        Ok(())
    }

    fn head(&mut self) -> Result<Head, Trouble> {
        let message = read_message("the head of a window", MAX_HEAD as u64, &mut self.stream)?;
        let mut bytes = &message[..];
        let head = Head::read(&mut bytes).map_err(Malformed::from)?;
        end(bytes)?;
        Ok(head)
    }

    /// Makes the bytes of a window, in place of what `target` holds.
    fn window(
        &mut self,
        what: &Announcement,
        head: &Head,
        source: &mut Source,
        target: &mut Vec<u8>,
    ) -> Result<(), Trouble> {
        let wrong = |why: String| Trouble::Wrong { index: what.index, why };
        let Buffers { source: piece, payload } = &mut self.buffers;
        // In this order: whatever is wrong with the base, the stream goes on behind the payload.
        self.stream.payload(head.payload, payload)?;
        let size = source.file.size();
        let range = head.window.source(size).map_err(|error| wrong(error.to_string()))?;
        source.file.read_at(range, piece).map_err(|error| wrong(super::chain(&error)))?;
        window::decode(&head.window, (piece, size), &source.rewriter, payload, target)
            .map_err(|error| wrong(error.to_string()))
    }

    /// The base of a path, as it is in the store.
    fn source(&mut self, what: &Announcement, base: &Base) -> Result<Source, Trouble> {
        let wrong = |why: String| Trouble::Wrong { index: what.index, why };
        self.ledger.check_base(what, &base.path)?;
        let info = self.asking.query_path_info(&base.path)?;
        let info = info.ok_or_else(|| wrong(format!("the base {} is gone", base.path)))?;
        let rewriter = base.rewriter(&what.info, &info).map_err(|error| wrong(error.to_string()))?;
        let file = NarFile::open(self.place.store.display(&base.path).to_string().as_ref());
        Ok(Source { file: file.map_err(|error| wrong(super::chain(&error)))?, rewriter })
    }
}

impl Source {
    /// Bytes of the base, which are those of the path.
    fn size(&self, what: &Announcement) -> Result<u64, Trouble> {
        let (found, expected) = (self.file.size(), what.info.nar_size);
        let why = || format!("the base has {found} bytes, and should have {expected}");
        if found == expected { Ok(found) } else { Err(Trouble::Wrong { index: what.index, why: why() }) }
    }
}

fn due(what: &Announcement, why: &'static str) -> Malformed {
    Malformed::NotDue { index: what.index as u64, why }
}
