//! From a session to an owner: the order as a file, and the owner's verdict as another.

use std::{fs, io, path::PathBuf};

use host::paths;
use order::{Order, OrderId};
use report::{Cause, CauseKind};

/// What the owner makes of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It holds the lock and carries the order out.
    Accepted,
    /// It does not.
    Refused(Cause),
}

fn order_file(order: &OrderId) -> PathBuf {
    PathBuf::from(format!("{}/{order}.order", paths::RUN))
}

/// What the order becomes when its owner takes it, right before it is accepted.
fn taken_file(order: &OrderId) -> PathBuf {
    PathBuf::from(format!("{}/{order}.taken", paths::RUN))
}

/// What it becomes when the session that laid it down gives up. Whoever renames first has decided.
fn withdrawn_file(order: &OrderId) -> PathBuf {
    PathBuf::from(format!("{}/{order}.withdrawn", paths::RUN))
}

fn verdict_file(order: &OrderId) -> PathBuf {
    PathBuf::from(format!("{}/{order}.verdict", paths::RUN))
}

/// Lays the order down for its owner. It holds the nonce, so only root may read it.
pub(crate) fn lay_down(order: &Order) -> io::Result<()> {
    host::make_runtime()?;
    host::write_private(order_file(&order.id), &order.to_json())
}

/// Takes the order up.
pub(crate) fn take_up(id: &OrderId) -> Result<Order, Cause> {
    let wrong = |text: String| Cause::new(CauseKind::Internal, text);
    let bytes =
        fs::read(order_file(id)).map_err(|error| wrong(format!("{}: {error}", order_file(id).display())))?;
    Order::from_json(&bytes).map_err(|error| wrong(host::chain(&error)))
}

/// Takes the order for good: from here on no session can withdraw it.
///
/// # Errors
/// If it was withdrawn, or the folder takes no writes.
pub(crate) fn take(id: &OrderId) -> io::Result<()> {
    fs::rename(order_file(id), taken_file(id))
}

/// Takes the order back from an owner that has not answered; an error if the owner has taken it.
pub(crate) fn withdraw(id: &OrderId) -> io::Result<()> {
    fs::rename(order_file(id), withdrawn_file(id))
}

/// Whether the operator was told that this order failed.
pub(crate) fn is_withdrawn(id: &OrderId) -> bool {
    withdrawn_file(id).exists()
}

/// Says what becomes of the order.
pub(crate) fn judge(id: &OrderId, verdict: &Verdict) -> io::Result<()> {
    let bytes = match verdict {
        Verdict::Accepted => Vec::new(),
        Verdict::Refused(cause) => cause.to_json(),
    };
    host::write_private(verdict_file(id), &bytes)
}

/// What was said, once it was.
pub(crate) fn verdict(id: &OrderId) -> Option<Verdict> {
    let bytes = fs::read(verdict_file(id)).ok()?;
    Some(match bytes.as_slice() {
        [] => Verdict::Accepted,
        json => Verdict::Refused(
            Cause::from_json(json)
                .unwrap_or_else(|error| Cause::new(CauseKind::Internal, host::chain(&error))),
        ),
    })
}

/// Removes what was handed over.
pub(crate) fn clear(id: &OrderId) {
    for file in [order_file(id), taken_file(id), verdict_file(id)] {
        // What is not there needs no removal; what cannot be removed goes with the next boot.
        let _gone = fs::remove_file(file);
    }
}
