//! The lab's own build of `lockstep-agent`: it reports a point before and after each effect and each write of the
//! journal, and stops at the one that it is asked for, so that a scenario can kill it there or cut the power.
//!
//! In the folder [`FOLDER`] of the host, if it is there: `points` gets a line for each point that is passed, such as
//! `own before:journal:committing` or, the second time in one process, `own before:journal:committing#2`. If `stop-at`
//! holds such a line, it is renamed to `stopped` at that point, and the process waits until somebody writes to the
//! FIFO `go`.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    env,
    fs::{self, File},
    io::{self, Read, Write},
    path::Path,
    process::ExitCode,
};

use activate::{
    Effect, Event, Fault, Host, Journal, LoadError, Moment, Observation, Owner, Record, Reply, Watch,
};
use agent::Between;

/// Where a scenario says where to stop.
const FOLDER: &str = "/run/lockstep-lab";

fn main() -> ExitCode {
    let role = env::args().nth(1).unwrap_or_default();
    agent::main_with(&Points { role, passed: RefCell::default() })
}

/// The points of one process.
struct Points {
    role: String,
    /// How often each was passed.
    passed: RefCell<BTreeMap<String, u32>>,
}

impl Points {
    /// Does something between its two points.
    fn around<T>(&self, what: &str, act: impl FnOnce() -> T) -> T {
        self.pass(&format!("before:{what}"));
        let done = act();
        self.pass(&format!("after:{what}"));
        done
    }

    fn pass(&self, point: &str) {
        let mut passed = self.passed.borrow_mut();
        let times = passed.entry(point.to_owned()).or_default();
        *times += 1;
        let name = match times {
            1 => format!("{} {point}", self.role),
            _ => format!("{} {point}#{times}", self.role),
        };
        // Without the folder nobody looks.
        let _nobody = stop_if_asked(&name);
    }
}

fn stop_if_asked(name: &str) -> io::Result<()> {
    let folder = Path::new(FOLDER);
    let mut points = File::options().create(true).append(true).open(folder.join("points"))?;
    points.write_all(format!("{name}\n").as_bytes())?;
    if fs::read_to_string(folder.join("stop-at"))?.trim() == name {
        fs::rename(folder.join("stop-at"), folder.join("stopped"))?;
        File::open(folder.join("go"))?.read_to_end(&mut Vec::new())?;
    }
    Ok(())
}

impl Between for Points {
    fn host<H: Host>(&self, host: H) -> impl Host {
        StopAt { inner: host, points: self }
    }

    fn sentry<H: Host + Watch>(&self, sentry: H) -> impl Host + Watch {
        StopAt { inner: sentry, points: self }
    }

    fn journal<J: Journal>(&self, journal: J) -> impl Journal {
        StopAt { inner: journal, points: self }
    }
}

/// Something that acts, with a point before and after each act.
struct StopAt<'a, T> {
    inner: T,
    points: &'a Points,
}

/// The name of an effect as the machine has it: `SetProfile` is `set-profile`.
fn name(effect: &Effect) -> String {
    let shown = format!("{effect:?}");
    let mut name = String::new();
    for letter in shown.chars().take_while(char::is_ascii_alphanumeric) {
        if letter.is_ascii_uppercase() && !name.is_empty() {
            name.push('-');
        }
        name.push(letter.to_ascii_lowercase());
    }
    name
}

impl<H: Host> Host for StopAt<'_, H> {
    fn observe(&mut self) -> Observation {
        self.inner.observe()
    }

    fn perform(&mut self, effect: &Effect, record: &Record) -> Event {
        self.points.around(&format!("effect:{}", name(effect)), || self.inner.perform(effect, record))
    }

    fn wait(&mut self, until: Moment, record: &Record) -> Event {
        self.inner.wait(until, record)
    }

    fn reply(&mut self, reply: Reply) {
        self.inner.reply(reply);
    }
}

impl<H: Watch> Watch for StopAt<'_, H> {
    fn wait_for_owner(&mut self, until: Moment) -> Owner {
        self.inner.wait_for_owner(until)
    }

    fn take_over(&mut self) -> Result<(), Fault> {
        self.points.around("take-over", || self.inner.take_over())
    }
}

impl<J: Journal> Journal for StopAt<'_, J> {
    fn load(&mut self) -> Result<Option<Record>, LoadError> {
        self.inner.load()
    }

    fn store(&mut self, record: &Record) -> Result<(), Fault> {
        let word = record.state.phase().word();
        self.points.around(&format!("journal:{word}"), || self.inner.store(record))
    }
}
