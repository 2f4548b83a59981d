//! One case: a host is stopped at a point, struck there, and left to itself or to its next contact.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use lab::{Host, wait};
use order::{Mode, Order};
use report::{Ending, LoaderDefault};
use run::{Child, Output};
use session::{Hello, Reply, Request};
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
/// The last point before a reboot.
const REBOOT: &str = "own before:effect:reboot";
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
        let crosses = self.way.mode == Mode::Reboot;
        let mut case = Case::start(self, if crosses { REBOOT } else { "none" })?;
        let mut points = String::new();
        if crosses {
            self.wait_stopped(REBOOT)?;
            points = self.points()?;
            case.release()?;
            case.cross("none")?;
        }
        case.go_on()?;
        case.ending()?;
        let units = ["systemctl", "list-units", "--all", "--plain", "--no-legend", "lockstep-*"];
        wait::until("the activation's services to be gone", SOON, || {
            let units = self.host.run(units)?;
            ensure!(units.is_empty(), "{units}");
            Ok(())
        })?;
        points = format!("{points}\n{}", self.points()?);
        Ok(points.lines().filter(|point| !point.is_empty()).map(str::to_owned).collect())
    }

    fn points(&self) -> Result<String> {
        self.host.run(["cat", &format!("{FOLDER}/points")])
    }

    /// Walks to the last of these points and strikes there. False if there is nobody to strike.
    pub(super) fn strike(&self, points: &[String], blow: Blow) -> Result<bool> {
        let passed = Passed { way: self.way, points };
        if matches!(blow, Blow::Guard | Blow::Both) && !passed.is_guarded() {
            return Ok(false);
        }
        let mut case = Case::start(self, passed.point())?;
        if passed.has_rebooted() {
            case.cross(passed.point())?;
        }
        if passed.is_confirmed() {
            case.go_on()?;
        }
        self.wait_stopped(passed.point())?;
        case.strike(blow, passed.role())?;
        if blow == Blow::Guard && !passed.is_confirmed() && self.way.mode != Mode::Reboot {
            case.go_on()?;
        }
        case.judge(&passed, blow)?;
        Ok(true)
    }

    /// Lets the agent on this host stop at a point.
    fn stop_at(&self, point: &str) -> Result<()> {
        let script = r#"rm -rf "$1"; mkdir "$1"; mkfifo "$1/go"; printf %s "$2" > "$1/stop-at""#;
        self.host.run(["sh", "-euc", script, "sh", FOLDER, point]).map(drop)
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
    /// How often the host had booted before.
    boots: u32,
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
        ground.stop_at(first)?;
        let boots = host.status()?.boots;
        let mut session = Session::start(host)?;
        let before = Seen::of(&session.hello)?;
        let has = if mode == Mode::Boot { &before.default } else { &before.running };
        let new = ground.systems.iter().find(|system| *system != has).context("two systems")?.clone();
        let mut order = session.order(&new, mode, settings(LONG).limits)?;
        order.settings = settings(LONG);
        session.deliver(&order)?;
        // A console's session would hold a reboot up for 90 seconds: its nsenter stops with what it has started.
        let session = (mode != Mode::Reboot).then_some(session);
        let mut case = Self { ground, before, new, order, boots, session, confirming: None, contact: None };
        case.kill_first(stop_at)?;
        Ok(case)
    }

    /// What was struck before the blow that the case is about.
    fn kill_first(&mut self, then: &str) -> Result<()> {
        let Some((blow, point)) = self.ground.way.killed else { return Ok(()) };
        self.ground.wait_stopped(point)?;
        self.ground.stop_at(then)?;
        self.strike(blow, "own")?;
        if blow == Blow::Both {
            self.contact = Some(self.contact()?);
        }
        Ok(())
    }

    /// A session that says nothing, and may wait for long until it is answered.
    fn contact(&self) -> Result<Child> {
        let session = self.ground.host.command([AGENT, "session"])?.input_pipe().stdout(Output::Pipe);
        Ok(session.spawn()?)
    }

    /// Follows the host through its reboot, and lets somebody look at it who stops at `then`.
    fn cross(&mut self, then: &str) -> Result<()> {
        let host = self.ground.host;
        wait::until_true("the host to reboot", BOOT, || {
            host.status().is_ok_and(|status| status.boots > self.boots)
        })?;
        self.hang_up();
        host.wait_ssh(BOOT)?;
        self.ground.stop_at(then)?;
        self.contact = Some(self.contact()?);
        Ok(())
    }

    /// Confirms, if it is waited for.
    fn go_on(&mut self) -> Result<()> {
        if !self.ground.way.awaits() {
            return Ok(());
        }
        let mut session = self.follow()?;
        session.until_awaits()?;
        self.session = Some(session);
        self.confirm()
    }

    fn confirm(&mut self) -> Result<()> {
        let mut confirming = Session::start(self.ground.host)?;
        let (order, nonce) = (self.order.id.clone(), self.order.nonce.clone());
        confirming.send(&Request::Confirm { order, nonce })?;
        self.confirming = Some(confirming);
        Ok(())
    }

    /// The session that follows, or a new one.
    fn follow(&mut self) -> Result<Session> {
        if let Some(session) = self.session.take() {
            return Ok(session);
        }
        let mut session = Session::start(self.ground.host)?;
        session.send(&Request::Follow { order: self.order.id.clone() })?;
        Ok(session)
    }

    /// Lets whoever has stopped go on.
    fn release(&self) -> Result<()> {
        self.ground.host.sh(&format!("echo > {FOLDER}/go")).map(drop)
    }

    /// Strikes at a point of this role.
    fn strike(&mut self, blow: Blow, role: &str) -> Result<()> {
        let host = self.ground.host;
        match blow {
            Blow::Guard => {
                self.kill("guard")?;
                self.release()
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
        if self.ground.way.mode != Mode::Reboot {
            return self.follow()?.until_ended();
        }
        // The host may reboot on the way: it is looked at again and again.
        wait::until("the end", BOOT * 3, || {
            let reply = self.follow()?.reply()?;
            match &reply {
                Reply::Ended { ending, .. } => return Ok(ending.clone()),
                Reply::Progress(now) if now.awaits_confirm && self.confirming.is_none() => {
                    self.confirm()?;
                }
                _ => {}
            }
            bail!("{reply:?}")
        })
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
        let (new, mode) = (passed.new_wins(blow), passed.way.mode);
        let good = match &ending {
            Ending::Confirmed { lasting } => new && *lasting == (mode != Mode::Test),
            Ending::RolledBack { aftermath, .. } => {
                !new && aftermath.iter().all(|note| mode == Mode::Reboot && note.contains("was rebooted"))
            }
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
