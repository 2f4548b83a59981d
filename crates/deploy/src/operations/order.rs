//! What can be done with an activation that goes on: confirm it, follow it, take it back.

use std::sync::Arc;

use fleet::Fleet;
use order::{HostName, Order, SystemPath};
use report::{Cause, CauseKind, Ending, HostResult, Stage};
use session::Answer;

use super::ask::request;
use crate::activation::Activation;
use crate::bases;
use crate::conduct::{Part, conduct};
use crate::connect::{Connector, Contact};
use crate::pipeline::{Over, Pipeline, Trail};
use crate::{BeginError, Manner, Operator, Outcome, Request, Urgency, check};

/// Confirms the activation that each host waits with, over a new connection, after the checks from here.
///
/// # Errors
/// If it could not begin.
pub fn confirm(operator: &Operator, fleet: &Fleet, hosts: &[HostName]) -> Result<Outcome, BeginError> {
    conduct(operator, fleet, &request(hosts), &part(confirm_one))
}

/// Follows the activation that goes on on each host to its end, and confirms it unless that is left to others.
///
/// # Errors
/// If it could not begin.
pub fn attach(
    operator: &Operator,
    fleet: &Fleet,
    hosts: &[HostName],
    manner: Manner,
) -> Result<Outcome, BeginError> {
    conduct(operator, fleet, &Request { manner, ..request(hosts) }, &part(attach_one))
}

/// Takes the activation that goes on on each host back, and follows it to its end.
///
/// # Errors
/// If it could not begin.
pub fn abort(operator: &Operator, fleet: &Fleet, hosts: &[HostName]) -> Result<Outcome, BeginError> {
    conduct(operator, fleet, &request(hosts), &part(abort_one))
}

fn part(one: fn(&Pipeline, &mut Trail) -> Result<HostResult, Over>) -> Arc<Part> {
    Arc::new(move |host: &Pipeline| {
        let mut trail = Trail::default();
        let result = one(host, &mut trail);
        // Only now: while a host waits for a word, nothing else matters.
        if let Some(hello) = trail.hello.take() {
            host.keep(&bases::of_hello(&hello));
        }
        host.report(trail, result)
    })
}

/// What a host said of a confirmation by hand.
enum Told {
    Result(HostResult),
    /// It was too late, and the order has not ended.
    Follow(Box<(Order, Contact)>),
}

fn confirm_one(host: &Pipeline, trail: &mut Trail) -> Result<HostResult, Over> {
    let connector = connector(host)?;
    let failed = |cause| Over::failed(Stage::Confirm, cause);
    let stop = &host.common.operator.stop;
    let told = host
        .teller
        .stage(Stage::Confirm, || {
            check::all(&host.member.operator_checks, &|| stop.urgency() > Urgency::No, &|_| ())?;
            // By this very session the next deploy is known to get in.
            let contact = connector.fresh()?;
            let Some(order) = current(&contact, trail)? else {
                return Ok(Told::Result(nothing_goes_on(host, &contact)));
            };
            let answer = contact.talk.confirm(&order.id, &order.nonce);
            match answer.map_err(|error| contact.cause(&error))? {
                Answer::Done(ending) | Answer::TooLate(Some(ending)) => {
                    Ok(Told::Result(HostResult::Activated(ending)))
                }
                Answer::TooLate(None) | Answer::Aborting => Ok(Told::Follow(Box::new((order, contact)))),
                Answer::Refused { why } => Err(Cause::new(
                    CauseKind::Refused,
                    format!("not confirmed: {}", crate::text::plain(&why)),
                )),
            }
        })
        .map_err(failed)?;
    let (order, contact) = match told {
        Told::Result(result) => return Ok(result),
        Told::Follow(both) => *both,
    };
    host.teller.note("it was too late to confirm: the host goes back");
    let mut activation = activation(host, connector, order);
    activation.hold = true;
    Ok(activation.attach(contact))
}

fn attach_one(host: &Pipeline, trail: &mut Trail) -> Result<HostResult, Over> {
    let connector = connector(host)?;
    let failed = |cause| Over::failed(Stage::Connect, cause);
    let contact = host.teller.stage(Stage::Connect, || connector.shared()).map_err(failed)?;
    match current(&contact, trail).map_err(failed)? {
        Some(order) => Ok(activation(host, connector, order).attach(contact)),
        None => Ok(nothing_goes_on(host, &contact)),
    }
}

fn abort_one(host: &Pipeline, trail: &mut Trail) -> Result<HostResult, Over> {
    let connector = connector(host)?;
    let failed = |cause| Over::failed(Stage::Connect, cause);
    let contact = host.teller.stage(Stage::Connect, || connector.shared()).map_err(failed)?;
    let Some(order) = current(&contact, trail).map_err(failed)? else {
        return not_taken_back(nothing_goes_on(host, &contact)).map_err(failed);
    };
    let answer = contact.talk.abort(&order.id).map_err(|error| failed(contact.cause(&error)))?;
    match answer {
        Answer::Aborting => {}
        Answer::Done(ending) | Answer::TooLate(Some(ending)) => {
            return not_taken_back(HostResult::Activated(ending)).map_err(failed);
        }
        Answer::TooLate(None) => host.teller.note("it was too late to take the order back"),
        Answer::Refused { why } => {
            return Err(failed(Cause::new(CauseKind::Refused, crate::text::plain(&why))));
        }
    }
    let mut activation = activation(host, connector, order);
    activation.hold = true;
    Ok(activation.attach(contact))
}

fn connector(host: &Pipeline) -> Result<Arc<Connector>, Over> {
    host.connector(&host.member).map_err(|cause| Over::failed(Stage::Connect, cause))
}

/// The order that has not ended on the host.
fn current(contact: &Contact, trail: &mut Trail) -> Result<Option<Order>, Cause> {
    trail.hello = Some(contact.talk.hello.clone());
    let order = contact.talk.current().map_err(|error| contact.cause(&error))?;
    if let Some(order) = &order {
        trail.order = Some(order.id.clone());
        trail.system = Some(SystemPath::from(order.system.clone()));
        trail.mode = Some(order.mode);
    }
    Ok(order)
}

/// Who wanted the old system back did not get it if the new one was confirmed before.
fn not_taken_back(result: HostResult) -> Result<HostResult, Cause> {
    match result {
        HostResult::Activated(Ending::Confirmed { .. }) => Err(Cause::new(
            CauseKind::Refused,
            "there is nothing to take back: the last activation was confirmed; 'lockstep rollback' goes back from it",
        )),
        other => Ok(other),
    }
}

/// Nothing goes on: how the last order from here ended, if the host remembers it.
fn nothing_goes_on(host: &Pipeline, contact: &Contact) -> HostResult {
    let ours = host.common.operator.state.order(host.teller.host()).ok().flatten();
    let entries = contact.talk.history(20).map(|(entries, _)| entries).unwrap_or_default();
    let ended = ours.and_then(|ours| entries.into_iter().find(|entry| entry.order == ours.id));
    match ended {
        Some(entry) => {
            host.teller.note("no activation goes on there; this is how the last one from here ended");
            HostResult::Activated(entry.ending)
        }
        None => HostResult::Skipped { why: "no activation goes on there".to_owned() },
    }
}

fn activation(host: &Pipeline, connector: Arc<Connector>, order: Order) -> Activation {
    Activation {
        connector,
        teller: Arc::clone(&host.teller),
        stop: host.common.operator.stop.clone(),
        order,
        checks: host.member.operator_checks.clone(),
        hold: host.common.request.manner.hold,
        boot_limit: host.boot_limit(),
    }
}
