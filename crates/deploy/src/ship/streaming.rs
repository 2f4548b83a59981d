//! Whole NARs into the host's daemon, through agents that know nothing else.

use daemon::Client;
use report::Cause;
use report::CauseKind;
use store::closure::Closure;
use store::store_path::StorePath;
use transfer::Pulse;

use super::{NotShipped, Origin, Shipping, failed, shown};
use crate::{causes, judge};

impl Shipping<'_> {
    /// Says how many NAR bytes were sent, with the connection that keeps them.
    pub(super) fn stream(
        &mut self,
        root: &StorePath,
        closure: &Closure,
        pulse: &Pulse,
    ) -> Result<(u64, Client), NotShipped> {
        let mut to = self.contact.open_store()?;
        let beats = pulse.clone();
        to.on_log(move |_| beats.beat());
        // From here on a garbage collection there leaves what arrives.
        to.add_temp_root(root).map_err(|error| NotShipped {
            cause: Cause::new(CauseKind::Transfer, causes::chain(&error)),
            can_resume: !error.connection_usable(),
        })?;
        let answer =
            transfer::ask(closure, self.substitute, &mut to, pulse).map_err(|error| failed(&error))?;
        let need = transfer::need(closure, &answer.valid);
        self.tell_fetched(answer.substituted.len());
        judge::has_room(&need, self.contact.talk.hello.free_store)?;
        let teller = self.teller;
        let total = (need.paths as u64, need.nar_bytes);
        let request = transfer::Request { closure, substitute: false, pulse };
        let (Origin::Here(from) | Origin::There(from)) = &mut self.from;
        let sent = transfer::stream(&request, &answer.valid, (from, &mut to), &mut |progress| {
            if let Some(progress) = shown(&progress, total) {
                teller.progress(progress);
            }
        });
        Ok((sent.map_err(|error| failed(&error))?.nar_bytes, to))
    }
}
