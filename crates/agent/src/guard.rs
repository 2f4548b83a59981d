//! The role `guard`: sleeps while the owner lives and is in time, and takes over when it is not.

use std::process::ExitCode;

use activate::{Journal, guard};
use host::{BootClock, FileJournal, Machine, Role, Sentry};
use order::OrderId;

use crate::{Between, owner};

/// Stands guard over the activation of this order.
pub(crate) fn stand(id: &OrderId, between: &impl Between) -> ExitCode {
    // Loaded once: from here on nothing on a disk is needed for the way back.
    let Ok(Some(record)) = FileJournal.load() else { return ExitCode::FAILURE };
    if record.order.id != *id {
        return ExitCode::FAILURE;
    }
    let machine = Machine::new(Role::Guard, id.clone(), owner::no_wishes());
    let sentry = Sentry::new(machine);
    if sentry.ready(id).is_err() {
        return ExitCode::FAILURE;
    }
    let (mut sentry, mut journal) = (between.sentry(sentry), between.journal(FileJournal));
    if let Some(ended) = guard(&record, &mut sentry, &mut journal, &mut BootClock::new()) {
        owner::finish(&ended.record);
    }
    ExitCode::SUCCESS
}
