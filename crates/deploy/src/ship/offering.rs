//! What the host lacks, each path in the cheapest way: of what it is known to have had, or whole.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::thread;

use daemon::Client;
use order::SystemPath;
use report::{LoaderDefault, Stage};
use session::Hello;
use store::closure::Closure;
use store::store_path::{StoreDir, StorePath};
use transfer::{Bases, Behind, Given, Offer, OnDisk, Outcome, Pulse, Source};

use super::{CACHES, NotShipped, Origin, Shipping, failed, shown};
use crate::judge;
use crate::talk::Lane;

/// From so many bytes of NARs on a second session is opened: it costs a process on either side.
const MUCH: u64 = 16 << 20;

impl Shipping<'_> {
    /// Says how many bytes went over.
    pub(super) fn offer(
        &mut self,
        root: &StorePath,
        closure: &Closure,
        pulse: &Pulse,
    ) -> Result<u64, NotShipped> {
        let bases = match &mut self.from {
            Origin::Here(client) => bases(client, root, closure, &self.contact.talk.hello),
            Origin::There(_) => Bases::none(),
        };
        let mut offer = Offer::new(closure, &bases, pulse, self.substitute.then_some(CACHES));
        let mut bytes = 0;
        loop {
            let given = self.give(root, &offer)?;
            bytes += given.sent;
            self.tell_given(&given);
            match given.outcome {
                Outcome::Done => return Ok(bytes),
                Outcome::Again(again) => offer.amend(again).map_err(|error| failed(&error))?,
            }
        }
    }

    /// Asks once, and sends once.
    fn give(&mut self, root: &StorePath, offer: &Offer<'_>) -> Result<Given, NotShipped> {
        let (streams, lane) =
            self.contact.talk.open_paths().map_err(|error| self.contact.not_shipped(&error))?;
        let asked = offer.ask(streams).map_err(|error| failed(&error))?;
        let need = asked.need();
        self.tell_fetched(asked.fetched());
        judge::has_room(&need, self.contact.talk.hello.free_store)?;
        let _second = (need.nar_bytes >= MUCH).then(|| self.widen(lane));
        let (teller, total) = (self.teller, (need.paths as u64, need.nar_bytes));
        let mut progress = |progress: transfer::Progress<'_>| {
            if let Some(progress) = shown(&progress, total) {
                teller.progress(progress);
            }
        };
        let given = asked.give(&mut *self.source(root), &mut progress);
        given.map_err(|error| failed(&error))
    }

    /// Opens a second session on the same connection, which carries a part of the paths as soon as it is there, and
    /// ends when what is returned does. Without one it only takes longer.
    fn widen(&self, lane: Lane) -> Sender<()> {
        let (over, ends) = channel();
        let connector = Arc::clone(self.connector);
        thread::spawn(move || {
            let Ok(contact) = connector.shared() else { return };
            if contact.talk.join(&lane).is_ok() {
                // Nothing is ever sent: the transfer drops its end.
                let _over = ends.recv();
            }
        });
        over
    }

    /// The store here is read as files where they can be seen.
    fn source(&mut self, root: &StorePath) -> Box<dyn Source + '_> {
        let store = PathBuf::from(StoreDir::default().as_str());
        match &mut self.from {
            Origin::Here(_) if store.join(root.to_string()).symlink_metadata().is_ok() => {
                Box::new(OnDisk(store))
            }
            Origin::Here(client) | Origin::There(client) => Box::new(Behind(client)),
        }
    }

    fn tell_given(&self, given: &Given) {
        let Given { whole, patched, rewritten, nar_bytes, sent, outcome } = given;
        if let Outcome::Again(again) = outcome {
            self.teller.note(format!("the copy is taken up again: {again}"));
        }
        if patched + rewritten > 0 {
            let paths = whole + patched + rewritten;
            let text = format!(
                "{} went over for {paths} paths of {}: {rewritten} differ in hashes only, {patched} in part",
                size(*sent),
                size(*nar_bytes)
            );
            self.teller.step(Stage::Ship, &text);
        }
    }
}

fn size(bytes: u64) -> String {
    match bytes {
        0..10_000 => format!("{bytes} B"),
        10_000..10_000_000 => format!("{} kB", bytes / 1_000),
        _ => format!("{} MB", bytes / 1_000_000),
    }
}

/// What of the host's systems is in the store here, and which new paths are like it. What cannot be found out is sent
/// whole.
fn bases(client: &mut Client, root: &StorePath, closure: &Closure, hello: &Hello) -> Bases {
    let default = match &hello.default {
        LoaderDefault::System(system) => Some(system),
        LoaderDefault::Unreadable(_) | LoaderDefault::NoLoader => None,
    };
    let mut olds: Vec<StorePath> = Vec::new();
    for system in [hello.running.as_ref(), hello.profile.as_ref(), default].into_iter().flatten() {
        let old = counterpart(client, root, system);
        olds.extend(old.filter(|old| !olds.contains(old)));
    }
    let mut infos = std::collections::BTreeMap::new();
    for old in &olds {
        let Ok(closure) = eval::closure(client, old) else { continue };
        infos.extend(closure.into_iter().map(|info| (info.path.clone(), info)));
    }
    let Ok(old) = Closure::new(infos.into_values()) else { return Bases::none() };
    let roots: Vec<_> = olds.into_iter().map(|old| (root.clone(), old)).collect();
    Bases::new(closure, old, &roots)
}

/// What `root` is the next of: the system, or what that was built of.
fn counterpart(client: &mut Client, root: &StorePath, system: &SystemPath) -> Option<StorePath> {
    let info = client.query_path_info(&system.path).ok()??;
    let old = if root.is_derivation() { info.deriver? } else { info.path };
    (client.is_valid_path(&old).ok()?).then_some(old)
}
