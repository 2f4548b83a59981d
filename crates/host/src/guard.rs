//! The guard: the same program in a second service, which waits for the owner's end or its own deadline.

use std::{
    fs, io,
    os::fd::OwnedFd,
    path::PathBuf,
    thread,
    time::{Duration, Instant},
};

use activate::{Effect, Event, Fault, Host, Moment, Observation, Owner, Record, Reply, Watch};
use order::OrderId;
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal},
    time::{Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, timerfd_create, timerfd_settime},
};

use crate::{cgroup::Group, clock::BootClock, job::start_service, lock::Lock, machine::Machine, paths};

/// How long the guard may take to be ready.
const READY: Duration = Duration::from_secs(20);
/// How long a killed owner may take to give up its lock.
const TAKE: Duration = Duration::from_secs(10);
/// How often both are looked at.
const LOOK: Duration = Duration::from_millis(10);
/// How long a guard that is stopped has.
const GRACE: Duration = Duration::from_secs(1);
const PATIENCE: Duration = Duration::from_secs(10);

fn unit(order: &OrderId) -> String {
    format!("lockstep-guard-{order}.service")
}

fn ready_file(order: &OrderId) -> PathBuf {
    PathBuf::from(format!("{}/{order}.guard", paths::RUN))
}

/// Starts the guard, unless it lives, and waits until it says that it is ready.
pub(crate) fn arm(record: &Record) -> Result<(), Fault> {
    let order = &record.order.id;
    if ready_file(order).exists() && is_there(order) {
        return Ok(());
    }
    // What a guard that died has left would speak for the next one.
    let _gone = fs::remove_file(ready_file(order));
    // The last one to be killed when memory is short: it holds the way back.
    start_service(&unit(order), &["OOMScoreAdjust=-1000"], &["guard".to_owned(), order.to_string()])?;
    let start = Instant::now();
    while !ready_file(order).exists() {
        let why = match (is_there(order), start.elapsed() > READY) {
            (false, _) if !ready_file(order).exists() => "ended at once; see /run/lockstep/services.log",
            (_, true) => "was started and does not say that it is ready",
            _ => {
                thread::sleep(LOOK);
                continue;
            }
        };
        return Err(Fault::new(format!("{} {why}", unit(order))));
    }
    Ok(())
}

/// Whether a guard of this order lives.
#[must_use]
pub fn is_there(order: &OrderId) -> bool {
    Group::of(&unit(order)).state() != activate::SwitchUnit::Absent
}

/// Stops the guard of this order.
pub(crate) fn disarm(order: &OrderId) -> Result<(), Fault> {
    // Left behind it would say that a later guard is ready.
    let _gone = fs::remove_file(ready_file(order));
    let ended = Group::of(&unit(order)).end(GRACE, PATIENCE);
    ended.map_err(|error| Fault::new(format!("{}: {error}", unit(order))))
}

/// The guard's sight of the owner: the process that signed the lock, held so that its number cannot mean another.
#[derive(Debug)]
pub struct Sentry {
    machine: Machine,
    owner: Option<OwnedFd>,
    lock: Option<Lock>,
}

impl Sentry {
    /// Looks at the process that holds the lock now.
    #[must_use]
    pub fn new(machine: Machine) -> Self {
        Self { machine, owner: holder(), lock: None }
    }

    /// Says that the guard is ready.
    ///
    /// # Errors
    /// If the owner cannot be told.
    pub fn ready(&self, order: &OrderId) -> io::Result<()> {
        fs::write(ready_file(order), "")
    }
}

/// The sentry acts through its machine.
impl Host for Sentry {
    fn observe(&mut self) -> Observation {
        self.machine.observe()
    }

    fn perform(&mut self, effect: &Effect, record: &Record) -> Event {
        self.machine.perform(effect, record)
    }

    fn wait(&mut self, until: Moment, record: &Record) -> Event {
        self.machine.wait(until, record)
    }

    fn reply(&mut self, reply: Reply) {
        self.machine.reply(reply);
    }
}

impl Watch for Sentry {
    fn wait_for_owner(&mut self, until: Moment) -> Owner {
        let Some(owner) = &self.owner else { return Owner::Gone };
        let left = until.from_now(BootClock::new().moment());
        match sleep(owner, left) {
            Ok(true) => Owner::Gone,
            Ok(false) => Owner::Alive,
            // Without a way to wait, look again soon.
            Err(_) => {
                thread::sleep(Duration::from_secs(1).min(left));
                Owner::Alive
            }
        }
    }

    fn take_over(&mut self) -> Result<(), Fault> {
        if let Some(owner) = &self.owner {
            // One that has ended already is what is wanted.
            let _gone = pidfd_send_signal(owner, Signal::KILL);
        }
        let start = Instant::now();
        while self.lock.is_none() && start.elapsed() < TAKE {
            self.lock = Lock::take().map_err(|error| Fault::new(format!("{}: {error}", paths::LOCK)))?;
            if self.lock.is_none() {
                thread::sleep(LOOK);
            }
        }
        match &mut self.lock {
            Some(lock) => lock.sign().map_err(|error| Fault::new(format!("{}: {error}", paths::LOCK))),
            None => {
                // Somebody else has found the unfinished activation; from now on it is the one that is watched.
                self.owner = holder();
                Err(Fault::new(format!("{} is held by somebody else", paths::LOCK)))
            }
        }
    }
}

/// The process that holds the lock. Its number is read before and after it is held fast, and the lock is looked at in
/// between: a number that was given to another process meanwhile is nobody's.
fn holder() -> Option<OwnedFd> {
    let signer = Lock::signer()?;
    let process = pidfd_open(Pid::from_raw(i32::try_from(signer).ok()?)?, PidfdFlags::empty()).ok()?;
    (Lock::is_held() && Lock::signer() == Some(signer)).then_some(process)
}

/// Sleeps on the boot-time clock until the process ends (true) or the time is over (false).
fn sleep(process: &OwnedFd, left: Duration) -> io::Result<bool> {
    let timer = timerfd_create(TimerfdClockId::Boottime, TimerfdFlags::CLOEXEC)?;
    // A timer of zero would never ring.
    let left = left.max(Duration::from_millis(1));
    let it_value = Timespec {
        tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: i64::from(left.subsec_nanos()),
    };
    let it_interval = Timespec { tv_sec: 0, tv_nsec: 0 };
    timerfd_settime(&timer, TimerfdTimerFlags::empty(), &Itimerspec { it_interval, it_value })?;
    let mut waits = [PollFd::new(process, PollFlags::IN), PollFd::new(&timer, PollFlags::IN)];
    loop {
        match poll(&mut waits, None) {
            Ok(_) => return Ok(!waits[0].revents().is_empty()),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}
