//! What can be done with hosts: one function each.

mod ask;
mod order;
mod reboot;
mod rollback;

use std::sync::Arc;

use eval::Evaluate;
use fleet::Fleet;

use crate::conduct::{Part, conduct};
use crate::deploying::Deploying;
use crate::{BeginError, Operator, Outcome, Request};

pub use self::ask::{Past, exec, history, status};
pub use self::order::{abort, attach, confirm};
pub(crate) use self::reboot::not_from_here;
pub use self::reboot::reboot;
pub use self::rollback::rollback;

/// Deploys: see [`Request`].
///
/// # Errors
/// If it could not begin; whatever becomes of a host stands in the outcome.
pub fn deploy(
    operator: &Operator,
    evaluate: &Arc<dyn Evaluate>,
    fleet: &Fleet,
    request: &Request,
) -> Result<Outcome, BeginError> {
    let evaluate = Arc::clone(evaluate);
    let part: Arc<Part> = Arc::new(move |host| Deploying { host, evaluate: &*evaluate }.run());
    conduct(operator, fleet, request, &part)
}
