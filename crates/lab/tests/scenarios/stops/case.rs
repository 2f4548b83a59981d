//! One case: a host is stopped at a point, struck there, and left to itself or to its next contact.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use lab::{Host, wait};
use order::{Mode, Order};
use report::{Ending, LoaderDefault};
use run::{Child, Output};
use session::{Hello, Request};
use store::store_path::StoreDir;

use super::way::{Passed, Way};
use crate::{
    agents::{AGENT, Session, promised, settings},
    example,
    systems::{self, BOOT, SOON},
};

/// What happens at a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Blow {
    /// Whoever has the activation is killed; the guard or the next contact goes on.
    Owner,
    /// The guard is killed; the owner goes on.
    Guard,
    /// Both are killed; the next contact goes on.
    Both,
    /// The power is cut, and what was not synced is lost.
    Cut,
}

impl Blow {
    /// Whether it falls at points of this kind: the two between two acts share the blows.
    pub(super) fn fits(self, point: &str) -> bool {
        let is_after = matches!(self, Self::Owner | Self::Guard);
        point.contains(if is_after { " after:" } else { " before:" })
    }
}

/// Until nobody can confirm any more: longer than any case takes.
const LONG: Duration = Duration::from_secs(120);
/// Where the agent says at which point it is.
const FOLDER: &str = "/run/lockstep-lab";

/// A host with the agent that stops, and the systems of a way.
pub(super) struct Ground<'a> {
    host: &'a Host<'a>,
    way: &'a Way,
    systems: [String; 2],
}

/// What a host has, by its own words.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    running: String,
    profile: String,
    default: String,
    last: Option<String>,
}

impl Seen {
    fn of(hello: &Hello) -> Result<Self> {
        let path = |path: &order::SystemPath| path.in_store(&StoreDir::default());
        let LoaderDefault::System(default) = &hello.default else { bail!("it boots {:?}", hello.default) };
        Ok(Self {
            running: hello.running.as_ref().map(path).context("nothing runs")?,
            profile: hello.profile.as_ref().map(path).context("no profile")?,
            default: path(default),
            last: hello.last.as_ref().map(ToString::to_string),
        })
    }
}

impl<'a> Ground<'a> {
    pub(super) fn new(host: &'a Host<'a>, way: &'a Way) -> Result<Self> {
        host.copy(&example("lockstep-agent-stops"), "/root")?;
        host.run(["mv", "/root/lockstep-agent-stops", AGENT])?;
        let systems = systems::build(host, way.systems())?;
        host.run(["sync"])?;
        Ok(Self { host, way, systems })
    }

    /// Walks to the end, and returns the points on the way.
    pub(super) fn walk(&self) -> Result<Vec<String>> {
        let mut case = Case::start(self, "none")?;
        case.go_on()?;
        case.ending()?;
        let units = ["systemctl", "list-units", "--all", "--plain", "--no-legend", "lockstep-*"];
        wait::until("the activation's services to be gone", SOON, || {
            let units = self.host.run(units)?;
            ensure!(units.is_empty(), "{units}");
            Ok(())
        })?;
        let points = self.host.run(["cat", &format!("{FOLDER}/points")])?;
        Ok(points.lines().map(str::to_owned).collect())
    }

    /// Walks to the last of these points and strikes there. False if there is nobody to strike.
    pub(super) fn strike(&self, points: &[String], blow: Blow) -> Result<bool> {
        let passed = Passed { way: self.way, points };
        if matches!(blow, Blow::Guard | Blow::Both) && !passed.is_guarded() {
            return Ok(false);
        }
        let mut case = Case::start(self, passed.point())?;
        if passed.is_confirmed() || self.way.killed.is_some() {
            case.go_on()?;
        }
        self.wait_stopped(passed.point())?;
        case.strike(blow, passed.role())?;
        if blow == Blow::Guard && !passed.is_confirmed() {
            case.go_on()?;
        }
        case.judge(&passed, blow)?;
        Ok(true)
    }

    fn wait_stopped(&self, point: &str) -> Result<()> {
        wait::until(point, SOON, || {
            let stopped = self.host.run(["cat", &format!("{FOLDER}/stopped")])?;
            ensure!(stopped == point, "it stopped at {stopped}");
            Ok(())
        })
    }
}

/// An activation that goes on.
struct Case<'a> {
    ground: &'a Ground<'a>,
    before: Seen,
    new: String,
    order: Order,
    /// Follows it.
    session: Option<Session>,
    /// Confirms it: waits for an answer that may never come.
    confirming: Option<Session>,
    /// Has started whoever brings it to its end, and waits for that.
    contact: Option<Child>,
}

impl<'a> Case<'a> {
    fn start(ground: &'a Ground<'a>, stop_at: &str) -> Result<Self> {
        let (host, mode) = (ground.host, ground.way.mode);
        let first = ground.way.killed.map_or(stop_at, |(_, point)| point);
        let script = r#"rm -rf "$1"; mkdir "$1"; mkfifo "$1/go"; printf %s "$2" > "$1/stop-at""#;
        host.run(["sh", "-euc", script, "sh", FOLDER, first])?;
        let mut session = Session::start(host)?;
        let before = Seen::of(&session.hello)?;
        let has = if mode == Mode::Boot { &before.default } else { &before.running };
        let new = ground.systems.iter().find(|system| *system != has).context("two systems")?.clone();
        let mut order = session.order(&new, mode, settings(LONG).limits)?;
        order.settings = settings(LONG);
        session.deliver(&order)?;
        let session = Some(session);
        let mut case = Self { ground, before, new, order, session, confirming: None, contact: None };
        case.kill_first(stop_at)?;
        Ok(case)
    }

    /// What was struck before the blow that the case is about.
    fn kill_first(&mut self, then: &str) -> Result<()> {
        let Some((blow, point)) = self.ground.way.killed else { return Ok(()) };
        self.ground.wait_stopped(point)?;
        let script = r#"rm "$1/stopped"; printf %s "$2" > "$1/stop-at""#;
        self.ground.host.run(["sh", "-euc", script, "sh", FOLDER, then])?;
        self.strike(blow, "own")?;
        if blow == Blow::Both {
            let contact = self.ground.host.command([AGENT, "session"])?.input_pipe().stdout(Output::Pipe);
            self.contact = Some(contact.spawn()?);
        }
        Ok(())
    }

    /// Confirms, if it is waited for.
    fn go_on(&mut self) -> Result<()> {
        if !self.ground.way.awaits() {
            return Ok(());
        }
        self.session.as_mut().context("a session")?.until_awaits()?;
        let mut confirming = Session::start(self.ground.host)?;
        let (order, nonce) = (self.order.id.clone(), self.order.nonce.clone());
        confirming.send(&Request::Confirm { order, nonce })?;
        self.confirming = Some(confirming);
        Ok(())
    }

    /// Strikes at a point of this role.
    fn strike(&mut self, blow: Blow, role: &str) -> Result<()> {
        let host = self.ground.host;
        match blow {
            Blow::Guard => {
                self.kill("guard")?;
                host.run(["sh", "-euc", &format!("echo > {FOLDER}/go")]).map(drop)
            }
            Blow::Owner => self.kill(role),
            Blow::Both => {
                self.hang_up();
                self.kill("guard")?;
                self.kill("own")
            }
            Blow::Cut => {
                host.cut_power()?;
                self.hang_up();
                host.power_on()?;
                host.wait_ssh(BOOT)
            }
        }
    }

    fn hang_up(&mut self) {
        (self.session, self.confirming, self.contact) = (None, None, None);
    }

    fn kill(&self, role: &str) -> Result<()> {
        let script = r#"systemctl kill --signal=KILL "$1"; while systemctl is-active --quiet "$1"; do sleep 0.01; done"#;
        let unit = format!("lockstep-{role}-{}.service", self.order.id);
        self.ground.host.run(["sh", "-uc", script, "sh", &unit]).map(drop)
    }

    /// How it ends, seen by a new contact if nobody follows any more.
    fn ending(&mut self) -> Result<Ending> {
        let mut session = match self.session.take() {
            Some(session) => session,
            None => {
                let mut session = Session::start(self.ground.host)?;
                session.send(&Request::Follow { order: self.order.id.clone() })?;
                session
            }
        };
        session.until_ended()
    }

    /// It ends as it must, and the host is what it says.
    fn judge(&mut self, passed: &Passed<'_>, blow: Blow) -> Result<()> {
        let nobody_is_left = blow == Blow::Owner && !(passed.is_guarded() && passed.role() == "own");
        if nobody_is_left {
            self.hang_up();
        }
        if !passed.is_begun() {
            self.hang_up();
            return self.holds(passed, blow, false, self.before.last.clone());
        }
        let ending = self.ending()?;
        let new = passed.new_wins(blow);
        let good = match &ending {
            Ending::Confirmed { lasting } => new && *lasting == (passed.way.mode != Mode::Test),
            Ending::RolledBack { aftermath, .. } => !new && aftermath.is_empty(),
            Ending::Unchanged { .. } => !new,
            Ending::Stuck { .. } => false,
        };
        ensure!(good, "the new system wins: {new}, but it ended with {ending:?}");
        self.hang_up();
        self.holds(passed, blow, new, Some(self.order.id.to_string()))
    }

    /// The host answers over a new connection; what it runs and would boot is there and what it must be.
    fn holds(&self, passed: &Passed<'_>, blow: Blow, new: bool, last: Option<String>) -> Result<()> {
        let before = &self.before;
        let choose = |new: bool, old: &String| if new { self.new.clone() } else { old.clone() };
        let default = choose(new && passed.way.mode != Mode::Test, &before.default);
        let running = match (passed.way.mode, blow == Blow::Cut) {
            (Mode::Boot, false) => before.running.clone(),
            (Mode::Boot, true) => choose(passed.boots_new(), &before.default),
            (Mode::Test, true) => before.default.clone(),
            (_, true) => choose(new, &before.default),
            (_, false) => choose(new, &before.running),
        };
        let seen = Seen::of(&promised(self.ground.host, &running)?)?;
        let expected = Seen { running, profile: default.clone(), default, last };
        ensure!(seen == expected, "the host is {seen:#?}, not {expected:#?}");
        Ok(())
    }
}
