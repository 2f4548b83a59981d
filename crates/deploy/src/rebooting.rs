//! One reboot: asked for, waited for, and looked at afterwards.

mod verdict;

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use order::SystemPath;
use report::{Cause, CauseKind, HostResult, HostStatus, Report, Stage, Timestamp, What};
use session::Reply;

use self::verdict::{Absence, troubles};
use crate::confirming::sleep;
use crate::connect::{Connector, Contact};
use crate::link::Heard;
use crate::patience::pause;
use crate::pipeline::{Over, Pipeline};
use crate::talk::TalkError;
use crate::{Urgency, bases, causes, check};

pub(crate) use self::verdict::would_boot;

/// Longest pause between two tries of reaching the host.
const LONGEST: Duration = Duration::from_secs(8);
/// How long a session is listened to that should end with the machine.
const DOWN: Duration = Duration::from_secs(15);
/// How often a host that starts is looked at.
const LOOK: Duration = Duration::from_secs(1);

/// A host that is to be restarted.
pub(crate) struct Rebooting<'a> {
    pub(crate) host: &'a Pipeline,
    pub(crate) connector: &'a Arc<Connector>,
}

impl Rebooting<'_> {
    /// Restarts the host and looks at it when it is back. It should come back with this system, if that is known.
    pub(crate) fn run(&self, wanted: Option<&SystemPath>) -> Result<HostStatus, Over> {
        let began = self.host.teller.begin(Stage::Reboot);
        let result = self.restart(wanted);
        self.host.teller.end(Stage::Reboot, began, result.is_ok());
        result
    }

    fn restart(&self, wanted: Option<&SystemPath>) -> Result<HostStatus, Over> {
        let before = self.ask()?;
        let asked = Instant::now();
        let back = self.wait(&before, asked)?;
        self.step("starts what belongs to the boot");
        let after = self.settle(back, asked);
        self.remember(&after);
        self.host.keep(&bases::of_status(&after));
        let troubles = troubles(&before, &after, wanted);
        if let Some(cause) = troubles.into_iter().next() {
            return Err(failed(cause));
        }
        self.checks().map_err(failed)?;
        Ok(after)
    }

    fn limit(&self) -> Duration {
        self.host.boot_limit()
    }

    fn step(&self, text: &str) {
        self.host.teller.step(Stage::Reboot, text);
    }

    /// Asks the host to go down; gives what it said of itself before.
    fn ask(&self) -> Result<HostStatus, Over> {
        self.step("asks for the reboot");
        let contact = self.connector.shared().map_err(failed)?;
        let said = |error: TalkError| failed(contact.cause(&error));
        let before = contact.talk.status().map_err(said)?;
        match contact.talk.reboot(&before.boot_id) {
            Ok(()) => self.until_down(&contact).map_err(said)?,
            Err(TalkError::Link(error)) => self.host.teller.note(format!(
                "the host did not answer whether it reboots ({}); it is waited for",
                causes::chain(&error)
            )),
            Err(error) => return Err(said(error)),
        }
        Ok(before)
    }

    /// Listens until the session is lost. A host that cannot go down says so.
    fn until_down(&self, contact: &Contact) -> Result<(), TalkError> {
        self.step("goes down");
        let began = Instant::now();
        while began.elapsed() < DOWN && !self.host.common.operator.stop.is_wished() {
            match contact.talk.hear(Duration::from_millis(200)) {
                Ok(Some(Heard::Reply(Reply::Refused(cause)))) => return Err(TalkError::Refused(cause)),
                Ok(_) => {}
                Err(_) => return Ok(()),
            }
        }
        Ok(())
    }

    /// Reaches the host again, in another boot.
    fn wait(&self, before: &HostStatus, asked: Instant) -> Result<HostStatus, Over> {
        let mut absence = Absence::new(Timestamp::from(SystemTime::now()), self.limit());
        let stop = &self.host.common.operator.stop;
        for number in 0.. {
            let left = self.limit().saturating_sub(asked.elapsed());
            let longest = LONGEST.min(left / 2).max(LOOK);
            let Some(time) = pause(number, longest, left) else { break };
            sleep(time, &|| stop.is_wished());
            if stop.is_wished() {
                return Err(Over(HostResult::Pending { why: LEFT.to_owned() }));
            }
            self.connector.close();
            match self.look() {
                Ok(status) if status.boot_id != before.boot_id => return Ok(status),
                Ok(_) => absence.still_there(),
                Err(cause) => {
                    if absence.gone(Timestamp::from(SystemTime::now()), &cause.text) {
                        self.step("is away");
                    }
                }
            }
        }
        Err(failed(absence.cause(before)))
    }

    /// What the host says of itself now.
    fn look(&self) -> Result<HostStatus, Cause> {
        let contact = self.connector.shared()?;
        let status = contact.talk.status().map_err(|error| contact.cause(&error))?;
        contact.talk.end();
        Ok(status)
    }

    /// Waits until the host has started what belongs to the boot, for what is left of the time.
    fn settle(&self, mut status: HostStatus, asked: Instant) -> HostStatus {
        let stop = &self.host.common.operator.stop;
        while status.starting && !stop.is_wished() {
            if asked.elapsed() >= self.limit() {
                self.host.teller.note("it is back, and its units have not all started in time");
                break;
            }
            sleep(LOOK, &|| stop.is_wished());
            // A host that does not answer once more is asked again until its time is over.
            if let Ok(now) = self.look() {
                status = now;
            }
        }
        status
    }

    fn remember(&self, status: &HostStatus) {
        let at = Timestamp::from(SystemTime::now());
        let what = What::Seen(Box::new(status.clone()));
        let seen = Report { at, host: self.host.teller.host().clone(), what };
        if let Err(error) = self.host.common.operator.state.remember(&seen) {
            self.host.teller.note(causes::chain(&error));
        }
    }

    /// The checks of the host's own, then those from here.
    fn checks(&self) -> Result<(), Cause> {
        let settings = &self.host.member.settings;
        if !settings.checks.is_empty() {
            self.step("tries its checks");
            let contact = self.connector.shared()?;
            let faults = contact.talk.check(settings).map_err(|error| contact.cause(&error))?;
            contact.talk.end();
            if let Some(first) = faults.first() {
                let text = format!("it is back, and {}", first.lines().next().unwrap_or_default());
                return Err(Cause::new(CauseKind::Check, text).with_log(faults));
            }
        }
        let stop = &self.host.common.operator.stop;
        check::all(&self.host.member.operator_checks, &|| stop.urgency() > Urgency::No, &|_| ())
    }
}

fn failed(cause: Cause) -> Over {
    Over::failed(Stage::Reboot, cause)
}

const LEFT: &str =
    "it was asked to reboot and nobody waits for it any more; `lockstep status` tells whether it is back";
