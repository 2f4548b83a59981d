//! Telling what happens to one host: to who renders it, and to the host's log of this run.

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::sync::mpsc::SyncSender;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use order::HostName;
use report::{Deployed, HostResult, Stage, Timestamp};

use crate::text::{one_line, plain};
use crate::{Event, HostOutcome, News, Progress, Voice};

/// Progress is told at most this often for each host.
const PROGRESS: Duration = Duration::from_millis(100);
/// Notes of one host that are kept, and the bytes of each.
const MAX_NOTES: usize = 100;
const MAX_NOTE: usize = 4 << 10;
/// Bytes of a host's log of one run; what is beyond is not written.
const MAX_LOG: u64 = 64 << 20;

/// Tells what happens to one host. Used from all threads that work for it.
pub(crate) struct Teller {
    host: HostName,
    events: SyncSender<Event>,
    began: Instant,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    log: Option<(File, PathBuf)>,
    written: u64,
    stages: Vec<(Stage, u64)>,
    notes: Vec<String>,
    last_progress: Option<Instant>,
}

impl Teller {
    pub(crate) fn new(host: HostName, events: SyncSender<Event>, log: Option<(File, PathBuf)>) -> Self {
        let inner = Mutex::new(Inner { log, ..Inner::default() });
        Self { host, events, began: Instant::now(), inner }
    }

    pub(crate) fn host(&self) -> &HostName {
        &self.host
    }

    /// Does a stage, from its beginning to its end.
    pub(crate) fn stage<T, E>(&self, stage: Stage, work: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        let began = self.begin(stage);
        let result = work();
        self.end(stage, began, result.is_ok());
        result
    }

    /// A stage begins.
    pub(crate) fn begin(&self, stage: Stage) -> Instant {
        self.tell(News::StageBegan(stage));
        Instant::now()
    }

    /// The stage that began then ends.
    pub(crate) fn end(&self, stage: Stage, began: Instant, good: bool) {
        let millis = millis(began.elapsed());
        self.lock().stages.push((stage, millis));
        self.tell(News::StageEnded { stage, good, millis });
    }

    /// Something that the operator should know. What a host has said may be in it, so neither its length nor the number
    /// of notes is without a bound.
    pub(crate) fn note(&self, text: impl AsRef<str>) {
        let mut text = one_line(text.as_ref());
        text.truncate(text.floor_char_boundary(MAX_NOTE));
        let mut inner = self.lock();
        match inner.notes.len() {
            0..MAX_NOTES => {}
            MAX_NOTES => "there is more, which is left out".clone_into(&mut text),
            _ => return,
        }
        inner.notes.push(text.clone());
        drop(inner);
        self.tell(News::Note(text));
    }

    /// A line that a program printed.
    pub(crate) fn line(&self, from: Voice, text: &str) {
        self.tell(News::Line { from, text: plain(text) });
    }

    /// The host waits.
    pub(crate) fn waits(&self, what: &str) {
        self.tell(News::Waits { what: what.to_owned() });
    }

    /// How far a stage is; dropped if something was told of it just before.
    pub(crate) fn progress(&self, progress: Progress) {
        let now = Instant::now();
        let mut inner = self.lock();
        if inner.last_progress.is_some_and(|last| now.duration_since(last) < PROGRESS) {
            return;
        }
        inner.last_progress = Some(now);
        drop(inner);
        self.tell(News::Progress(progress));
    }

    /// A change within a stage, which is never dropped.
    pub(crate) fn step(&self, stage: Stage, text: &str) {
        let text = plain(text);
        self.tell(News::Progress(Progress { stage, text, steps: None, bytes: None }));
    }

    pub(crate) fn tell(&self, what: News) {
        let at = Timestamp::from(SystemTime::now());
        self.write(at, &what);
        // Nobody listens any more: that stops nothing.
        let _gone = self.events.send(Event { at, host: Some(self.host.clone()), what });
    }

    /// Milliseconds since the host's part began.
    pub(crate) fn elapsed(&self) -> u64 {
        millis(self.began.elapsed())
    }

    /// The end of the host's part.
    pub(crate) fn finish(&self, deployed: Deployed) -> HostOutcome {
        self.tell(News::Result(Box::new(deployed.clone())));
        let inner = self.lock();
        HostOutcome {
            host: self.host.clone(),
            deployed,
            stages: inner.stages.clone(),
            notes: inner.notes.clone(),
            log: inner.log.as_ref().map(|(_, path)| path.clone()),
        }
    }

    fn write(&self, at: Timestamp, what: &News) {
        let Some(text) = log_text(what) else { return };
        let mut inner = self.lock();
        let Inner { log: Some((file, _)), written, .. } = &mut *inner else { return };
        let line = format!("{at} {text}\n");
        if *written + line.len() as u64 <= MAX_LOG {
            *written += line.len() as u64;
            // A log that cannot be written stops nothing.
            let _unwritten = file.write_all(line.as_bytes());
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// The line in a host's log; none for what is only of the moment.
fn log_text(what: &News) -> Option<String> {
    Some(match what {
        News::StageBegan(stage) => format!("{} ...", stage.word()),
        News::StageEnded { stage, good, millis } => {
            format!("{} {} after {millis} ms", stage.word(), if *good { "done" } else { "failed" })
        }
        News::Waits { what } => format!("waits: {what}"),
        News::Progress(Progress { stage, text, steps: None, bytes: None }) => {
            format!("{}: {text}", stage.word())
        }
        News::System(system) => format!("system {system}"),
        News::Line { from, text } => format!("{}| {text}", from.word()),
        News::Note(text) => format!("note: {text}"),
        News::Result(deployed) => format!("result: {}", result_text(&deployed.result)),
        News::Progress(_) | News::Began { .. } | News::Ended { .. } => return None,
    })
}

fn result_text(result: &HostResult) -> String {
    let cause = |cause: &report::Cause| {
        let log: String = cause.log.iter().map(|line| format!("\n    {line}")).collect();
        format!("{}: {}{log}", cause.kind.word(), cause.text)
    };
    match result {
        HostResult::AlreadyThere => "already there".to_owned(),
        HostResult::Done => "done".to_owned(),
        HostResult::Activated(ending) => {
            format!("{} {}", ending.word(), ending.cause().map(cause).unwrap_or_default())
        }
        HostResult::Failed { stage, cause: why } => format!("failed to {}: {}", stage.word(), cause(why)),
        HostResult::Pending { why } => format!("pending: {why}"),
        HostResult::Skipped { why } => format!("skipped: {why}"),
    }
}

impl Voice {
    /// The word for it in logs and stored forms.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Nix => "nix",
            Self::Store => "store",
            Self::Activation => "activation",
            Self::Out => "out",
            Self::Err => "err",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_are_bounded_and_one_line_each() {
        let (events, heard) = std::sync::mpsc::sync_channel(1000);
        let teller = Teller::new("web1".parse().expect("a name"), events, None);
        teller.note("a\nb\u{1b}[2Jc");
        (0..300).for_each(|_| teller.note("\u{e4}".repeat(MAX_NOTE)));
        let notes = teller.lock().notes.clone();
        assert_eq!(notes[0], "a bc");
        assert_eq!((notes.len(), heard.try_iter().count()), (MAX_NOTES + 1, MAX_NOTES + 1));
        assert!(notes.iter().all(|note| note.len() <= MAX_NOTE));
        assert_eq!(notes[MAX_NOTES], "there is more, which is left out");
    }
}
