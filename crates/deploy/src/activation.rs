//! One activation, from the order to its end: delivered once, followed through lost connections, confirmed, or taken
//! back.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use daemon::Client;
use order::{Check, OnFailure, Order, format_duration};
use report::{Cause, CauseKind, Ending, HostResult, Stage, Timestamp};
use session::{AWAITS_CONTACT, Answer, Channel, Reply, Request};

use crate::confirming::{self, Confirmation, Confirmed, Confirming, sleep};
use crate::connect::{Connector, Contact};
use crate::link::{Heard, LinkError};
use crate::patience::pause;
use crate::talk::TalkError;
use crate::tell::Teller;
use crate::text::Lines;
use crate::{Stop, Urgency, Voice};

/// How often something else than the agent is looked at.
const LOOK: Duration = Duration::from_millis(50);
/// An agent that follows an activation says something every 5 seconds.
const SILENCE: Duration = Duration::from_secs(60);
/// The same of a host that goes down, whose sessions may end without a word.
const SILENCE_DOWN: Duration = Duration::from_secs(15);
/// The state of a host that goes down and comes back with the new system.
const REBOOTING: &str = "rebooting";
/// Longest pause between two tries of reaching a host again.
const LONGEST: Duration = Duration::from_secs(8);
/// Beyond its own limits, what an activation may take: a way back, a reboot, a slow boot loader.
const SLACK: Duration = Duration::from_secs(1800);

/// An order on its way through its host.
pub(crate) struct Activation {
    pub(crate) connector: Arc<Connector>,
    pub(crate) teller: Arc<Teller>,
    pub(crate) stop: Stop,
    pub(crate) order: Order,
    /// Checks that are tried from here.
    pub(crate) checks: Vec<Check>,
    /// Whether it is left to others to confirm.
    pub(crate) hold: bool,
    /// How long the host may take to come back from a reboot.
    pub(crate) boot_limit: Duration,
}

/// What holds a connection to the host while the new system is not rooted yet.
pub(crate) struct Held {
    pub(crate) contact: Contact,
    pub(crate) store: Option<Client>,
}

/// What is remembered while an activation is followed, over all connections.
struct Course {
    lines: Lines,
    /// Bytes of the log that were told, and those that were heard on this connection.
    told: u64,
    heard: u64,
    state: String,
    stage: (Stage, Instant),
    confirming: Option<Confirming>,
    /// Why nobody tries to confirm any more.
    gave_up: Option<String>,
    abort: Abort,
    /// Whether the host has yet to say what became of taking the order back.
    answer_due: bool,
    delivered: Instant,
    deliveries: u32,
    /// Since when it goes down for the order's reboot, by both clocks.
    rebooting: Option<(Instant, Timestamp)>,
}

/// Whether the order was taken back.
enum Abort {
    No,
    /// It is to be, for this reason.
    Wished(Option<Cause>),
    /// The host was told.
    Sent(Option<Cause>),
}

impl Activation {
    /// Delivers the order and follows it to its end.
    pub(crate) fn run(&self, held: Held) -> HostResult {
        let mut course = self.course();
        let delivered = held.contact.talk.deliver(&self.order);
        course.deliveries += 1;
        let result = match delivered {
            Ok(()) => self.follow(Some(held), &mut course),
            Err(TalkError::Refused(cause)) => Self::refused(&cause),
            Err(error) => {
                self.lost(&held.contact.cause(&error));
                drop(held);
                self.follow(None, &mut course)
            }
        };
        self.finish(course, result)
    }

    /// Follows the order, which the host has already, to its end.
    pub(crate) fn attach(&self, contact: Contact) -> HostResult {
        let mut course = self.course();
        // It is not ours to deliver again.
        course.deliveries = 2;
        let result = self.follow(Some(Held { contact, store: None }), &mut course);
        self.finish(course, result)
    }

    fn course(&self) -> Course {
        Course {
            lines: Lines::default(),
            told: 0,
            heard: 0,
            state: String::new(),
            stage: (Stage::Activate, self.teller.begin(Stage::Activate)),
            confirming: None,
            gave_up: None,
            abort: Abort::No,
            answer_due: false,
            delivered: Instant::now(),
            deliveries: 0,
            rebooting: None,
        }
    }

    fn finish(&self, mut course: Course, result: HostResult) -> HostResult {
        course.lines.finish(&mut |line| self.teller.line(Voice::Activation, &line));
        let (stage, began) = course.stage;
        let good =
            matches!(result, HostResult::Activated(Ending::Confirmed { .. }) | HostResult::Pending { .. });
        self.teller.end(stage, began, good);
        // The host may be quicker to end than the last try is.
        let trying = course.confirming.as_ref().and_then(Confirming::last);
        explained(result, &course.abort, course.gave_up.or(trying))
    }

    fn refused(cause: &Cause) -> HostResult {
        HostResult::Failed { stage: Stage::Activate, cause: cause.clone() }
    }

    fn lost(&self, cause: &Cause) {
        self.teller
            .note(format!("the connection was lost during the activation, which goes on: {}", cause.text));
    }

    /// Follows, over as many connections as it takes.
    fn follow(&self, mut held: Option<Held>, course: &mut Course) -> HostResult {
        loop {
            if let Some(held) = held.take() {
                let contact = held.contact;
                match self.listen(&contact, held.store, course) {
                    Ok(result) => return result,
                    Err(TalkError::Refused(cause)) => match self.deliver_again(&contact, course, &cause) {
                        Ok(()) => self.teller.note("the order had not arrived and was delivered again"),
                        Err(result) => return result,
                    },
                    Err(_) if course.rebooting.is_some() => self.teller.step(Stage::Reboot, "is away"),
                    Err(error) => self.lost(&contact.cause(&error)),
                }
            }
            match self.reconnect(course) {
                Ok(contact) => held = Some(Held { contact, store: None }),
                Err(result) => return result,
            }
            // Whether the host had heard it nobody knows.
            if let Abort::Sent(why) = &course.abort {
                course.abort = Abort::Wished(why.clone());
            }
        }
    }

    /// A host that does not know an order whose delivery was cut off gets it once more.
    fn deliver_again(&self, contact: &Contact, course: &mut Course, cause: &Cause) -> Result<(), HostResult> {
        if course.deliveries != 1 || !course.state.is_empty() || self.stop.is_wished() {
            return Err(Self::refused(cause));
        }
        course.deliveries += 1;
        match contact.talk.deliver(&self.order) {
            Ok(()) => Ok(()),
            Err(TalkError::Refused(cause)) => Err(Self::refused(&cause)),
            Err(error) => {
                self.lost(&contact.cause(&error));
                Ok(())
            }
        }
    }

    /// Hears what the host says of the order until it has ended, this run has to leave it, or the session is lost.
    fn listen(
        &self,
        contact: &Contact,
        mut store: Option<Client>,
        course: &mut Course,
    ) -> Result<HostResult, TalkError> {
        contact.talk.send(&Request::Follow { order: self.order.id.clone() })?;
        course.heard = 0;
        let mut last = Instant::now();
        loop {
            if let Some(result) = self.look(Some(contact), course)? {
                return Ok(result);
            }
            let Some(heard) = contact.talk.hear(LOOK)? else {
                let limit = if course.rebooting.is_some() { SILENCE_DOWN } else { SILENCE };
                if last.elapsed() < limit {
                    continue;
                }
                return Err(LinkError::Silent { what: "how the activation goes on", limit }.into());
            };
            last = Instant::now();
            match heard {
                Heard::Bytes(Channel::Log, bytes) => self.log(&bytes, course),
                Heard::Reply(Reply::Progress(progress)) => {
                    if progress.state != "prepared" && store.take().is_some() {
                        contact.talk.close_store()?;
                    }
                    if let Some(result) = self.progress(&progress, course) {
                        return Ok(result);
                    }
                }
                Heard::Reply(Reply::Ended { order, ending }) if order == self.order.id => {
                    return Ok(HostResult::Activated(ending));
                }
                Heard::Reply(Reply::Refused(cause)) => return Err(TalkError::Refused(cause)),
                Heard::Reply(Reply::Answer(answer)) => {
                    // One for each time that the host was told, however many it gives.
                    if std::mem::take(&mut course.answer_due) {
                        self.answer(&answer);
                    }
                }
                Heard::Bytes(..) | Heard::Reply(Reply::StoreEnded { .. }) => {}
                Heard::Reply(_) => {
                    return Err(LinkError::Unexpected { what: "how the activation goes on" }.into());
                }
            }
        }
    }

    /// What else than the agent has to say: the confirmation, the operator, the clock.
    fn look(&self, contact: Option<&Contact>, course: &mut Course) -> Result<Option<HostResult>, TalkError> {
        match course.confirming.as_ref().and_then(Confirming::poll) {
            Some(Confirmed::Ended(ending)) => return Ok(Some(HostResult::Activated(ending))),
            Some(Confirmed::CheckFailed(cause)) => {
                course.confirming = None;
                if self.order.settings.on_failure == OnFailure::Keep {
                    let why = format!("{}; `lockstep confirm` or `lockstep abort` ends it", cause.text);
                    return Ok(Some(HostResult::Pending { why }));
                }
                self.teller.note(&cause.text);
                course.abort = Abort::Wished(Some(cause));
            }
            Some(Confirmed::GaveUp(why)) => {
                self.teller.note(format!("not confirmed: {why}"));
                (course.confirming, course.gave_up) = (None, Some(why));
            }
            None => {}
        }
        match self.stop.urgency() {
            Urgency::Stop if matches!(course.abort, Abort::No) => {
                self.teller.note("stopped by the operator: the host is asked to go back");
                course.abort = Abort::Wished(None);
            }
            Urgency::No | Urgency::Stop => {}
            Urgency::Leave => return Ok(Some(self.left())),
        }
        if let (Abort::Wished(why), Some(contact)) = (&course.abort, contact) {
            contact.talk.send(&Request::Abort { order: self.order.id.clone() })?;
            course.abort = Abort::Sent(why.clone());
            course.answer_due = true;
        }
        Ok((course.delivered.elapsed() > self.patience()).then(|| self.left()))
    }

    /// How long the host is followed at most.
    fn patience(&self) -> Duration {
        let limits = &self.order.settings.limits;
        let checks: Duration = self.order.settings.checks.iter().map(|check| check.timeout).sum();
        (limits.total + limits.confirm + limits.settle + checks + self.boot_limit).saturating_mul(2) + SLACK
    }

    fn left(&self) -> HostResult {
        let why = "the activation goes on there, and goes back by itself if nobody confirms; `lockstep attach` follows \
                   it, `lockstep status` tells how it ended";
        HostResult::Pending { why: why.to_owned() }
    }

    fn progress(&self, progress: &session::Progress, course: &mut Course) -> Option<HostResult> {
        if course.state != progress.state {
            course.state.clone_from(&progress.state);
            let goes_down = progress.state == REBOOTING;
            course.rebooting = goes_down.then(|| (Instant::now(), Timestamp::from(SystemTime::now())));
            if goes_down {
                self.enter(Stage::Reboot, course);
            }
            if progress.state == AWAITS_CONTACT {
                let left = progress.left.unwrap_or(self.order.settings.limits.confirm);
                confirming::come(Arc::clone(&self.connector), Instant::now() + left);
            }
            self.teller.step(course.stage.0, &progress.text);
        }
        if !progress.awaits_confirm {
            return None;
        }
        self.enter(Stage::Confirm, course);
        let left = progress.left.unwrap_or(self.order.settings.limits.confirm);
        if self.hold {
            let why = format!(
                "it runs and waits for `lockstep confirm {}`; without that it goes back in {} s",
                self.order.host,
                left.as_secs()
            );
            return Some(HostResult::Pending { why });
        }
        if course.confirming.is_none() && course.gave_up.is_none() && matches!(course.abort, Abort::No) {
            course.confirming = Some(Confirming::start(Confirmation {
                connector: Arc::clone(&self.connector),
                teller: Arc::clone(&self.teller),
                order: self.order.clone(),
                checks: self.checks.clone(),
                deadline: Instant::now() + left.min(Duration::from_secs(7 * 24 * 3600)),
            }));
        }
        None
    }

    /// The next stage begins, if it has not.
    fn enter(&self, stage: Stage, course: &mut Course) {
        if course.stage.0 < stage {
            self.teller.end(course.stage.0, course.stage.1, true);
            course.stage = (stage, self.teller.begin(stage));
        }
    }

    fn answer(&self, answer: &Answer) {
        match answer {
            Answer::Aborting | Answer::Done(_) => {}
            Answer::TooLate(_) => self.teller.note("it was too late to take the order back"),
            Answer::Refused { why } => {
                self.teller.note(format!("the host does not take the order back: {why}"));
            }
        }
    }

    /// A connection that comes after another one tells the log from its beginning.
    fn log(&self, bytes: &[u8], course: &mut Course) {
        let length = bytes.len() as u64;
        let known = course.told.saturating_sub(course.heard).min(length);
        course.heard += length;
        course.told = course.told.max(course.heard);
        let new = &bytes[usize::try_from(known).unwrap_or(bytes.len())..];
        course.lines.push(new, &mut |line| self.teller.line(Voice::Activation, &line));
    }

    /// Reaches the host again; the activation goes on meanwhile.
    fn reconnect(&self, course: &mut Course) -> Result<Contact, HostResult> {
        for number in 0.. {
            let left = self.patience().saturating_sub(course.delivered.elapsed());
            let Some(time) = pause(number, LONGEST, left) else { break };
            sleep(time, &|| self.stop.urgency() == Urgency::Leave);
            // Without a contact nothing is sent, so nothing fails.
            if let Ok(Some(result)) = self.look(None, course) {
                return Err(result);
            }
            self.connector.close();
            match self.connector.shared() {
                Ok(contact) => return Ok(contact),
                Err(cause) => {
                    if let Some(result) = self.not_back(course, &cause) {
                        return Err(result);
                    }
                    if number == 0 && course.rebooting.is_none() {
                        self.teller.note(format!("cannot be reached: {}", cause.text));
                    }
                }
            }
        }
        Err(self.left())
    }
}

impl Activation {
    /// Why a host that went down for its reboot is given up, once it is.
    fn not_back(&self, course: &Course, last: &Cause) -> Option<HostResult> {
        let (since, at) = course.rebooting?;
        let limit = self.boot_limit + self.order.settings.limits.total;
        if since.elapsed() < limit {
            return None;
        }
        let text = format!(
            "it has not come back within {} of its reboot into the new system: it went down at {at}",
            format_duration(limit)
        );
        let known = [
            format!("its boot loader was to boot {} once", self.order.system),
            "after that, the boot loader names the system that ran before".to_owned(),
            format!("the last try to reach it: {}", last.text),
        ];
        let cause = Cause::new(CauseKind::NotBack, text).with_log(known);
        Some(HostResult::Failed { stage: Stage::Reboot, cause })
    }
}

/// The result with what only the operator's side knows: why the host was asked to go back, and why nobody confirmed.
fn explained(result: HostResult, abort: &Abort, unconfirmed: Option<String>) -> HostResult {
    let HostResult::Activated(Ending::RolledBack { mut cause, aftermath }) = result else { return result };
    match (cause.kind, abort) {
        (CauseKind::Aborted, Abort::Sent(Some(why))) => cause = why.clone(),
        (CauseKind::Unconfirmed, _) => {
            let why = unconfirmed.map(|why| format!("here, the last try to confirm ended so: {why}"));
            cause.log.extend(why);
        }
        _ => {}
    }
    HostResult::Activated(Ending::RolledBack { cause, aftermath })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_the_operator_s_side_knows_is_in_the_cause() {
        let back = |kind| {
            let cause = Cause::new(kind, "said the host").with_log(["line"]);
            HostResult::Activated(Ending::RolledBack { cause, aftermath: vec!["x".to_owned()] })
        };
        let check = || Abort::Sent(Some(Cause::new(CauseKind::Check, "no answer")));
        let last = || Some("ssh: denied".to_owned());
        let cases = [
            (CauseKind::Unconfirmed, Abort::No, last(), "said the host", 2),
            (CauseKind::Unconfirmed, Abort::No, None, "said the host", 1),
            (CauseKind::Units, Abort::No, last(), "said the host", 1),
            (CauseKind::Aborted, check(), last(), "no answer", 0),
            (CauseKind::Aborted, Abort::Sent(None), last(), "said the host", 1),
            (CauseKind::Units, check(), None, "said the host", 1),
        ];
        for (kind, abort, unconfirmed, text, lines) in cases {
            let result = explained(back(kind), &abort, unconfirmed);
            let HostResult::Activated(Ending::RolledBack { cause, aftermath }) = result else { panic!() };
            assert_eq!((cause.text.as_str(), cause.log.len(), aftermath.len()), (text, lines, 1), "{kind:?}");
            assert!(lines < 2 || cause.log[1].contains("ssh: denied"));
        }
    }
}
