//! Nix's log of a build as it comes: which derivations build, what each of them prints, and why one failed.

use std::collections::{BTreeMap, VecDeque};

use store::store_path::{StoreDir, StorePath};

use crate::{
    build::BuildEvent,
    text::{LINE, TAIL, keep_start, plain},
    wire::{Field, LogLine},
};

/// Activities and results as Nix numbers them (`logging.hh`).
const COPY_PATH: u64 = 100;
const BUILDS: u64 = 104;
const BUILD: u64 = 105;
const SUBSTITUTE: u64 = 108;
const LOG_LINE: u64 = 101;
const POST_BUILD_LOG_LINE: u64 = 107;
const PROGRESS: u64 = 105;
/// Messages up to this level are errors, and up to the other one warnings.
const ERROR: u64 = 0;
const WARNING: u64 = 1;

/// Lines of one derivation's log that are kept.
const LINES: usize = 50;
/// Derivations whose lines are kept; of those that have ended the oldest go first.
const LOGS: usize = 64;
/// Errors that are kept.
const ERRORS: usize = 64;

/// What is known of a build while it runs, and what is left of it when it has failed.
#[derive(Debug, Default)]
pub(crate) struct BuildLog {
    store_dir: StoreDir,
    running: BTreeMap<u64, StorePath>,
    /// Which activity counts all builds.
    overall: Option<u64>,
    /// Those that were begun, the oldest first, with the end of what they printed.
    logs: VecDeque<(StorePath, VecDeque<String>)>,
    errors: Vec<String>,
    /// The end of what was printed in no known form.
    other: VecDeque<String>,
}

/// Why a build failed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct FailedBuild {
    pub(crate) derivation: Option<StorePath>,
    pub(crate) reason: String,
    pub(crate) log: Vec<String>,
}

impl BuildLog {
    /// Takes one line of what `nix build` printed, and says what it means.
    pub(crate) fn take(&mut self, line: &str) -> Option<BuildEvent> {
        match LogLine::parse(line) {
            Some(LogLine::Start { id, kind, fields }) => self.start(id, kind, &fields),
            Some(LogLine::Stop { id }) => {
                self.running.remove(&id).map(|derivation| BuildEvent::Ended { derivation })
            }
            Some(LogLine::Result { id, kind, fields }) => self.result(id, kind, &fields),
            Some(LogLine::Msg { level, msg }) => self.message(level, &msg),
            Some(LogLine::Other) => None,
            None => {
                push(&mut self.other, keep_start(&plain(line), LINE));
                None
            }
        }
    }

    fn start(&mut self, id: u64, kind: u64, fields: &[Field]) -> Option<BuildEvent> {
        if kind == BUILDS {
            self.overall = Some(id);
        }
        let Some(Field::Text(path)) = fields.first() else { return None };
        let path = self.store_dir.parse(path.as_bytes()).ok()?;
        match kind {
            BUILD => {
                self.running.insert(id, path.clone());
                self.begin_log(&path);
                Some(BuildEvent::Started { derivation: path })
            }
            SUBSTITUTE | COPY_PATH => Some(BuildEvent::Fetching { path }),
            _ => None,
        }
    }

    fn begin_log(&mut self, derivation: &StorePath) {
        if self.logs.len() >= LOGS {
            let ended = |(path, _): &(StorePath, _)| !self.running.values().any(|running| running == path);
            let oldest = self.logs.iter().position(ended).unwrap_or(0);
            self.logs.remove(oldest);
        }
        self.logs.push_back((derivation.clone(), VecDeque::new()));
    }

    fn result(&mut self, id: u64, kind: u64, fields: &[Field]) -> Option<BuildEvent> {
        match (kind, fields) {
            (LOG_LINE | POST_BUILD_LOG_LINE, [Field::Text(line), ..]) => {
                let derivation = self.running.get(&id)?.clone();
                let line = keep_start(&plain(line), LINE);
                let log = self.logs.iter_mut().rev().find(|(path, _)| *path == derivation);
                if let Some((_, lines)) = log {
                    push(lines, line.clone());
                }
                Some(BuildEvent::Line { derivation, line })
            }
            (
                PROGRESS,
                [Field::Number(done), Field::Number(expected), Field::Number(running), Field::Number(failed)],
            ) if self.overall == Some(id) => {
                let (done, expected, running, failed) = (*done, *expected, *running, *failed);
                Some(BuildEvent::Progress { done, expected, running, failed })
            }
            _ => None,
        }
    }

    fn message(&mut self, level: u64, message: &str) -> Option<BuildEvent> {
        let message = keep_start(&plain(message), TAIL);
        match level {
            ERROR => {
                if self.errors.len() < ERRORS {
                    self.errors.push(message);
                }
                None
            }
            WARNING => Some(BuildEvent::Warning(message)),
            _ => None,
        }
    }

    /// What failed. Of several errors that one counts whose derivation was begun: the others only follow.
    /// `end` says how the process ended, for one that said nothing.
    pub(crate) fn failure(mut self, end: &str) -> FailedBuild {
        let named = |error: &String| derivation_in(error, &self.store_dir);
        let begun = |error: &&String| {
            named(error).is_some_and(|path| self.logs.iter().any(|(begun, _)| *begun == path))
        };
        let error = self.errors.iter().find(begun).or_else(|| self.errors.first()).cloned();
        let derivation = error.as_ref().and_then(named);
        let log = derivation.as_ref().and_then(|failed| {
            let at = self.logs.iter().rposition(|(path, _)| path == failed)?;
            self.logs.remove(at)
        });
        let reason = match error {
            Some(error) => reason(&error),
            None => format!("nothing was said ({end})"),
        };
        let log = log.map_or(self.other, |(_, lines)| lines).into();
        FailedBuild { derivation, reason, log }
    }
}

fn push(lines: &mut VecDeque<String>, line: String) {
    if lines.len() >= LINES {
        lines.pop_front();
    }
    lines.push_back(line);
}

/// The first derivation that an error names in quotes.
fn derivation_in(error: &str, store_dir: &StoreDir) -> Option<StorePath> {
    let quoted = error.split('\'').skip(1).step_by(2);
    let mut paths = quoted.filter_map(|text| store_dir.parse(text.as_bytes()).ok());
    paths.find(StorePath::is_derivation)
}

/// The reason in an error: of `Cannot build X. Reason: Y.` (2.30 and later) it is Y; earlier ones tell all in
/// their first line, with the log behind it.
fn reason(error: &str) -> String {
    let error = error.trim_start().trim_start_matches("error:").trim();
    let said = error.lines().find_map(|line| line.trim().strip_prefix("Reason:"));
    let first = said.or_else(|| error.lines().next()).unwrap_or_default();
    first.trim().trim_end_matches([';', '.', ':']).to_owned()
}

#[cfg(test)]
mod tests;
