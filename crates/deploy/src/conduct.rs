//! A run: every host in a thread of its own, from the first event to the outcome.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::SystemTime;

use fleet::{Fleet, OnInhibitor, order_waves};
use order::{HostName, Mode};
use report::{Cause, CauseKind, Deployed, Ending, HostResult, Report, Stage, Timestamp, What};
use ssh::Sockets;

use crate::agents::Agents;
use crate::bases::{self, Bases};
use crate::gate::{Asks, Gate, StopAfter, Turns};
use crate::pipeline::{Common, Pipeline, pool};
use crate::tell::Teller;
use crate::{BeginError, Event, Goal, HostOutcome, News, Operator, Outcome, Request, RunId, hook};

/// What one host does in a run.
pub(crate) type Part = dyn Fn(&Pipeline) -> Deployed + Send + Sync;

/// A new run.
pub(crate) fn new_run() -> Result<RunId, BeginError> {
    let mut random = [0; 4];
    getrandom::fill(&mut random).map_err(BeginError::Random)?;
    Ok(RunId::new(Timestamp::from(SystemTime::now()), random))
}

/// Lets every selected host do its part, all at the same time.
pub(crate) fn conduct(
    operator: &Operator,
    fleet: &Fleet,
    request: &Request,
    part: &Arc<Part>,
) -> Result<Outcome, BeginError> {
    let selected: BTreeSet<HostName> =
        request.hosts.iter().filter(|host| fleet.hosts.contains_key(*host)).cloned().collect();
    if selected.is_empty() {
        return Err(BeginError::NoHost);
    }
    let run = new_run()?;
    let common = Arc::new(common(operator, fleet, request, (&run, &selected))?);
    let began = News::Began { run: run.clone(), hosts: selected.iter().cloned().collect() };
    tell(operator, began);
    let (sender, hook_faults) = channel();
    let hooks = Arc::new(Mutex::new(Vec::new()));
    let threads: Vec<JoinHandle<Option<HostOutcome>>> = selected
        .iter()
        .filter_map(|host| {
            let pipeline = pipeline(&common, host, true)?;
            let (part, hooks, faults) = (Arc::clone(part), Arc::clone(&hooks), sender.clone());
            Some(thread::spawn(move || host_thread(&pipeline, &part, (&hooks, &faults))))
        })
        .collect();
    drop(sender);
    let hosts: Vec<HostOutcome> =
        threads.into_iter().filter_map(|thread| thread.join().ok().flatten()).collect();
    wait_for_hooks(operator, &hooks, &hook_faults);
    operator.state.prune_logs();
    let left_out = left_out(&common);
    // What was left out was not asked for, so it is no result.
    let asked = |host: &HostOutcome| !left_out.iter().any(|(name, _)| name == host.host.as_str());
    let hosts = hosts.into_iter().filter(asked).collect();
    let outcome = Outcome { run, hosts, left_out };
    tell(operator, News::Ended { exit_code: outcome.exit_code() });
    Ok(outcome)
}

pub(crate) fn common(
    operator: &Operator,
    fleet: &Fleet,
    request: &Request,
    (run, selected): (&RunId, &BTreeSet<HostName>),
) -> Result<Common, BeginError> {
    let option = if request.goal == Goal::Reboot { "--keep-going goes on" } else { "--stop-after" };
    let stop_after = request.stop_after.map(|failures| StopAfter { failures, option });
    let waves = order_waves(fleet, selected);
    let left_out = fleet.left_out.iter().map(|left| (left.name.clone(), left.reason.to_string()));
    let parallel = request.parallel.or(fleet.run.parallel);
    Ok(Common {
        operator: operator.clone(),
        run: run.clone(),
        request: request.clone(),
        fleet: fleet.clone(),
        agents: Arc::new(Agents::new(operator.agents.clone())),
        sockets: Sockets::create()?,
        gate: Gate::new(Turns::new(&waves, request.batch, stop_after, asks(fleet, request))),
        bases: Bases::default(),
        preparing: pool(parallel),
        activating: pool(parallel),
        left_out: Mutex::new(if request.named { Vec::new() } else { left_out.collect() }),
    })
}

/// Whether the operator is asked before the first host begins.
fn asks(fleet: &Fleet, request: &Request) -> Asks {
    let may_reboot = || {
        let members = request.hosts.iter().filter_map(|host| fleet.hosts.get(host));
        request.manner.reboot
            || members.into_iter().any(|member| member.reboot.on_inhibitor != OnInhibitor::Fail)
    };
    match request.goal {
        _ if request.yes => Asks::Never,
        Goal::Build | Goal::Push | Goal::Activate(Mode::DryActivate) => Asks::Never,
        Goal::Reboot | Goal::Activate(Mode::Boot) => Asks::Always,
        Goal::Activate(_) if !request.named => Asks::Always,
        Goal::Activate(Mode::Reboot) => Asks::IfNeeded,
        Goal::Activate(Mode::Switch) if may_reboot() => Asks::IfNeeded,
        Goal::Activate(_) => Asks::Never,
    }
}

/// What one host needs; none if it is not in the fleet.
pub(crate) fn pipeline(common: &Arc<Common>, host: &HostName, logged: bool) -> Option<Pipeline> {
    let member = common.fleet.hosts.get(host)?.clone();
    let state = &common.operator.state;
    let log = logged.then(|| state.log(&common.run, host)).transpose();
    let why = log.as_ref().err().map(|error| crate::causes::chain(error));
    let log = log.unwrap_or_default();
    let teller = Arc::new(Teller::new(host.clone(), common.operator.events.clone(), log));
    if let Some(why) = why {
        teller.note(format!("there is no log of this run: {why}"));
    }
    let known = state.known(host).unwrap_or_default();
    Some(Pipeline { common: Arc::clone(common), member, teller, known })
}

type Hooks = Mutex<Vec<JoinHandle<()>>>;

/// Ends a host's turn when it goes, whatever happened to it, so that those that wait for it go on.
struct Turn<'a> {
    gate: &'a Gate,
    host: &'a HostName,
    failed: bool,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.gate.end(self.host, self.failed);
    }
}

/// A host's thread. Its result is told before the hosts behind it begin.
fn host_thread(
    pipeline: &Pipeline,
    part: &Arc<Part>,
    (hooks, faults): (&Hooks, &Sender<String>),
) -> Option<HostOutcome> {
    let deployed = catch_unwind(AssertUnwindSafe(|| part(pipeline))).unwrap_or_else(|_| panicked(pipeline));
    let common = &pipeline.common;
    let host = pipeline.teller.host().clone();
    let _turn = Turn { gate: &common.gate, host: &host, failed: counts_as_failure(&deployed.result) };
    let at = Timestamp::from(SystemTime::now());
    if let Err(error) = remember(&common.operator, &host, at, &deployed) {
        pipeline.teller.note(format!("the result is not remembered: {}", crate::causes::chain(&error)));
    }
    pipeline.keep(&bases::of_result(&deployed));
    common.operator.state.prune_roots(&host);
    if let Some(on_result) = &common.fleet.run.on_result {
        let report = Report { at, host: host.clone(), what: What::Deployed(deployed.clone()) };
        let started = hook::start(on_result, &report, faults.clone());
        hooks.lock().unwrap_or_else(PoisonError::into_inner).push(started);
    }
    Some(pipeline.teller.finish(deployed))
}

fn panicked(pipeline: &Pipeline) -> Deployed {
    let cause =
        Cause::new(CauseKind::Internal, "lockstep itself failed; please report it with the log of this host");
    Deployed {
        order: None,
        system: None,
        mode: pipeline.common.request.goal.mode(),
        extent: pipeline.common.request.goal.extent(),
        result: HostResult::Failed { stage: Stage::Evaluate, cause },
        millis: pipeline.teller.elapsed(),
        bytes: 0,
    }
}

/// Whether a result counts for `--stop-after`: what went wrong because of what was deployed, not a host that is off.
pub(crate) fn counts_as_failure(result: &HostResult) -> bool {
    match result {
        HostResult::Activated(ending) => !matches!(ending, Ending::Confirmed { .. }),
        HostResult::Failed { cause, .. } => cause.kind != CauseKind::Offline,
        HostResult::AlreadyThere
        | HostResult::Done
        | HostResult::Pending { .. }
        | HostResult::Skipped { .. } => false,
    }
}

/// What is worth to be remembered of a result.
fn remember(
    operator: &Operator,
    host: &HostName,
    at: Timestamp,
    deployed: &Deployed,
) -> Result<(), crate::StateError> {
    let what = match &deployed.result {
        // Nothing was asked of the host, or nothing that lasts.
        HostResult::Skipped { .. } | HostResult::Done => return Ok(()),
        HostResult::Failed { cause, .. } if cause.kind == CauseKind::Offline => {
            What::Unreachable { why: cause.text.clone() }
        }
        _ => What::Deployed(deployed.clone()),
    };
    operator.state.remember(&Report { at, host: host.clone(), what })
}

fn wait_for_hooks(operator: &Operator, hooks: &Hooks, faults: &Receiver<String>) {
    let hooks: Vec<JoinHandle<()>> = hooks.lock().unwrap_or_else(PoisonError::into_inner).drain(..).collect();
    for started in hooks {
        // Each has a limit of its own.
        let _panicked = started.join();
    }
    faults.try_iter().for_each(|fault| tell(operator, News::Note(fault)));
}

fn left_out(common: &Common) -> Vec<(String, String)> {
    let mut left_out = common.left_out.lock().unwrap_or_else(PoisonError::into_inner).clone();
    left_out.sort();
    left_out
}

/// Tells something about the whole run.
pub(crate) fn tell(operator: &Operator, what: News) {
    let at = Timestamp::from(SystemTime::now());
    // Nobody listens any more: that stops nothing.
    let _gone = operator.events.send(Event { at, host: None, what });
}
