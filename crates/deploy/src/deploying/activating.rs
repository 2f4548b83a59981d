//! The last part of a deploy: how the host comes to its system, its turn, its order, and what follows.

use std::sync::Arc;

use fleet::OnInhibitor;
use order::{Mode, SystemPath};
use report::{Cause, CauseKind, Ending, HostResult, Stage};
use session::{Exec, Exit};
use store::store_path::{StoreDir, StorePath};

use super::{Deploying, Shipped};
use crate::activation::Held;
use crate::connect::{Connector, Contact};
use crate::operations::not_from_here;
use crate::pipeline::{Over, Trail};
use crate::rebooting::Rebooting;
use crate::text::last_lines;
use crate::way::{self, Then, Way};
use crate::{Candidate, Request, Urgency, judge};

/// Bytes of what a dry activation prints that are kept for its cause.
const MAX_SAID: usize = 1 << 20;

impl Deploying<'_> {
    pub(super) fn activate(
        &self,
        mode: Mode,
        shipped: Shipped,
        connector: &Arc<Connector>,
        trail: &mut Trail,
    ) -> Result<HostResult, Over> {
        let Shipped { contact, store, system } = shipped;
        if mode == Mode::DryActivate {
            return self.dry_activate(&contact, &system);
        }
        let way = self.way(mode, &contact, &system)?;
        trail.mode = Some(way.mode);
        let path = SystemPath::from(system.clone());
        if way.then == Then::Waits && judge::is_there(&contact.talk.hello, &path, Mode::Boot) {
            return Ok(self.waits_for_boot());
        }
        self.host.turn(self.candidate(&way, path.clone())?)?;
        let place = self.host.common.activating.enter(self.host.common.operator.stop.nix());
        let Some(_place) = place else { return Err(self.host.stopped()) };
        let held = Held { contact, store };
        let result = self.host.give_order(way.mode, held, (&system, connector), trail)?;
        match (way.then, &result) {
            (Then::Waits, HostResult::Activated(Ending::Confirmed { .. })) => Ok(self.waits_for_boot()),
            (Then::Reboots, HostResult::Activated(Ending::Confirmed { .. })) => {
                Rebooting { host: self.host, connector }.run(Some(&path))?;
                Ok(result)
            }
            _ => Ok(result),
        }
    }

    /// How the host comes to its system: as was asked for, if nothing there speaks against it.
    fn way(&self, mode: Mode, contact: &Contact, system: &StorePath) -> Result<Way, Over> {
        let failed = |cause| Over::failed(Stage::Activate, cause);
        let wishes_reboot = self.host.common.request.manner.reboot;
        let refused = if wishes_reboot { OnInhibitor::Reboot } else { self.host.member.reboot.on_inhibitor };
        if !way::needs_survey(mode, refused) {
            return Ok(Way::plain(mode));
        }
        let survey = contact.talk.survey(system).map_err(|error| failed(contact.cause(&error)))?;
        let way = way::choose(mode, refused, &survey).map_err(failed)?;
        if way.mode == Mode::Reboot || way.then == Then::Reboots {
            not_from_here(&self.host.member).map_or(Ok(()), |cause| Err(failed(cause)))?;
        }
        Ok(way)
    }

    /// What the operator is asked about; nobody is asked who has said yes beforehand, which is not yet a yes to a
    /// reboot without a guard.
    fn candidate(&self, way: &Way, system: SystemPath) -> Result<Candidate, Over> {
        let Request { yes, manner, .. } = &self.host.common.request;
        let mut candidate = self.host.candidate(Some(system));
        candidate.remarks.extend(way.remark.clone());
        if let Some(why) = &way.unguarded {
            if *yes && !manner.unguarded {
                let why = format!("a reboot there is not guarded: {why}; --unguarded says that you know");
                return Err(Over(HostResult::Skipped { why }));
            }
            self.host.teller.note(format!("the reboot is not guarded: {why}"));
            candidate.unguarded = (!manner.unguarded).then(|| why.clone());
        }
        if let Some(remark) = &way.remark {
            self.host.teller.note(remark);
        }
        Ok(candidate)
    }

    fn waits_for_boot(&self) -> HostResult {
        let host = self.host.teller.host();
        let why = format!(
            "staged for the next boot, as the new system refuses a switch; `lockstep reboot {host}` brings it"
        );
        HostResult::Pending { why }
    }

    /// Not an order: the new system says what it would do.
    fn dry_activate(&self, contact: &Contact, system: &StorePath) -> Result<HostResult, Over> {
        let path = StoreDir::default().display(system).to_string();
        let words = vec![format!("{path}/bin/switch-to-configuration"), Mode::DryActivate.word().to_owned()];
        let wish = Exec { words, limit: Some(self.host.member.settings.limits.total) };
        let exit = self.host.teller.stage(Stage::Activate, || {
            let mut said = String::new();
            let mut tell = |voice, line: &str| {
                self.host.teller.line(voice, line);
                if said.len() < MAX_SAID {
                    said.push_str(line);
                    said.push('\n');
                }
            };
            let go_on = || self.host.common.operator.stop.urgency() == Urgency::No;
            let exit = contact.talk.exec_lines(&wish, &mut tell, &go_on);
            match exit.map_err(|error| contact.cause(&error))? {
                Exit::Code(0) => Ok(HostResult::Done),
                exit => Err(Cause::new(
                    CauseKind::Activation,
                    format!("dry-activate ended with {}", exit_text(exit)),
                )
                .with_log(last_lines(&said))),
            }
        });
        exit.map_err(|cause| Over::failed(Stage::Activate, cause))
    }
}

fn exit_text(exit: Exit) -> String {
    match exit {
        Exit::Code(code) => format!("code {code}"),
        Exit::Signal(signal) => format!("signal {signal}"),
        Exit::TimedOut => "its time over".to_owned(),
    }
}
