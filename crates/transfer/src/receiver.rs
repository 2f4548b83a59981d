//! The host's end: answers the question, makes each path of what comes and of what is there, and gives it to the
//! daemon once it is known to be right.
//!
//! What comes is not believed: lengths are bounded, a path comes only if it was asked for, after all it refers to,
//! and the daemon is told the end of a NAR only when its SHA-256 is the one that was announced. A NAR of up to
//! [`MAX_TARGET`] bytes is held as a whole for that, of a longer one the end is held back.
//!
//! **Memory.** Beside the list of paths: one window (a piece of the base, a payload, what they make) and zstd's
//! 8 MiB, whatever comes.

mod fetching;
mod ledger;
mod making;
mod spool;
mod voice;

use std::{
    collections::BTreeSet,
    io::{self, Read, Write},
    path::Path,
    sync::Arc,
};

use daemon::{AddPolicy, Client, Stream, UploadError};
use delta::window::MAX_TARGET;
use store::{
    hash::Sha256,
    path_info::PathInfo,
    store_path::{StoreDir, StorePath},
};
use thiserror::Error;

pub(crate) use self::ledger::Ledger;
use self::{
    fetching::Fetching,
    making::Buffers,
    spool::{Spool, Tee},
    voice::{Counted, Voice},
};
use crate::{
    announcement::{Announcement, MAX_ANNOUNCEMENT},
    answer::{Answer, Has, Verdict},
    question::{Question, Wanted},
    record::{Stopped, Unpacker},
    wire::{Malformed, read_message, read_number_from},
};

/// What stands before paths: that no more come, that so many short ones come, or one long one.
pub(crate) const END: u64 = 0;
pub(crate) const LONG: u64 = 1;
/// Plus the number of short paths.
pub(crate) const SHORT: u64 = 2;

/// The host's own daemon trusts us, or wants signatures whatever we ask for.
const POLICY: AddPolicy = AddPolicy { repair: false, check_signatures: false };

/// How connections to the daemon are made.
pub type Connect = Arc<dyn Fn() -> io::Result<Stream> + Send + Sync>;

/// Where paths are received.
pub struct Place<'a> {
    /// New connections to the daemon that is to have the paths.
    pub connect: Connect,
    /// The directory of its store, in which bases are read.
    pub store: StoreDir,
    /// A directory for the path in work, so that it need not come again after a broken connection. It is made.
    pub spool: &'a Path,
}

/// Why the receiver does not go on.
#[derive(Debug, Error)]
enum Trouble {
    #[error(transparent)]
    Malformed(#[from] Malformed),
    #[error("{why}")]
    Wrong { index: usize, why: String },
    #[error("{0}")]
    Lacks(String),
    #[error("{0}")]
    Refused(String),
    #[error("{0}")]
    Failed(String),
}

impl Trouble {
    fn verdict(self) -> Verdict {
        match self {
            Self::Malformed(error) => Verdict::Failed { why: chain(&error) },
            Self::Wrong { index, why } => Verdict::Wrong { index, why },
            Self::Lacks(why) => Verdict::Lacks { why },
            Self::Refused(why) => Verdict::Refused { why },
            Self::Failed(why) => Verdict::Failed { why },
        }
    }

    /// Whether only the line is to blame, so that what was begun can be gone on with.
    fn is_of_the_line(&self) -> bool {
        matches!(self, Self::Malformed(Malformed::Stream(error)) if !is_stop(error))
    }
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::Malformed(error.into())
    }
}

impl From<daemon::Error> for Trouble {
    fn from(error: daemon::Error) -> Self {
        match error {
            daemon::Error::Daemon { source, .. } => Self::Refused(source.message),
            // A daemon that was restarted is asked again.
            error => Self::Lacks(format!("the connection to Nix's daemon was lost: {}", chain(&error))),
        }
    }
}

impl From<UploadError<Self>> for Trouble {
    fn from(error: UploadError<Self>) -> Self {
        match error {
            UploadError::Source { source, .. } => source,
            UploadError::Exchange(error) => error.into(),
            error => Self::Failed(chain(&error)),
        }
    }
}

fn is_stop(error: &io::Error) -> bool {
    error.get_ref().is_some_and(<dyn std::error::Error + Send + Sync>::is::<Stopped>)
}

/// An error and its sources in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        text = format!("{text}: {source}");
        next = source.source();
    }
    text
}

/// Receives the paths that one sender sends, and tells it how it went. As long as the connection that is returned
/// lasts, the daemon keeps what has come.
pub fn receive(input: impl Read, output: impl Write + Send, place: &Place<'_>) -> Option<Client> {
    let voice = Voice::new(output);
    voice.while_it_speaks(|| {
        let result = Unpacker::new(Counted::new(input, &voice))
            .map_err(Trouble::from)
            .and_then(|stream| Receiver::begin(stream, place, &voice)?.take_all());
        match result {
            Ok(kept) => {
                voice.end(Verdict::Done);
                Some(kept)
            }
            Err(trouble) => {
                voice.end(trouble.verdict());
                None
            }
        }
    })
}

/// A transfer that was asked for.
struct Receiver<'a, R> {
    stream: Unpacker<R>,
    ledger: Ledger,
    /// The connection for questions; it keeps what the paths are wanted for.
    asking: Client,
    fetching: Option<Fetching>,
    /// The connection that keeps what has come from caches.
    fetched: Option<Client>,
    spool: Spool,
    place: &'a Place<'a>,
    buffers: Buffers,
}

impl<'a, R: Read> Receiver<'a, R> {
    /// Hears the question and answers it.
    fn begin<W: Write + Send>(
        mut stream: Unpacker<R>,
        place: &'a Place<'a>,
        voice: &Voice<W>,
    ) -> Result<Self, Trouble> {
        let question = Question::read(&mut stream)?;
        let mut asking = connect(place)?;
        let wanted = question.paths;
        if let Some(Wanted { path, .. }) = wanted.last() {
            // From here on a garbage collection leaves what it refers to, if it is there.
            asking.add_temp_root(path)?;
        }
        let mut has = what_is_there(&mut asking, &wanted)?;
        let fetching =
            question.substitute.and_then(|limit| Fetching::start(place, &wanted, &mut has, limit, voice));
        let spool = Spool::open(place.spool);
        let partial = spool.partial(&wanted, &has);
        voice.answer(Answer { has: has.clone(), partial })?;
        let buffers = Buffers::default();
        let ledger = Ledger::new(wanted, has);
        Ok(Self { stream, ledger, asking, fetching, fetched: None, spool, place, buffers })
    }

    /// Takes all that comes; gives the connection that keeps it.
    fn take_all(mut self) -> Result<Client, Trouble> {
        let mut store = None;
        loop {
            let count = read_number_from("what comes next", &mut self.stream)?;
            if count == END {
                break;
            }
            let store = match &mut store {
                Some(store) => store,
                None => store.insert(connect(self.place)?),
            };
            match count {
                LONG => self.take_long(store)?,
                short => self.take_short(short, store)?,
            }
        }
        self.wait_for_caches()?;
        let Some(path) = self.ledger.last() else { return Ok(self.asking) };
        self.asking.add_temp_root(path)?;
        match self.asking.is_valid_path(path)? {
            true => Ok(self.asking),
            false => Err(Trouble::Lacks(format!("{path} is not valid after all"))),
        }
    }

    /// Takes so many paths whose NARs are held as a whole.
    fn take_short(&mut self, number: u64, store: &mut Client) -> Result<(), Trouble> {
        let count = self.ledger.short(number)?;
        Ok(store.add_each(count, POLICY, |nar| self.next_short(nar))?)
    }

    fn next_short(&mut self, nar: &mut Vec<u8>) -> Result<PathInfo, Trouble> {
        let what = self.announced()?;
        if what.info.nar_size > MAX_TARGET.into() || what.from > 0 {
            let found = what.info.nar_size;
            let limit = MAX_TARGET.into();
            return Err(Malformed::TooMuch { what: "the NAR of a short path", found, limit }.into());
        }
        self.make_short(&what, nar)?;
        check(&what, Sha256::of(nar), nar.len() as u64)?;
        self.ledger.came(&what);
        Ok(what.info)
    }

    /// Takes a path whose NAR goes to the daemon as it is made.
    fn take_long(&mut self, store: &mut Client) -> Result<(), Trouble> {
        let what = self.announced()?;
        let part = self.spool.begin(&what)?;
        let added = store.add_nar(&what.info, POLICY, |sink| {
            let mut sink = Tee::new(sink, part);
            sink.replay(what.from)?;
            self.make(&what, &mut sink)?;
            let (hash, size) = sink.finish();
            check(&what, hash, size)
        });
        let added = added.map_err(Trouble::from);
        if !added.as_ref().is_err_and(Trouble::is_of_the_line) {
            self.spool.clear();
        }
        added?;
        self.ledger.came(&what);
        Ok(())
    }

    /// Reads what is said of the next path, and checks that it is due.
    fn announced(&mut self) -> Result<Announcement, Trouble> {
        let message = read_message("an announcement", MAX_ANNOUNCEMENT, &mut self.stream)?;
        let what = Announcement::read(&message, self.ledger.wanted())?;
        if self.ledger.needs_caches(&what) {
            self.wait_for_caches()?;
        }
        self.ledger.accept(&what)?;
        Ok(what)
    }

    /// Waits for what the daemon gets from caches.
    fn wait_for_caches(&mut self) -> Result<(), Trouble> {
        let Some(fetching) = self.fetching.take() else { return Ok(()) };
        let (valid, keeps) = fetching.wait();
        self.fetched = keeps;
        let lacks = |path| Trouble::Lacks(format!("{path} did not come from the host's caches"));
        self.ledger.fetched(&valid).map_err(lacks)
    }
}

fn connect(place: &Place<'_>) -> Result<Client, Trouble> {
    let failed = |error: &dyn std::error::Error| {
        Trouble::Failed(format!("Nix's daemon does not answer: {}; is nix.enable set?", chain(error)))
    };
    let stream = (place.connect)().map_err(|error| failed(&error))?;
    Client::connect(stream, place.store.clone()).map_err(|error| failed(&error))
}

fn check(what: &Announcement, hash: Sha256, size: u64) -> Result<(), Trouble> {
    if (hash, size) == (what.info.nar_hash, what.info.nar_size) {
        return Ok(());
    }
    let why = format!(
        "the NAR of {} has {size} bytes of hash {hash}, announced were {} of {}",
        what.info.path, what.info.nar_size, what.info.nar_hash
    );
    Err(Trouble::Wrong { index: what.index, why })
}

/// Which paths are valid, and of which others the base is.
fn what_is_there(asking: &mut Client, wanted: &[Wanted]) -> Result<Vec<Has>, Trouble> {
    let paths = wanted.iter().map(|wanted| &wanted.path);
    let all: BTreeSet<StorePath> =
        paths.chain(wanted.iter().filter_map(|wanted| wanted.base.as_ref())).cloned().collect();
    let valid = asking.query_valid_paths(&all, false)?;
    let has = |wanted: &Wanted| match &wanted.base {
        _ if valid.contains(&wanted.path) => Has::Path,
        Some(base) if valid.contains(base) => Has::Base,
        _ => Has::Nothing,
    };
    Ok(wanted.iter().map(has).collect())
}
