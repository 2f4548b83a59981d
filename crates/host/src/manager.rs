//! Whether systemd itself is well. A way back needs it twice: to start a service, and over D-Bus for
//! `switch-to-configuration`; where it is in trouble only a reboot helps.
//!
//! Looking takes no lock, leaves no process behind, and ends in time whatever systemd does.

mod greet;

use std::{
    fs, io, thread,
    time::{Duration, Instant},
};

use activate::Fault;
use run::{Command, Finished};
use thiserror::Error;

use crate::{chain, links};
use greet::{NoAnswer, greet};

/// Where systemd itself answers root, without D-Bus.
const PRIVATE: &str = "/run/systemd/private";
/// Where D-Bus answers.
const BUS: &str = "/run/dbus/system_bus_socket";
/// What systemd falls back to when it cannot go on.
const MAINTENANCE: [&str; 2] = ["emergency.target", "rescue.target"];

/// How long an answer is waited for.
const ANSWER: Duration = Duration::from_secs(2);
/// How long systemd may be silent while somebody waits for what it was asked: it answers nobody while it reads all of
/// its units again.
const BUSY: Duration = Duration::from_secs(20);
/// How long D-Bus may be away: it is when it is started again.
const AWAY: Duration = Duration::from_secs(3);
/// How often is looked again.
const LOOK: Duration = Duration::from_millis(250);
/// How often systemd is looked at while it is at work for us.
const ATTEND: Duration = Duration::from_secs(1);
/// How often a program is looked at that we wait for.
const NAP: Duration = Duration::from_millis(5);

/// What is wrong with systemd.
#[derive(Debug, Error)]
pub enum Trouble {
    /// Process 1 was stopped by a signal.
    #[error("systemd (process 1) was stopped by a signal, so nothing can be started or stopped")]
    Stopped,
    /// Nobody listens at its own socket: so it is after a crash.
    #[error("systemd (process 1) has crashed: nobody answers at {PRIVATE}")]
    Crashed(#[source] io::Error),
    /// It listens and says nothing.
    #[error("systemd (process 1) is silent: it takes calls at {PRIVATE} and does not answer")]
    Silent,
    /// It runs next to nothing.
    #[error(
        "{target} is active: systemd has stopped ssh and most other services, and waits for a person at the console"
    )]
    Maintenance {
        /// `emergency.target` or `rescue.target`.
        target: &'static str,
    },
    /// Nobody listens for D-Bus.
    #[error("D-Bus is gone: nobody answers at {BUS}, and no system can be activated without it")]
    NoBus(#[source] io::Error),
    /// Somebody listens for D-Bus and says nothing.
    #[error("D-Bus is silent: somebody takes calls at {BUS} and does not answer")]
    SilentBus,
}

impl Trouble {
    /// How long it must last to be more than a moment of much work.
    fn patience(&self) -> Duration {
        match self {
            Self::Stopped | Self::Crashed(_) | Self::Maintenance { .. } => Duration::ZERO,
            Self::NoBus(_) => AWAY,
            Self::Silent | Self::SilentBus => BUSY,
        }
    }

    fn fault(&self) -> Fault {
        Fault::new(chain(self))
    }
}

/// What is wrong with systemd at this moment, if anything: within milliseconds if all is well, within seconds otherwise.
/// One that is merely busy may be called silent; see [`lasting_trouble`].
#[must_use]
pub fn trouble() -> Option<Fault> {
    look().err().map(|trouble| trouble.fault())
}

/// The same, but what may be over in a moment is given one, up to 20 s.
#[must_use]
pub fn lasting_trouble() -> Option<Fault> {
    let start = Instant::now();
    outlasts(look, || start.elapsed()).err().map(|trouble| trouble.fault())
}

/// Looks again until all is well or the trouble has lasted; `elapsed` is the time since the first look.
fn outlasts(
    mut look: impl FnMut() -> Result<(), Trouble>,
    elapsed: impl Fn() -> Duration,
) -> Result<(), Trouble> {
    loop {
        match look() {
            Err(trouble) if elapsed() >= trouble.patience() => return Err(trouble),
            Err(_) => thread::sleep(LOOK),
            Ok(()) => return Ok(()),
        }
    }
}

fn look() -> Result<(), Trouble> {
    pulse()?;
    // Before D-Bus, which is gone in both: this is the better word for it.
    maintenance()?;
    bus()
}

/// Whether process 1 lives and answers.
pub(crate) fn pulse() -> Result<(), Trouble> {
    if is_stopped(&fs::read_to_string("/proc/1/stat").unwrap_or_default()) {
        return Err(Trouble::Stopped);
    }
    greet(PRIVATE, ANSWER).map_err(|why| match why {
        NoAnswer::Nobody(error) => Trouble::Crashed(error),
        NoAnswer::Silence => Trouble::Silent,
    })
}

/// Whether a process is stopped by a signal, by its `stat` (`proc_pid_stat(5)`). Its name, in parentheses, may hold
/// anything.
fn is_stopped(stat: &str) -> bool {
    stat.rsplit_once(')').is_some_and(|(_, rest)| rest.trim_start().starts_with('T'))
}

fn bus() -> Result<(), Trouble> {
    greet(BUS, ANSWER).map_err(|why| match why {
        NoAnswer::Nobody(error) => Trouble::NoBus(error),
        NoAnswer::Silence => Trouble::SilentBus,
    })
}

fn maintenance() -> Result<(), Trouble> {
    let command = Command::new(links::running_program("systemd/bin/systemctl"));
    // It asks systemd alone, which has just answered, and not over D-Bus.
    let asked = command.arg("is-active").args(MAINTENANCE).timeout(ANSWER).output();
    let states = match asked {
        Ok(finished) => finished.stdout_text(),
        Err(run::Error::TimedOut { .. }) => return Err(Trouble::Silent),
        // Without the program nothing is known, and nothing is claimed.
        Err(_) => return Ok(()),
    };
    let active = |state: &str| matches!(state, "active" | "activating" | "reloading");
    let target = MAINTENANCE.into_iter().zip(states.lines()).find(|(_, state)| active(state));
    target.map_or(Ok(()), |(target, _)| Err(Trouble::Maintenance { target }))
}

/// Now and then a look at whether those still answer who are at work for us.
#[derive(Debug)]
pub(crate) struct Attendance {
    look: fn() -> Result<(), Trouble>,
    looked: Option<Instant>,
    troubled: Option<Instant>,
}

impl Attendance {
    /// Of process 1.
    pub(crate) fn of_manager() -> Self {
        Self { look: pulse, looked: None, troubled: None }
    }

    /// Of process 1 and D-Bus.
    pub(crate) fn of_manager_and_bus() -> Self {
        Self { look: || pulse().and_then(|()| bus()), ..Self::of_manager() }
    }

    /// What is wrong, once it has lasted. Called as often as one likes.
    pub(crate) fn lost(&mut self) -> Option<Trouble> {
        if self.looked.is_some_and(|looked| looked.elapsed() < ATTEND) {
            return None;
        }
        let looking = Instant::now();
        let trouble = (self.look)().err();
        self.looked = Some(Instant::now());
        let since = trouble.as_ref().map(|_| self.troubled.unwrap_or(looking));
        self.troubled = since;
        trouble.filter(|trouble| since.is_some_and(|since| since.elapsed() >= trouble.patience()))
    }
}

/// Runs a program that systemd must answer. It ends at its limit, or as soon as it is certain that nobody will.
pub(crate) fn attended(command: Command, limit: Duration) -> Result<Finished, Fault> {
    let mut attendance = Attendance::of_manager();
    let name = command.to_string();
    let lost = |attendance: &mut Attendance| attendance.lost().map_or(Ok(()), |trouble| Err(trouble.fault()));
    lost(&mut attendance)?;
    let mut child = command.spawn().map_err(|error| Fault::new(chain(&error)))?;
    let start = Instant::now();
    while child.is_running() {
        // Dropped, the program is ended.
        lost(&mut attendance)?;
        if start.elapsed() >= limit {
            return Err(Fault::new(format!("{name} was not done after {} s", limit.as_secs())));
        }
        thread::sleep(NAP);
    }
    let finished = child.wait().and_then(|finished| finished.check(&name));
    finished.map_err(|error| Fault::new(chain(&error)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stopped_process_is_known_by_its_state() {
        for (stat, expected) in [
            ("1 (systemd) T 0 1 1", true),
            ("1 (systemd) S 0 1 1", false),
            ("1 (a) T (b) S 0", false),
            ("1 (a) S (b) T 0", true),
            ("1 (systemd) t 0 1 1", false),
            ("", false),
        ] {
            assert_eq!(is_stopped(stat), expected, "{stat}");
        }
    }

    #[test]
    fn what_lasts_is_told_and_what_passes_is_not() {
        /// How often a look finds trouble, and how much time goes by with each.
        type Case = (&'static str, fn() -> Trouble, u32, Duration, bool);
        let emergency = || Trouble::Maintenance { target: "emergency.target" };
        let cases: [Case; 7] = [
            ("well", || Trouble::Silent, 0, BUSY, false),
            ("busy for a moment", || Trouble::Silent, 1, BUSY / 2, false),
            ("busy for ever", || Trouble::Silent, u32::MAX, BUSY / 2, true),
            ("a bus that comes back", || Trouble::NoBus(io::ErrorKind::NotFound.into()), 1, AWAY / 2, false),
            ("a bus that does not", || Trouble::NoBus(io::ErrorKind::NotFound.into()), 9, AWAY / 2, true),
            ("stopped", || Trouble::Stopped, 1, Duration::ZERO, true),
            ("emergency", emergency, 1, Duration::ZERO, true),
        ];
        for (what, trouble, lasts, each, expected) in cases {
            let looks = std::cell::Cell::new(0);
            let look = || {
                looks.set(looks.get() + 1);
                if looks.get() <= lasts { Err(trouble()) } else { Ok(()) }
            };
            assert_eq!(outlasts(look, || each * (looks.get() - 1)).is_err(), expected, "{what}");
        }
    }

    #[test]
    fn who_attends_tells_what_lasts() {
        let lost =
            |look| Attendance { look, ..Attendance::of_manager() }.lost().map(|trouble| trouble.to_string());
        assert_eq!(lost(|| Ok(())), None);
        assert_eq!(lost(|| Err(Trouble::Silent)), None, "it may be busy");
        assert_eq!(lost(|| Err(Trouble::Stopped)), Some(Trouble::Stopped.to_string()));
        let long_ago = Instant::now().checked_sub(BUSY);
        let look = || Err(Trouble::Silent);
        let mut attendance = Attendance { look, troubled: long_ago, ..Attendance::of_manager() };
        assert!(attendance.lost().is_some_and(|trouble| matches!(trouble, Trouble::Silent)));
        attendance = Attendance { look: || Ok(()), looked: None, ..attendance };
        assert!(attendance.lost().is_none() && attendance.troubled.is_none(), "it is well again");
    }
}
