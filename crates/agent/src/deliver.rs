//! An order arrives: a session hands it to an owner and tells the operator what the owner makes of it.

use std::{
    thread,
    time::{Duration, Instant},
};

use host::paths;
use order::{HostName, Mode, Order, OrderId};
use report::{Cause, CauseKind};
use session::Reply;

use crate::{
    facts,
    handover::{self, Verdict},
    history, owner,
};

/// How long an owner may take to judge an order; it may have to finish an earlier activation first.
const JUDGE: Duration = Duration::from_secs(1800);
/// How long an owner may be without a process before it has judged.
const BIRTH: Duration = Duration::from_secs(10);
/// How long an owner that has taken the order may take to say so.
const LAST_WORD: Duration = Duration::from_secs(10);
/// How often the verdict is looked for.
const LOOK: Duration = Duration::from_millis(10);

/// Hands the order to an owner of its own.
pub(crate) fn deliver(order: &Order, host: &HostName) -> Reply {
    if order.host != *host {
        let text = format!("the order is for {}, this session is for {host}", order.host);
        return Reply::Refused(Cause::new(CauseKind::Refused, text));
    }
    if order.mode == Mode::DryActivate {
        return Reply::Refused(Cause::new(
            CauseKind::Refused,
            "dry-activate is not an order; run it as a command",
        ));
    }
    if handover::is_withdrawn(&order.id) {
        let text = format!("order {} was withdrawn, because nobody took it in time; deploy again", order.id);
        return Reply::Refused(Cause::new(CauseKind::Stale, text));
    }
    if let Some(known) = known(order) {
        return known;
    }
    // The owner runs this program, and the garbage collector may come before it.
    host::root_agent(&order.id);
    match hand_over(order) {
        Verdict::Accepted => Reply::Accepted { order: order.id.clone() },
        Verdict::Refused(cause) => {
            host::unroot_agent(&order.id);
            Reply::Refused(cause)
        }
    }
}

/// The answer to an order that has been delivered before: the operator did not hear it the first time.
fn known(order: &Order) -> Option<Reply> {
    let recorded = facts::record().filter(|record| record.order.id == order.id).map(|record| record.order);
    if !owner::lives(&order.id) && recorded.is_none() {
        return None;
    }
    Some(match recorded {
        Some(recorded) if recorded != *order => {
            let text = format!("the host knows another order of the name {}", order.id);
            Reply::Refused(Cause::new(CauseKind::Stale, text))
        }
        _ => Reply::Accepted { order: order.id.clone() },
    })
}

fn hand_over(order: &Order) -> Verdict {
    if let Err(error) = handover::lay_down(order) {
        return internal(format!("the order cannot be written to {}: {error}", paths::RUN));
    }
    let why = match owner::start(&order.id) {
        Ok(()) => match wait(&order.id, JUDGE, BIRTH) {
            Some(verdict) => return verdict,
            None => "the owner of the activation ended without a word".to_owned(),
        },
        // systemd may start it all the same, later.
        Err(fault) => fault.to_string(),
    };
    // What the operator is told has failed must not be carried out later.
    match handover::withdraw(&order.id) {
        Ok(()) => internal(why),
        // The owner was faster: it is about to say what it makes of the order.
        Err(_) => wait(&order.id, LAST_WORD, LAST_WORD).unwrap_or_else(|| internal(why)),
    }
}

fn internal(text: String) -> Verdict {
    Verdict::Refused(Cause::new(CauseKind::Internal, text))
}

/// Waits for the verdict: at most `judge`, and at most `birth` without a process that could give one.
fn wait(order: &OrderId, judge: Duration, birth: Duration) -> Option<Verdict> {
    let start = Instant::now();
    let mut alive = start;
    while start.elapsed() < judge && alive.elapsed() < birth {
        if let Some(verdict) = handover::verdict(order) {
            return Some(verdict);
        }
        if owner::lives(order) {
            alive = Instant::now();
        } else if was_begun(order) {
            return Some(Verdict::Accepted);
        }
        thread::sleep(LOOK);
    }
    handover::verdict(order).or_else(|| was_begun(order).then_some(Verdict::Accepted))
}

/// Whether the order was accepted and has perhaps ended already: then its verdict is gone.
fn was_begun(order: &OrderId) -> bool {
    facts::record().is_some_and(|record| record.order.id == *order)
        || history::read().iter().any(|past| past.order == *order)
}
