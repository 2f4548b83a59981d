//! What the daemon gets from the host's own caches while the rest comes from the sender.

use std::{
    collections::BTreeSet,
    io::Write,
    sync::mpsc::{Receiver as Inbox, Sender, channel},
    thread::{self, JoinHandle},
    time::Duration,
};

use daemon::{Client, DerivedPath};
use store::store_path::{StoreDir, StorePath};

use super::{Connect, Place, voice::Voice};
use crate::{
    answer::Has,
    question::Wanted,
    watch::{Pulse, Watch},
};

/// How long the caches may take to say what they have. One that is not reached must not hold up what comes from here.
const ASKING: Duration = Duration::from_secs(30);

/// Paths that are on their way from caches, with the connection that keeps those that have come.
pub(super) struct Fetching(JoinHandle<(BTreeSet<StorePath>, Option<Client>)>);

impl Fetching {
    /// Asks the caches for what is missing, and begins to fetch what they have; none if they have nothing. All of it
    /// ends after `limit`.
    pub(super) fn start<W: Write + Send>(
        place: &Place<'_>,
        wanted: &[Wanted],
        has: &mut [Has],
        limit: Duration,
        voice: &Voice<W>,
    ) -> Option<Self> {
        let missing = wanted.iter().zip(&*has).filter(|(_, has)| **has != Has::Path);
        let missing: Vec<_> = missing.map(|(wanted, _)| DerivedPath::Path(wanted.path.clone())).collect();
        if missing.is_empty() {
            return None;
        }
        let (sender, there) = channel();
        let (connect, store) = (Connect::clone(&place.connect), place.store.clone());
        let thread = thread::spawn(move || fetch((&connect, store), &missing, limit, &sender));
        let said = hear(&there, limit.min(ASKING), voice);
        // What they say later is of no use.
        drop(there);
        for (wanted, has) in wanted.iter().zip(has) {
            if *has != Has::Path && said.contains(&wanted.path) {
                *has = Has::Fetches;
            }
        }
        (!said.is_empty()).then_some(Self(thread))
    }

    /// What has come, once all has or the time is over, and the connection that keeps it.
    pub(super) fn wait(self) -> (BTreeSet<StorePath>, Option<Client>) {
        // A thread that panicked has fetched nothing.
        self.0.join().unwrap_or_default()
    }
}

/// What the caches have; nothing if they do not say so in time. Who waits for the answer is told that it is coming.
fn hear<W: Write + Send>(
    there: &Inbox<BTreeSet<StorePath>>,
    limit: Duration,
    voice: &Voice<W>,
) -> BTreeSet<StorePath> {
    let mut left = limit;
    loop {
        let step = left.min(Duration::from_secs(1));
        match there.recv_timeout(step) {
            Ok(there) => return there,
            Err(std::sync::mpsc::RecvTimeoutError::Timeout) if left > step => {
                left -= step;
                voice.beat();
            }
            Err(_) => return BTreeSet::new(),
        }
    }
}

fn fetch(
    (connect, store): (&Connect, StoreDir),
    missing: &[DerivedPath],
    limit: Duration,
    there: &Sender<BTreeSet<StorePath>>,
) -> (BTreeSet<StorePath>, Option<Client>) {
    let client = connect().ok().and_then(|stream| Client::connect(stream, store).ok());
    let Some(mut client) = client else { return Default::default() };
    let hangup = client.hangup();
    let _watch = Watch::start(&Pulse::new(Some(limit)), move || hangup.hang_up());
    let Ok(known) = client.query_missing(missing) else { return Default::default() };
    let paths: BTreeSet<_> = known.will_substitute;
    // Nobody waits for it any more if it was too slow.
    if paths.is_empty() || there.send(paths.clone()).is_err() {
        return Default::default();
    }
    let valid = client.query_valid_paths(&paths, true).unwrap_or_default();
    (valid, Some(client))
}
