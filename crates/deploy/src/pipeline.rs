//! One host in a run: its connections, its turn, its order.

use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use eval::Pool;
use fleet::Member;
use order::{Mode, OrderId, SystemPath};
use report::{Cause, CauseKind, Deployed, Ending, HostResult, Known, Report, Stage, Timestamp, What};
use session::Hello;
use store::store_path::StorePath;

use crate::activation::{Activation, Held};
use crate::agents::Agents;
use crate::bases::{self, Bases};
use crate::connect::Connector;
use crate::gate::Gate;
use crate::orders::{self, Dice};
use crate::tell::Teller;
use crate::{Candidate, Goal, Operator, Question, Request, RunId, causes};

/// What all hosts of a run share.
pub(crate) struct Common {
    pub(crate) operator: Operator,
    pub(crate) run: RunId,
    pub(crate) request: Request,
    pub(crate) fleet: fleet::Fleet,
    pub(crate) agents: Arc<Agents>,
    pub(crate) sockets: ssh::Sockets,
    pub(crate) gate: Gate,
    pub(crate) bases: Bases,
    /// Hosts that prepare, and hosts that activate, at the same time.
    pub(crate) preparing: Pool,
    pub(crate) activating: Pool,
    /// What was left out so far.
    pub(crate) left_out: Mutex<Vec<(String, String)>>,
}

/// A pool of so many places; any number if nobody says.
pub(crate) fn pool(places: Option<NonZeroU32>) -> Pool {
    Pool::new(places.map_or(usize::MAX, |places| usize::try_from(places.get()).unwrap_or(usize::MAX)))
}

/// One host in a run.
pub(crate) struct Pipeline {
    pub(crate) common: Arc<Common>,
    pub(crate) member: Member,
    pub(crate) teller: Arc<Teller>,
    pub(crate) known: Known,
}

/// What is known of the end while the host is on its way.
#[derive(Default)]
pub(crate) struct Trail {
    pub(crate) order: Option<OrderId>,
    pub(crate) system: Option<SystemPath>,
    /// What an order that was there already says is to become of the system.
    pub(crate) mode: Option<Mode>,
    pub(crate) bytes: u64,
    /// What the host said of itself first.
    pub(crate) hello: Option<Hello>,
}

/// Why a host does not go on: its result.
pub(crate) struct Over(pub(crate) HostResult);

impl Over {
    pub(crate) fn failed(stage: Stage, cause: Cause) -> Self {
        // What was cut short by the operator did not fail.
        if cause.kind == CauseKind::Aborted {
            return Self(HostResult::Skipped { why: format!("stopped by the operator: {}", cause.text) });
        }
        Self(HostResult::Failed { stage, cause })
    }
}

impl Pipeline {
    pub(crate) fn connector(&self, member: &Member) -> Result<Arc<Connector>, Cause> {
        let Common { operator, agents, sockets, .. } = &*self.common;
        let shared = (Arc::clone(agents), sockets.clone());
        Ok(Arc::new(Connector::new(operator, member, Arc::clone(&self.teller), shared)?))
    }

    /// The host as one of those that the operator is asked about.
    pub(crate) fn candidate(&self, system: Option<SystemPath>) -> Candidate {
        Candidate { host: self.teller.host().clone(), system, remarks: Vec::new(), unguarded: None }
    }

    /// How long the host may take to come back from a reboot.
    pub(crate) fn boot_limit(&self) -> Duration {
        self.common.request.manner.reboot_timeout.unwrap_or(self.member.reboot.timeout)
    }

    pub(crate) fn stopped(&self) -> Over {
        Over(HostResult::Skipped { why: "the operator stopped the run".to_owned() })
    }

    /// Waits for the host's turn.
    pub(crate) fn turn(&self, candidate: Candidate) -> Result<(), Over> {
        let Common { operator, request, gate, left_out, .. } = &*self.common;
        let ask = |ready, failed| {
            let mut left_out = left_out.lock().unwrap_or_else(PoisonError::into_inner).clone();
            left_out.sort();
            let Request { goal, manner, .. } = *request;
            let reboots = manner.reboot || matches!(goal, Goal::Reboot | Goal::Activate(Mode::Reboot));
            let unguarded = (goal == Goal::Activate(Mode::Boot)).then_some(UNGUARDED);
            operator.ask.proceed(&Question { goal, reboots, ready, left_out, failed, unguarded })
        };
        let turn = gate.wait(candidate, &operator.stop, &mut |what| self.teller.waits(what), &ask);
        turn.map_err(|why| Over(HostResult::Skipped { why: why.to_string() }))
    }

    /// Gives the host its order and sees it through.
    pub(crate) fn give_order(
        &self,
        mode: Mode,
        held: Held,
        (system, connector): (&StorePath, &Arc<Connector>),
        trail: &mut Trail,
    ) -> Result<HostResult, Over> {
        let failed = |text: String| Over::failed(Stage::Activate, Cause::new(CauseKind::Internal, text));
        let Common { operator, request, .. } = &*self.common;
        let dice = Dice::roll().map_err(|error| failed(causes::chain(&error)))?;
        let host = (self.teller.host(), &self.member);
        let hello = &held.contact.talk.hello;
        let order = orders::make(&dice, host, hello, (system, mode), request.manner);
        // Before it is delivered, so that it can be confirmed by hand whatever happens to this run.
        let kept = operator.state.keep_order(&order);
        kept.map_err(|error| failed(format!("the order cannot be kept: {}", causes::chain(&error))))?;
        trail.order = Some(order.id.clone());
        let activation = Activation {
            connector: Arc::clone(connector),
            teller: Arc::clone(&self.teller),
            stop: operator.stop.clone(),
            order,
            checks: self.member.operator_checks.clone(),
            hold: request.manner.hold,
            boot_limit: self.boot_limit(),
        };
        let result = activation.run(held);
        if matches!(result, HostResult::Activated(Ending::Confirmed { .. })) {
            self.look_again(connector);
        }
        Ok(result)
    }

    /// What the host says of itself now is remembered, and that it needs a reboot is told at once. A host that does
    /// not say so is confirmed all the same.
    fn look_again(&self, connector: &Arc<Connector>) {
        let Ok(contact) = connector.shared() else { return };
        let Ok(status) = contact.talk.status() else { return };
        self.keep(&bases::of_status(&status));
        for reason in &status.reboot {
            self.teller.note(format!("whole after a reboot only: {}", crate::text::plain(reason)));
        }
        let at = Timestamp::from(SystemTime::now());
        let seen = Report { at, host: self.teller.host().clone(), what: What::Seen(Box::new(status)) };
        if let Err(error) = self.common.operator.state.remember(&seen) {
            self.teller.note(causes::chain(&error));
        }
    }

    /// The report of a part that ended so.
    pub(crate) fn report(&self, trail: Trail, result: Result<HostResult, Over>) -> Deployed {
        let Trail { order, system, mode, bytes, .. } = trail;
        let goal = self.common.request.goal;
        let (mode, extent) = (mode.unwrap_or(goal.mode()), goal.extent());
        let result = causes::result(result.unwrap_or_else(|Over(result)| result));
        Deployed { order, system, mode, extent, result, millis: self.teller.elapsed(), bytes }
    }
}

/// Why mode `boot` asks.
const UNGUARDED: &str = "the new systems become what the hosts boot without ever having run there: if one does not \
                         come up, nothing brings it back";
