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
    owner,
};

/// How long an owner may take to judge an order; it may have to finish an earlier activation first.
const JUDGE: Duration = Duration::from_secs(1800);
/// How long an owner may be without a process before it has judged.
const BIRTH: Duration = Duration::from_secs(10);
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
    if let Some(known) = known(order) {
        return known;
    }
    match hand_over(order) {
        Verdict::Accepted => Reply::Accepted { order: order.id.clone() },
        Verdict::Refused(cause) => Reply::Refused(cause),
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
    let internal = |text: String| Verdict::Refused(Cause::new(CauseKind::Internal, text));
    if let Err(error) = handover::lay_down(order) {
        return internal(format!("the order cannot be written to {}: {error}", paths::RUN));
    }
    if let Err(fault) = owner::start(&order.id) {
        handover::clear(&order.id);
        return internal(fault.to_string());
    }
    wait(&order.id).unwrap_or_else(|| internal("the owner of the activation ended without a word".to_owned()))
}

fn wait(order: &OrderId) -> Option<Verdict> {
    let start = Instant::now();
    let mut alive = start;
    while start.elapsed() < JUDGE && alive.elapsed() < BIRTH {
        if let Some(verdict) = handover::verdict(order) {
            return Some(verdict);
        }
        if owner::lives(order) {
            alive = Instant::now();
        }
        thread::sleep(LOOK);
    }
    handover::verdict(order)
}
