//! Restarting hosts: those that are the way to others last, and none after one that did not come back.

use std::sync::Arc;

use fleet::{Address, Fleet, Member};
use report::{Cause, CauseKind, HostResult, HostStatus, Stage};

use crate::bases;
use crate::conduct::{Part, conduct};
use crate::pipeline::{Over, Pipeline, Trail};
use crate::rebooting::{Rebooting, would_boot};
use crate::{BeginError, Goal, News, Operator, Outcome, Request, judge};

/// Restarts hosts, each of [`Request::batch`] when the batch before has come back. Hosts with an activation that has
/// not ended are not touched.
///
/// # Errors
/// If it could not begin.
pub fn reboot(operator: &Operator, fleet: &Fleet, request: &Request) -> Result<Outcome, BeginError> {
    let part: Arc<Part> = Arc::new(move |host: &Pipeline| {
        let mut trail = Trail::default();
        let result = restart(host, &mut trail);
        host.report(trail, result)
    });
    conduct(operator, fleet, &Request { goal: Goal::Reboot, ..request.clone() }, &part)
}

/// Why this host cannot be restarted from here.
pub(crate) fn not_from_here(member: &Member) -> Option<Cause> {
    let here = member.reach.addresses.iter().any(|address| *address == Address::Local);
    here.then(|| Cause::new(CauseKind::Refused, "lockstep itself runs there; reboot it by hand"))
}

fn restart(host: &Pipeline, trail: &mut Trail) -> Result<HostResult, Over> {
    let failed = |cause| Over::failed(Stage::Connect, cause);
    not_from_here(&host.member).map_or(Ok(()), |cause| Err(failed(cause)))?;
    let connector = host.connector(&host.member).map_err(failed)?;
    let status = host.teller.stage(Stage::Connect, || {
        let contact = connector.shared()?;
        judge::busy(&contact.talk.hello).map_or(Ok(()), Err)?;
        let status = contact.talk.status().map_err(|error| contact.cause(&error))?;
        contact.talk.end();
        Ok(status)
    });
    let status = status.map_err(failed)?;
    host.keep(&bases::of_status(&status));
    let boots = would_boot(&status).cloned();
    trail.system.clone_from(&boots);
    if let Some(system) = &boots {
        host.teller.tell(News::System(system.clone()));
    }
    let mut candidate = host.candidate(boots.clone());
    candidate.remarks = remarks(&status);
    host.turn(candidate)?;
    let place = host.common.activating.enter(host.common.operator.stop.nix());
    let Some(_place) = place else { return Err(host.stopped()) };
    Rebooting { host, connector: &connector }.run(boots.as_ref())?;
    Ok(HostResult::Done)
}

/// What the operator should know before this host is restarted.
fn remarks(status: &HostStatus) -> Vec<String> {
    match (would_boot(status), &status.running) {
        (None, _) => vec!["what it would boot cannot be read".to_owned()],
        (Some(boots), Some(running)) if boots != running => {
            vec![format!("it runs another system: {running}")]
        }
        _ => Vec::new(),
    }
}
