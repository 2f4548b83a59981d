//! The operator's end: asks what the host has, and sends the rest in one stream, each path in the cheapest way.

mod bases;
mod choice;
mod giving;
mod hearing;
mod source;

use std::{
    collections::BTreeSet,
    io::{Read, Write},
    sync::Arc,
    time::Duration,
};

use store::{closure::Closure, path_info::PathInfo, store_path::StorePath};

pub use self::{
    bases::Bases,
    giving::{Again, Given, Outcome},
    source::{Behind, OnDisk, Source, SourceError},
};
use crate::{
    answer::{Answer, Has, Said, Verdict},
    ask::Need,
    error::{Error, Side},
    question::{MAX_PATHS, Question, Wanted},
    record::Packer,
    watch::{Pulse, Watch},
};

/// zstd's level where bytes count more than time, as long as it is not known to be otherwise.
pub(crate) const SLOW_LINE: i32 = 9;
/// Where time counts more.
pub(crate) const FAST_LINE: i32 = 3;
/// Where compressing takes longer than sending.
pub(crate) const FASTEST_LINE: i32 = 1;
/// Questions of one offer that may end in something missing.
const MOST_LACKS: u8 = 3;

/// The two directions of a channel to a receiver.
pub struct Streams {
    /// To it.
    pub to: Box<dyn Write + Send>,
    /// From it.
    pub from: Box<dyn Read + Send>,
    /// Ends both, so that whoever waits for them goes on.
    pub hang_up: Arc<dyn Fn() + Send + Sync>,
}

/// What is to be valid on a host.
#[derive(Debug, Clone)]
pub struct Offer<'a> {
    closure: &'a Closure,
    bases: &'a Bases,
    pulse: Pulse,
    substitute: Option<Duration>,
    /// Paths of which something else than all of it has gone wrong.
    whole: BTreeSet<StorePath>,
    lacks: u8,
}

impl<'a> Offer<'a> {
    /// All of `closure`, of which some may be made of `bases`. `pulse` says how long nothing may go on. With
    /// `substitute` the host may get paths from its caches, for that long.
    #[must_use]
    pub fn new(closure: &'a Closure, bases: &'a Bases, pulse: &Pulse, substitute: Option<Duration>) -> Self {
        let pulse = pulse.clone();
        Self { closure, bases, pulse, substitute, whole: BTreeSet::new(), lacks: 0 }
    }

    /// The same, after something was not as it should be.
    ///
    /// # Errors
    /// If asking again would not mend it.
    pub fn amend(&mut self, again: Again) -> Result<(), Error> {
        match again {
            Again::Wrong { path, why, was_whole } => {
                if was_whole || !self.whole.insert(path.clone()) {
                    return Err(Error::Wrong { path, why });
                }
            }
            Again::Lacks { why } => {
                self.substitute = None;
                self.lacks += 1;
                if self.lacks >= MOST_LACKS {
                    return Err(Error::Host { why });
                }
            }
        }
        Ok(())
    }

    fn question(&self) -> Result<Question, Error> {
        if self.closure.len() > MAX_PATHS || self.closure.is_empty() {
            let why = format!("{} paths, 1 to {MAX_PATHS} can be sent at once", self.closure.len());
            return Err(Error::Host { why });
        }
        let wanted = |info: &PathInfo| Wanted { path: info.path.clone(), base: self.base(info).cloned() };
        Ok(Question { substitute: self.substitute, paths: self.closure.iter().map(wanted).collect() })
    }

    /// What a path could be made of.
    fn base(&self, info: &PathInfo) -> Option<&StorePath> {
        if self.whole.contains(&info.path) { None } else { self.bases.of(&info.path) }
    }

    /// Asks the host what it has of all this.
    ///
    /// # Errors
    /// If it does not answer.
    pub fn ask(&self, streams: Streams) -> Result<Asked<'_, 'a>, Error> {
        let Streams { to, mut from, hang_up } = streams;
        let question = self.question()?;
        let ends = Arc::clone(&hang_up);
        let watch = Watch::start(&self.pulse, move || ends());
        watch.waits_for(Side::Remote);
        let answered = Packer::new(to, SLOW_LINE).map_err(Error::from).and_then(|mut packer| {
            question.write(&mut packer)?;
            packer.flush()?;
            Ok((packer, self.hear_answer(&mut from)?))
        });
        let (packer, answer) = watch.end(answered)?;
        Ok(Asked { offer: self, packer, from, hang_up, answer })
    }

    fn hear_answer(&self, from: &mut impl Read) -> Result<Answer, Error> {
        loop {
            let said = Said::read(from)?;
            self.pulse.beat();
            match said {
                Said::Answer(answer) if answer.has.len() == self.closure.len() => return Ok(answer),
                Said::GoingOn { .. } => {}
                Said::Verdict(Verdict::Refused { why }) => return Err(Error::refused(why)),
                Said::Verdict(Verdict::Failed { why } | Verdict::Lacks { why }) => {
                    return Err(Error::Host { why });
                }
                Said::Answer(_) | Said::Verdict(_) => {
                    return Err(Error::Host { why: "it did not answer what it was asked".to_owned() });
                }
            }
        }
    }
}

/// A host that has said what it has.
pub struct Asked<'o, 'a> {
    offer: &'o Offer<'a>,
    packer: Packer<Box<dyn Write + Send>>,
    from: Box<dyn Read + Send>,
    hang_up: Arc<dyn Fn() + Send + Sync>,
    answer: Answer,
}

impl Asked<'_, '_> {
    /// What is to be sent: paths and bytes of their NARs.
    #[must_use]
    pub fn need(&self) -> Need {
        self.missing().fold(Need::default(), |need, (_, info)| Need {
            paths: need.paths + 1,
            nar_bytes: need.nar_bytes.saturating_add(info.nar_size),
        })
    }

    /// How many paths the host gets from its caches.
    #[must_use]
    pub fn fetched(&self) -> usize {
        self.answer.has.iter().filter(|has| **has == Has::Fetches).count()
    }

    /// What is to be sent, with its index in the question.
    fn missing(&self) -> impl Iterator<Item = (usize, &PathInfo)> {
        let all = self.offer.closure.iter().enumerate().zip(&self.answer.has);
        all.filter(|(_, has)| matches!(has, Has::Base | Has::Nothing)).map(|(one, _)| one)
    }
}
