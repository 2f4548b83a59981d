//! What a host lacks goes to its store: asked once, checked for room, sent in one stream.

use std::time::Duration;

use daemon::{BuildMode, Client, DerivedPath, LogEvent, News as StoreNews, OutputNames};
use eval::ClosureError;
use report::{Cause, CauseKind, Stage};
use store::closure::Closure;
use store::derivation::{OutputName, OutputSet};
use store::store_path::StorePath;
use transfer::{Progress as Copying, Pulse};

use crate::causes;
use crate::judge;
use crate::tell::Teller;
use crate::{Progress, Voice};

/// How long a copy may stand still.
const STILL: Duration = Duration::from_secs(120);
/// How long a host may fetch from its caches without a word.
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

/// A copy: from which store, to which, and what is known of the target.
pub(crate) struct Copy<'a> {
    pub(crate) from: &'a mut Client,
    pub(crate) to: &'a mut Client,
    /// Whether the target may fetch from its caches.
    pub(crate) substitute: bool,
    /// Free bytes of the target's store.
    pub(crate) free: u64,
    pub(crate) teller: &'a Teller,
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

impl Copy<'_> {
    /// Makes the closure of `root` valid on the target, and says how many NAR bytes were sent. The target's client
    /// keeps all of it from being collected as long as it is connected.
    pub(crate) fn send(&mut self, root: &StorePath, closure: &Closure) -> Result<u64, NotShipped> {
        let pulse = Pulse::new(Some(if self.substitute { FETCHING } else { STILL }));
        let failed = |error: transfer::Error| NotShipped {
            can_resume: error.can_resume(),
            cause: causes::transfer(&error),
        };
        let beats = pulse.clone();
        self.to.on_log(move |_| beats.beat());
        // From here on a garbage collection there leaves what arrives.
        self.to.add_temp_root(root).map_err(|error| NotShipped {
            cause: Cause::new(CauseKind::Transfer, causes::chain(&error)),
            can_resume: !error.connection_usable(),
        })?;
        let answer = transfer::ask(closure, self.substitute, self.to, &pulse).map_err(failed)?;
        let need = transfer::need(closure, &answer.valid);
        if !answer.substituted.is_empty() {
            self.teller.step(
                Stage::Ship,
                &format!("the host fetched {} paths from its caches", answer.substituted.len()),
            );
        }
        judge::has_room(&need, self.free)?;
        let teller = self.teller;
        let total = (need.paths as u64, need.nar_bytes);
        let request = transfer::Request { closure, substitute: false, pulse: &pulse };
        let sent = transfer::stream(&request, &answer.valid, (self.from, self.to), &mut |progress| {
            if let Some(progress) = shown(&progress, total) {
                teller.progress(progress);
            }
        });
        Ok(sent.map_err(failed)?.nar_bytes)
    }
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
    teller: &std::sync::Arc<Teller>,
) -> Result<StorePath, Cause> {
    let lines = std::sync::Arc::clone(teller);
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
