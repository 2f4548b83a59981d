//! The owner of an activation: holds the lock, runs the machine, and ends with it.

use std::{
    io,
    process::ExitCode,
    sync::mpsc,
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use activate::{Fault, Journal, LoadError, Phase, Record, begin, resume as resume_record};
use host::{BootClock, FileJournal, Lock, Machine, Role, paths};
use order::{Order, OrderId};
use report::{Cause, CauseKind};
use system::units::UnitStates;

use crate::{
    Between, confirm, facts,
    handover::{self, Verdict},
    history, words,
};

/// How long a contact waits for an activation whose owner and guard had died: less than operators wait for a hello.
const HEALING: Duration = Duration::from_secs(30);
/// How often it looks.
const LOOK: Duration = Duration::from_millis(20);

fn unit(order: &OrderId) -> String {
    format!("lockstep-own-{order}.service")
}

/// Starts the owner of an order in a service of its own.
pub(crate) fn start(order: &OrderId) -> Result<(), Fault> {
    host::start_service(&unit(order), &["OOMScoreAdjust=-900"], &["own".to_owned(), order.to_string()])
}

/// Whether the owner of an order has a process.
pub(crate) fn lives(order: &OrderId) -> bool {
    host::service_lives(&unit(order))
}

/// The order that has not ended.
pub(crate) fn current() -> Option<Order> {
    facts::record().filter(|record| !record.state.phase().is_end()).map(|record| record.order)
}

/// Starts somebody who brings an unfinished activation to its end, if nobody does. Called at every contact: after a
/// power cut nobody else is there.
pub(crate) fn heal() {
    FileJournal.catch_up();
    let Some(order) = current() else { return };
    if is_attended(&order.id) {
        return;
    }
    // If systemd does not start it now, the next contact tries again.
    let _later =
        host::start_service_quickly(&resumer(&order.id), &["OOMScoreAdjust=-900"], &["resume".to_owned()]);
}

/// The same in a thread, and waits a while for the end that is brought, so that the host says of itself what will hold,
/// and is not busy with what nobody wants any more. However slow systemd is, the wait is bounded; the thread goes on.
pub(crate) fn heal_first() -> JoinHandle<()> {
    let start = Instant::now();
    let healing = thread::spawn(|| {
        FileJournal.catch_up();
        let Some(order) = current() else { return };
        let orphaned = !is_attended(&order.id);
        heal();
        let (unit, start) = (resumer(&order.id), Instant::now());
        let resumes = || host::service_lives(&unit) || host::service_lives(paths::START_UNIT);
        // What an owner that died has left waiting is about to go back.
        while resumes() && (orphaned || !awaits()) && start.elapsed() < HEALING {
            thread::sleep(LOOK);
        }
    });
    while !healing.is_finished() && start.elapsed() < HEALING {
        thread::sleep(LOOK);
    }
    healing
}

/// Whether somebody has the activation of this order, or is about to.
fn is_attended(order: &OrderId) -> bool {
    let resumes = host::service_lives(&resumer(order)) || host::service_lives(paths::START_UNIT);
    lives(order) || host::guard_is_there(order) || resumes
}

/// Whether the activation waits for a confirmation: only a session brings that, so no session waits for its end.
fn awaits() -> bool {
    facts::record().is_some_and(|record| record.state.phase() == Phase::AwaitingConfirm)
}

fn resumer(order: &OrderId) -> String {
    format!("lockstep-resume-{order}.service")
}

/// The role `own`: carries one order out.
pub(crate) fn own(id: &OrderId, between: &impl Between) -> ExitCode {
    let (lock, record, units) = match prepare(id, between) {
        Ok(prepared) => prepared,
        Err(cause) => {
            // A session that has gone does not read it.
            let _unread = handover::judge(id, &Verdict::Refused(cause));
            return ExitCode::FAILURE;
        }
    };
    if handover::take(id).is_err() {
        // The session gave up waiting, and the operator was told so.
        return ExitCode::FAILURE;
    }
    let wishes = confirm::listen(id);
    let machine = Machine::new(Role::Owner, id.clone(), wishes).with_units(units);
    if handover::judge(id, &Verdict::Accepted).is_err() {
        return ExitCode::FAILURE;
    }
    let (mut host, mut journal) = (between.host(machine), between.journal(FileJournal));
    let ended = begin(record, &mut host, &mut journal, &mut BootClock::new());
    finish(&ended.record);
    drop(lock);
    ExitCode::SUCCESS
}

/// The role `resume`: brings what is in the journal to its end. The start unit runs it at every boot, when nothing of
/// ours is in `/run` yet, and whenever a switch starts the unit: whoever holds the lock then is at it already.
pub(crate) fn resume(between: &impl Between) -> ExitCode {
    let lock = match take_lock() {
        Ok(Some(lock)) => lock,
        Ok(None) => return ExitCode::SUCCESS,
        Err(_) => return ExitCode::FAILURE,
    };
    recover(between);
    drop(lock);
    ExitCode::SUCCESS
}

/// Brings an unfinished record to its end; the caller holds the lock.
fn recover(between: &impl Between) {
    let Some(record) = facts::record().filter(|record| !record.state.phase().is_end()) else { return };
    host::root_agent(&record.order.id);
    let wishes = confirm::listen(&record.order.id);
    let machine = Machine::new(Role::Owner, record.order.id.clone(), wishes);
    let (mut host, mut journal) = (between.host(machine), between.journal(FileJournal));
    let ended = resume_record(record, &mut host, &mut journal, &mut BootClock::new());
    finish(&ended.record);
}

/// What remains to be done for an activation that has ended.
pub(crate) fn finish(record: &Record) {
    if let Some(last) = words::last(record) {
        history::add(&last);
    }
    confirm::close();
    let id = &record.order.id;
    handover::clear(id);
    // A log that cannot be kept is in /run until the next boot.
    let _unkept = host::keep_log(id);
    host::tidy_runtime(id);
}

fn take_lock() -> io::Result<Option<Lock>> {
    let Some(mut lock) = Lock::take()? else { return Ok(None) };
    lock.sign()?;
    Ok(Some(lock))
}

/// All that must hold before the journal is touched.
fn prepare(id: &OrderId, between: &impl Between) -> Result<(Lock, Record, UnitStates), Cause> {
    let order = handover::take_up(id)?;
    let lock = take_lock().map_err(|error| {
        Cause::new(CauseKind::Internal, format!("the lock {} cannot be had: {error}", paths::LOCK))
    })?;
    let lock = lock.ok_or_else(busy)?;
    recover(between);
    let last = FileJournal.load().map_err(|error| no_journal(&error))?;
    compare_and_set(&order, last.as_ref())?;
    host::check(&order).map_err(|unfit| unfit_cause(&unfit))?;
    let (before, units) =
        host::snapshot(&order).map_err(|fault| Cause::new(CauseKind::Activation, fault.to_string()))?;
    let record = Record::new(order, before, BootClock::new().moment())
        .map_err(|error| Cause::new(CauseKind::Refused, error.to_string()))?;
    Ok((lock, record, units))
}

/// A journal that is not understood may be that of an activation that goes on, so a person looks first.
fn no_journal(error: &LoadError) -> Cause {
    let (file, why) = (paths::JOURNAL, host::chain(error));
    let remedy =
        format!("see that the host runs what it should, 'mv {file} {file}.damaged', and deploy again");
    Cause::new(CauseKind::Refused, format!("{file}: {why}; {remedy}"))
}

fn busy() -> Cause {
    let what = current().map_or_else(
        || "another activation is about to begin".to_owned(),
        |order| format!("order {} (system {}) has not ended", order.id, order.system),
    );
    Cause::new(CauseKind::Busy, format!("{what}; wait for it, or take it back with 'lockstep abort'"))
}

/// The operator must have seen the last thing that the host did.
fn compare_and_set(order: &Order, last: Option<&Record>) -> Result<(), Cause> {
    let last = last.map(|record| &record.order.id);
    if order.after.as_ref() == last {
        return Ok(());
    }
    let text = match last {
        Some(last) => {
            format!("somebody else deployed to this host meanwhile (order {last}); look, then deploy again")
        }
        None => "the host has lost its journal; look at its status, then deploy again".to_owned(),
    };
    Err(Cause::new(CauseKind::Stale, text))
}

fn unfit_cause(unfit: &host::Unfit) -> Cause {
    let kind = match unfit {
        host::Unfit::Architecture { .. } => CauseKind::Architecture,
        host::Unfit::BootSpace { .. } => CauseKind::Space,
        _ => CauseKind::Refused,
    };
    let text = unfit.explain();
    let (first, rest) = text.split_once('\n').unwrap_or((&text, ""));
    Cause::new(kind, first).with_log(rest.lines())
}

/// A channel of wishes that nobody makes, for a machine without a listener.
pub(crate) fn no_wishes() -> mpsc::Receiver<host::Wish> {
    mpsc::channel().1
}
