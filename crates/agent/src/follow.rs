//! Following an activation: its journal and its log, told as they change, whoever owns it and whoever dies.

use std::{
    fs::{self, File},
    io::{Read, Seek, SeekFrom, Write},
    os::unix::fs::MetadataExt,
    sync::atomic::{AtomicBool, Ordering},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use activate::Record;
use host::{BootClock, paths};
use order::OrderId;
use report::{Cause, CauseKind};
use session::{Channel, FrameError, Reply};

use crate::{facts, history, outbox::Outbox, owner, words};

/// How often both are looked at.
const LOOK: Duration = Duration::from_millis(20);
/// How often the one who follows is told how long it may last, though nothing has changed.
const BEAT: Duration = Duration::from_secs(5);
/// How often somebody is looked for who brings the activation to its end.
const HEAL: Duration = Duration::from_secs(5);

/// Tells how the order goes on until it has ended, or somebody wants this to stop.
pub(crate) fn follow<W: Write>(
    order: &OrderId,
    outbox: &Outbox<W>,
    stop: &AtomicBool,
) -> Result<(), FrameError> {
    let mut log = Log { path: format!("{}/{order}.log", paths::RUN), at: 0 };
    let mut journal = [None; 2];
    let mut told = None;
    let mut healed = Instant::now();
    let mut healer: Option<JoinHandle<()>> = None;
    while !stop.load(Ordering::Relaxed) {
        log.tell(outbox)?;
        let stamp = [paths::JOURNAL, paths::JOURNAL_SHADOW].map(stamp);
        let due = told.is_none_or(|told: Instant| told.elapsed() >= BEAT);
        if stamp != journal || due {
            (journal, told) = (stamp, Some(Instant::now()));
            if let Some(reply) = news(order, facts::record().as_ref()) {
                log.tell(outbox)?;
                let last = !matches!(reply, Reply::Progress(_));
                outbox.reply(&reply)?;
                if last {
                    return Ok(());
                }
            }
        }
        if healed.elapsed() >= HEAL {
            healed = Instant::now();
            // systemd may take its time, and the operator wants to hear something meanwhile.
            if healer.as_ref().is_none_or(JoinHandle::is_finished) {
                healer = Some(thread::spawn(owner::heal));
            }
        }
        thread::sleep(LOOK);
    }
    Ok(())
}

/// What changes whenever a file is replaced.
fn stamp(path: &str) -> Option<(u64, i64)> {
    fs::metadata(path).ok().map(|file| (file.ino(), file.mtime_nsec()))
}

/// What the journal says of the order; nothing if it is about to begin.
fn news(order: &OrderId, record: Option<&Record>) -> Option<Reply> {
    if let Some(record) = record.filter(|record| record.order.id == *order) {
        return Some(match words::ending(&record.state) {
            Some(ending) => Reply::Ended { order: order.clone(), ending },
            None => Reply::Progress(words::progress(record, BootClock::new().moment())),
        });
    }
    let past = history::read().into_iter().rev().find(|past| past.order == *order);
    if let Some(past) = past {
        return Some(Reply::Ended { order: order.clone(), ending: past.ending });
    }
    (!owner::lives(order))
        .then(|| Reply::Refused(Cause::new(CauseKind::Refused, format!("this host knows no order {order}"))))
}

/// The log of an activation, told from where it was told last.
struct Log {
    path: String,
    at: u64,
}

impl Log {
    fn tell<W: Write>(&mut self, outbox: &Outbox<W>) -> Result<(), FrameError> {
        let mut bytes = Vec::new();
        let read = File::open(&self.path).and_then(|mut file| {
            // A log that was cut goes on at its end.
            self.at = self.at.min(file.metadata()?.len());
            file.seek(SeekFrom::Start(self.at))?;
            let limit = u64::try_from(session::MAX_DATA).unwrap_or(u64::MAX);
            file.take(limit).read_to_end(&mut bytes)
        });
        // A log that is not there yet has nothing to tell.
        if read.is_ok() && !bytes.is_empty() {
            self.at += u64::try_from(bytes.len()).unwrap_or(0);
            outbox.data(Channel::Log, &bytes)?;
        }
        Ok(())
    }
}
