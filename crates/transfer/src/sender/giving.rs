//! The stream of what is missing.

use std::{
    fmt,
    io::{self, Write},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use delta::{
    op::Op,
    window::{Head, MAX_TARGET},
};
use store::{path_info::PathInfo, store_path::StorePath};

use super::{
    Asked, Source, SourceError,
    choice::{Choice, Patch},
    hearing::Hearing,
};
use crate::{
    announcement::Announcement,
    answer::{Has, Verdict},
    error::{Error, Side},
    progress::Progress,
    receiver::{END, LONG, SHORT},
    watch::Watch,
    wire::write_message,
};

/// After so many bytes the receiver is given all that there is.
const FLUSH: u64 = 128 << 10;
/// The same after so long: what costs few bytes may cost much work, on either side.
const SILENT: Duration = Duration::from_millis(500);

/// What was sent, and how that ended.
#[derive(Debug)]
pub struct Given {
    /// Paths of which all was sent.
    pub whole: usize,
    /// Paths of which only the difference was sent.
    pub patched: usize,
    /// Paths that differ from others in hashes only.
    pub rewritten: usize,
    /// Bytes of the NARs of all of them, but for those that were there from an earlier connection.
    pub nar_bytes: u64,
    /// Bytes that went over.
    pub sent: u64,
    /// How it ended.
    pub outcome: Outcome,
}

/// How a stream ended.
#[derive(Debug)]
pub enum Outcome {
    /// All is there.
    Done,
    /// Not all, but another question may mend that.
    Again(Again),
}

/// Why another question is needed.
#[derive(Debug)]
pub enum Again {
    /// What was made of what came is not what was announced.
    Wrong {
        /// Of which path.
        path: StorePath,
        /// What the host found.
        why: String,
        /// Whether all of it had been sent.
        was_whole: bool,
    },
    /// Something is not where the host said.
    Lacks {
        /// What.
        why: String,
    },
}

impl fmt::Display for Again {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wrong { why, .. } | Self::Lacks { why } => f.write_str(why),
        }
    }
}

/// Why the stream was cut.
enum Cut {
    /// By the line, or because the receiver has ended: that one says more than the error would.
    Line,
    Source(Box<(StorePath, SourceError)>),
}

impl Cut {
    fn source(info: &PathInfo, error: impl Into<SourceError>) -> Self {
        Self::Source(Box::new((info.path.clone(), error.into())))
    }
}

impl From<io::Error> for Cut {
    fn from(_: io::Error) -> Self {
        Self::Line
    }
}

impl Asked<'_, '_> {
    /// Sends what is missing.
    ///
    /// # Errors
    /// If a path cannot be read here, the host refuses, or the line is lost or stands still.
    pub fn give(
        self,
        source: &mut dyn Source,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<Given, Error> {
        let infos: Vec<(usize, PathInfo)> = self.missing().map(|(at, info)| (at, info.clone())).collect();
        let Self { offer, packer, from, hang_up, answer } = self;
        let ends = Arc::clone(&hang_up);
        let watch = Watch::start(&offer.pulse, move || ends());
        watch.waits_for(Side::Remote);
        let hearing = Hearing::default();
        let given =
            Given { whole: 0, patched: 0, rewritten: 0, nar_bytes: 0, sent: 0, outcome: Outcome::Done };
        let mut giving = Giving {
            offer,
            answer,
            packer,
            source,
            hearing: &hearing,
            progress,
            given,
            whole: None,
            pending: 0,
            flushed: Instant::now(),
        };
        let (cut, broken) = thread::scope(|scope| {
            scope.spawn(|| hearing.listen(from, &offer.pulse));
            let cut = giving.all(&infos).err();
            let broken = matches!(cut, Some(Cut::Line)) && !hearing.is_over();
            if cut.is_some() && giving.packer.stop().is_err() {
                hang_up();
            }
            (cut, broken)
        });
        let Giving { mut given, packer, whole, .. } = giving;
        given.sent = packer.sent();
        drop(packer);
        let ended = end(cut, hearing, |index| {
            let (path, index) = (infos.iter().find(|(at, _)| *at == index)?.1.path.clone(), Some(index));
            Some((path, whole == index))
        });
        let ended = match ended {
            // The host could say that the line broke, but it cannot be asked over that again.
            Ok(Outcome::Again(Again::Lacks { .. })) if broken => {
                Err(io::Error::from(io::ErrorKind::BrokenPipe).into())
            }
            ended => ended,
        };
        watch.end(ended).map(|outcome| Given { outcome, ..given })
    }
}

/// How it ended, from what was cut and what the receiver said. `at` gives the path of an index, and whether all of it
/// was sent.
fn end(
    cut: Option<Cut>,
    hearing: Hearing,
    at: impl FnOnce(usize) -> Option<(StorePath, bool)>,
) -> Result<Outcome, Error> {
    if let Some(Cut::Source(of)) = cut {
        return Err(Error::local(of.0, of.1));
    }
    match hearing.end()? {
        Verdict::Done => Ok(Outcome::Done),
        Verdict::Wrong { index, why } => match at(index) {
            Some((path, was_whole)) => Ok(Outcome::Again(Again::Wrong { path, why, was_whole })),
            None => Err(Error::Host { why }),
        },
        Verdict::Lacks { why } => Ok(Outcome::Again(Again::Lacks { why })),
        Verdict::Refused { why } => Err(Error::refused(why)),
        Verdict::Failed { why } => Err(Error::Host { why }),
    }
}

struct Giving<'g, 'a> {
    offer: &'g super::Offer<'a>,
    answer: crate::answer::Answer,
    packer: crate::record::Packer<Box<dyn Write + Send>>,
    source: &'g mut dyn Source,
    hearing: &'g Hearing,
    progress: &'g mut dyn FnMut(Progress<'_>),
    given: Given,
    /// The last path of which all was sent, from its beginning.
    whole: Option<usize>,
    /// Bytes that the receiver may not have.
    pending: u64,
    /// When it had all.
    flushed: Instant,
}

impl Giving<'_, '_> {
    fn all(&mut self, infos: &[(usize, PathInfo)]) -> Result<(), Cut> {
        let is_short = |info: &PathInfo| info.nar_size <= MAX_TARGET.into();
        for run in infos.chunk_by(|(_, one), (_, next)| is_short(one) && is_short(next)) {
            let short = run.first().is_some_and(|(_, info)| is_short(info));
            self.number(if short { SHORT - 1 + run.len() as u64 } else { LONG })?;
            for (index, info) in run {
                self.path(*index, info)?;
            }
        }
        self.number(END)?;
        self.packer.flush()?;
        (self.progress)(Progress::Finishing);
        Ok(())
    }

    fn number(&mut self, number: u64) -> io::Result<()> {
        let mut bytes = Vec::new();
        delta::wire::write_number(number, &mut bytes);
        self.packer.write_all(&bytes)
    }

    fn path(&mut self, index: usize, info: &PathInfo) -> Result<(), Cut> {
        self.check_over()?;
        let level = self.hearing.level();
        self.packer.set_level(level)?;
        let choice = match self.answer.has.get(index) {
            Some(Has::Base) if self.offer.base(info).is_some() => {
                Choice::of(info, self.offer.bases, &*self.source, level)
            }
            _ => Choice::Whole,
        };
        match choice {
            Choice::Whole => self.send_whole(index, info)?,
            Choice::Rewrite(base) => {
                self.announce(index, info, Op::Rewrite(base), 0)?;
                self.given.rewritten += 1;
                self.given.nar_bytes += info.nar_size;
            }
            Choice::Patch(patch) => self.send_patch(index, info, *patch)?,
        }
        self.tell(info);
        if self.pending >= FLUSH || self.flushed.elapsed() >= SILENT {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        (self.pending, self.flushed) = (0, Instant::now());
        self.packer.flush()
    }

    fn send_whole(&mut self, index: usize, info: &PathInfo) -> Result<(), Cut> {
        let from = self.begun(index, info);
        self.whole = (from == 0).then_some(index);
        self.announce(index, info, Op::Whole, from)?;
        let offer_source = &mut *self.source;
        let mut sink = Metered {
            packer: &mut self.packer,
            hearing: self.hearing,
            progress: &mut *self.progress,
            given: &mut self.given,
            pending: &mut self.pending,
            path: &info.path,
            left: info.nar_size - from,
            beyond: 0,
        };
        let written = offer_source.write_nar(info, from, &mut sink);
        let (left, beyond) = (sink.left, sink.beyond);
        match written {
            Ok(()) if left == 0 && beyond == 0 => {}
            Err(SourceError::Sink(_)) if beyond == 0 => return Err(Cut::Line),
            Ok(()) | Err(SourceError::Sink(_)) => {
                let (found, expected) = (info.nar_size - left + beyond, info.nar_size);
                return Err(Cut::source(info, SourceError::Size { found, expected }));
            }
            Err(error) => return Err(Cut::source(info, error)),
        }
        self.given.whole += 1;
        Ok(())
    }

    fn send_patch(&mut self, index: usize, info: &PathInfo, mut patch: Patch) -> Result<(), Cut> {
        let from = self.begun(index, info);
        let first = usize::try_from(from / u64::from(MAX_TARGET)).unwrap_or(usize::MAX);
        self.announce(index, info, Op::Patch(patch.base.clone()), from)?;
        for at in first..patch.windows.len() {
            self.check_over()?;
            let payload =
                patch.payload(at, self.hearing.level()).map_err(|error| Cut::source(info, error))?;
            let (found, expected) = (at as u64 * u64::from(MAX_TARGET), info.nar_size);
            let payload = payload.ok_or_else(|| Cut::source(info, SourceError::Size { found, expected }))?;
            let head = Head {
                window: patch.windows[at],
                payload: u32::try_from(payload.len()).map_err(io::Error::other)?,
            };
            let mut bytes = Vec::new();
            head.write(&mut bytes);
            write_message(&bytes, &mut self.packer)?;
            self.packer.payload(&payload)?;
            // So that the receiver works on it while the next one is made.
            self.flush()?;
            self.given.nar_bytes += u64::from(head.window.target());
            self.tell(info);
        }
        self.given.patched += 1;
        Ok(())
    }

    /// How much of a path is there from an earlier connection.
    fn begun(&self, index: usize, info: &PathInfo) -> u64 {
        let partial = self.answer.partial.filter(|partial| {
            let usable = partial.bytes < info.nar_size && partial.bytes % u64::from(MAX_TARGET) == 0;
            partial.index == index && partial.nar_hash == info.nar_hash && usable
        });
        match partial {
            Some(partial) if !self.offer.whole.contains(&info.path) => partial.bytes,
            _ => 0,
        }
    }

    fn announce(&mut self, index: usize, info: &PathInfo, op: Op, from: u64) -> io::Result<()> {
        let closure = self.offer.closure;
        let references = info.references.iter().filter_map(|path| closure.position(path));
        let mut references: Vec<_> = references.collect();
        references.sort_unstable();
        let bytes = Announcement { index, info: info.clone(), references, op, from }.bytes();
        self.pending += bytes.len() as u64;
        write_message(&bytes, &mut self.packer)
    }

    fn tell(&mut self, info: &PathInfo) {
        let Given { whole, patched, rewritten, nar_bytes: bytes, .. } = self.given;
        (self.progress)(Progress::Sending { path: &info.path, paths: whole + patched + rewritten, bytes });
    }

    fn check_over(&self) -> io::Result<()> {
        check_over(self.hearing)
    }
}

/// Whether the receiver still listens.
fn check_over(hearing: &Hearing) -> io::Result<()> {
    if hearing.is_over() { Err(io::Error::other("the receiver has ended")) } else { Ok(()) }
}

/// The way of a whole NAR: exactly as many bytes as were announced.
struct Metered<'m> {
    packer: &'m mut crate::record::Packer<Box<dyn Write + Send>>,
    hearing: &'m Hearing,
    progress: &'m mut dyn FnMut(Progress<'_>),
    given: &'m mut Given,
    pending: &'m mut u64,
    path: &'m StorePath,
    left: u64,
    /// Bytes that the source had beyond that, as far as it gave them.
    beyond: u64,
}

impl Write for Metered<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        check_over(self.hearing)?;
        let count = bytes.len() as u64;
        let Some(left) = self.left.checked_sub(count) else {
            self.beyond = count - self.left;
            self.left = 0;
            return Err(io::Error::other("more than was announced"));
        };
        self.left = left;
        self.packer.set_level(self.hearing.level())?;
        self.packer.write_all(bytes)?;
        self.given.nar_bytes += count;
        *self.pending += count;
        let Given { whole, patched, rewritten, nar_bytes, .. } = *self.given;
        (self.progress)(Progress::Sending {
            path: self.path,
            paths: whole + patched + rewritten,
            bytes: nar_bytes,
        });
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
