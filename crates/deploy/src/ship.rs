//! What a host lacks goes to its store: asked once, checked for room, sent in one stream.

mod offering;
mod streaming;

use std::sync::Arc;
use std::time::Duration;

use daemon::{BuildMode, Client, DerivedPath, LogEvent, News as StoreNews, OutputNames};
use eval::ClosureError;
use report::{Cause, CauseKind, Stage};
use store::closure::Closure;
use store::derivation::{OutputName, OutputSet};
use store::store_path::StorePath;
use transfer::{Progress as Copying, Pulse};

use crate::causes;
use crate::connect::{Connector, Contact};
use crate::tell::Teller;
use crate::{Progress, Voice};

/// How long a copy may stand still.
const STILL: Duration = Duration::from_secs(120);
/// How long a host may fetch from its caches.
const CACHES: Duration = Duration::from_secs(600);
/// How long a copy may stand still while it does.
const FETCHING: Duration = Duration::from_secs(900);

/// Why a copy failed.
#[derive(Debug)]
pub(crate) struct NotShipped {
    /// Why.
    pub(crate) cause: Cause,
    /// Whether the same over a new connection may go on where this one stopped.
    pub(crate) can_resume: bool,
}

impl From<Cause> for NotShipped {
    fn from(cause: Cause) -> Self {
        Self { cause, can_resume: false }
    }
}

/// A copy: from which store, to which host.
pub(crate) struct Shipping<'a> {
    pub(crate) from: Origin<'a>,
    pub(crate) contact: &'a Contact,
    /// How another session with the host is made.
    pub(crate) connector: &'a Arc<Connector>,
    /// Whether the target may fetch from its caches.
    pub(crate) substitute: bool,
    pub(crate) teller: &'a Teller,
}

/// The store that has the paths.
pub(crate) enum Origin<'a> {
    /// That of this machine.
    Here(&'a mut Client),
    /// That of another host.
    There(&'a mut Client),
}

/// What a copy came to.
pub(crate) struct Sent {
    /// Bytes that went over.
    pub(crate) bytes: u64,
    /// A connection to the host's store that keeps what was sent, if it is not the agent itself that does.
    pub(crate) store: Option<Client>,
}

impl Shipping<'_> {
    /// Makes the closure of `root` valid on the host, where it is kept from being collected as long as the session and
    /// what is returned last.
    pub(crate) fn send(&mut self, root: &StorePath, closure: &Closure) -> Result<Sent, NotShipped> {
        let limit = if self.substitute { FETCHING } else { STILL };
        let pulse = Pulse::new(Some(limit));
        if self.contact.talk.receives() {
            let bytes = self.offer(root, closure, &pulse)?;
            return Ok(Sent { bytes, store: None });
        }
        let (bytes, store) = self.stream(root, closure, &pulse)?;
        Ok(Sent { bytes, store: Some(store) })
    }

    fn tell_fetched(&self, paths: usize) {
        if paths > 0 {
            self.teller.step(Stage::Ship, &format!("the host gets {paths} paths from its caches"));
        }
    }
}

fn failed(error: &transfer::Error) -> NotShipped {
    NotShipped { can_resume: error.can_resume(), cause: causes::transfer(error) }
}

/// The closure of `root` in this store.
pub(crate) fn closure_of(from: &mut Client, root: &StorePath) -> Result<Closure, Cause> {
    eval::closure(from, root).map_err(|error| match error {
        ClosureError::NotValid { .. } => {
            Cause::new(CauseKind::Transfer, format!("{error}; was it collected as garbage?"))
        }
        error => Cause::new(CauseKind::Transfer, causes::chain(&error)),
    })
}

fn shown(progress: &Copying<'_>, (paths, bytes): (u64, u64)) -> Option<Progress> {
    match progress {
        Copying::Sending { paths: done, bytes: sent, .. } => Some(Progress {
            stage: Stage::Ship,
            text: String::new(),
            steps: Some((*done as u64, paths)),
            bytes: Some((*sent, bytes)),
        }),
        _ => None,
    }
}

/// Builds a derivation in a host's store, where it and all it needs has been sent, and says where the system is.
pub(crate) fn build_in(
    store: &mut Client,
    derivation: &StorePath,
    teller: &Arc<Teller>,
) -> Result<StorePath, Cause> {
    let lines = Arc::clone(teller);
    store.on_log(move |event| {
        if let Some(text) = spoken(&event) {
            lines.line(Voice::Store, &text);
        }
    });
    let failed = |error: daemon::Error| Cause::new(CauseKind::Build, causes::chain(&error));
    let out = OutputName::new(b"out").expect("invariant: a name");
    let outputs = OutputSet::new([out.clone()].into()).expect("invariant: one output");
    let outputs = OutputNames::Some(outputs);
    let wanted = [DerivedPath::Outputs { derivation: derivation.clone(), outputs }];
    let results = store.build_paths(&wanted, BuildMode::Normal).map_err(failed)?;
    let Some(result) = results.into_iter().next() else {
        return Err(Cause::new(CauseKind::Build, "the host's daemon said nothing of the build"));
    };
    if !result.status.is_success() {
        let lines = crate::text::last_lines(&result.error);
        let text = format!("{derivation} did not build on the host: {}", causes::first_line(&result.error));
        return Err(Cause::new(CauseKind::Build, text).with_log(lines));
    }
    result
        .outputs
        .get(&out)
        .cloned()
        .ok_or_else(|| Cause::new(CauseKind::Build, "the host's daemon did not say what was built"))
}

/// What a daemon tells that is for people.
fn spoken(event: &LogEvent) -> Option<String> {
    match event {
        LogEvent::Message(text) | LogEvent::Progress { news: StoreNews::BuildLogLine(text), .. } => {
            Some(text.clone())
        }
        _ => None,
    }
}
