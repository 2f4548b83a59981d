//! The deploy of one host: evaluated, built, shipped, and given its order.

mod activating;

use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use daemon::Client;
use eval::{BuildError, BuildEvent, BuildRequest, Evaluate, Evaluated};
use fleet::{BuildOn, Delivery, Substitute};
use order::{Mode, SystemPath};
use report::{Cause, CauseKind, Deployed, HostResult, Stage};
use store::store_path::StorePath;

use crate::bases;
use crate::confirming::sleep;
use crate::connect::{Connector, Contact};
use crate::lock::lock;
use crate::patience::pause;
use crate::pipeline::{Over, Pipeline, Trail};
use crate::place::own_system;
use crate::ship::{self, NotShipped, Origin, Shipping};
use crate::tell::Teller;
use crate::{Goal, News, Progress, Voice, causes, judge};

/// How often a copy is taken up again after a lost connection.
const COPIES: u32 = 4;
/// For how long it counts what a host said of itself.
const FRESH: Duration = Duration::from_secs(5);

/// A host that is deployed to, and what evaluates and builds for it.
pub(crate) struct Deploying<'a> {
    pub(crate) host: &'a Pipeline,
    pub(crate) evaluate: &'a dyn Evaluate,
}

/// A connection that is being made beside other work.
struct Connecting(Receiver<Result<Contact, Cause>>);

impl Connecting {
    fn start(connector: &Arc<Connector>, teller: &Arc<Teller>) -> Self {
        let (sender, receiver) = channel();
        let (connector, teller) = (Arc::clone(connector), Arc::clone(teller));
        thread::spawn(move || {
            let contact = teller.stage(Stage::Connect, || connector.shared());
            // Nobody waits for it if something else failed first.
            let _gone = sender.send(contact);
        });
        Self(receiver)
    }

    fn wait(self) -> Result<Contact, Cause> {
        let lost = || Err(Cause::new(CauseKind::Internal, "the connection ended without a word"));
        self.0.recv().unwrap_or_else(|_| lost())
    }
}

/// A host's new system, where it is, and the session that goes on.
struct Shipped {
    contact: Contact,
    /// What keeps the system there, if the session itself does not.
    store: Option<Client>,
    system: StorePath,
}

impl Deploying<'_> {
    /// Takes the host through all stages that the request wants.
    pub(crate) fn run(&self) -> Deployed {
        let mut trail = Trail::default();
        let result = self.stages(&mut trail);
        self.host.report(trail, result)
    }

    fn stages(&self, trail: &mut Trail) -> Result<HostResult, Over> {
        if self.host.member.delivery == Delivery::Pull && !self.host.common.request.named {
            return Err(self.leave_out("it pulls by itself; name it to push to it"));
        }
        let place = self.host.common.preparing.enter(self.host.common.operator.stop.nix());
        let Some(place) = place else { return Err(self.host.stopped()) };
        let connector =
            self.host.connector(&self.host.member).map_err(|cause| Over::failed(Stage::Connect, cause))?;
        let builds_here = self.host.member.build == BuildOn::Here;
        let connects = self.host.common.request.goal != Goal::Build || !builds_here;
        // A name that was never deployed may be no host at all.
        let early = connects
            && (self.host.common.request.named
                || self.host.known.seen.is_some()
                || self.host.known.deployed.is_some());
        let connecting = early.then(|| Connecting::start(&connector, &self.host.teller));
        let evaluated = self.evaluate()?;
        let system = SystemPath::from(evaluated.system.clone());
        trail.system = Some(system.clone());
        self.host.teller.tell(News::System(system.clone()));
        connector.expect_system(&evaluated.platform);
        if !connects {
            self.build_here(&evaluated)?;
            return Ok(HostResult::Done);
        }
        let connecting = connecting.unwrap_or_else(|| Connecting::start(&connector, &self.host.teller));
        let Some(shipped) = self.bring(&evaluated, &connector, connecting, trail)? else {
            return Ok(HostResult::AlreadyThere);
        };
        trail.system = Some(SystemPath::from(shipped.system.clone()));
        drop(place);
        match self.host.common.request.goal {
            Goal::Build | Goal::Push | Goal::Reboot => {
                shipped.contact.talk.end();
                Ok(HostResult::Done)
            }
            Goal::Activate(mode) => self.activate(mode, shipped, &connector, trail),
        }
    }

    fn leave_out(&self, why: &str) -> Over {
        let name = self.host.teller.host().to_string();
        lock(&self.host.common.left_out).push((name, why.to_owned()));
        Over(HostResult::Skipped { why: why.to_owned() })
    }

    fn evaluate(&self) -> Result<Evaluated, Over> {
        let host = self.host.teller.host().as_str();
        let evaluated = self.host.teller.stage(Stage::Evaluate, || {
            let evaluated = self.evaluate.evaluate(host, self.host.common.operator.stop.nix());
            evaluated.map_err(|error| Over::failed(Stage::Evaluate, causes::evaluation(&error)))
        })?;
        evaluated.warnings.iter().for_each(|warning| self.host.teller.line(Voice::Nix, warning));
        match evaluated.kind.reason() {
            Some(reason) if !self.host.common.request.named => {
                Err(self.leave_out(&format!("{reason}; name it to deploy it")))
            }
            _ => Ok(evaluated),
        }
    }

    /// Brings the system to the host; none if it has it already in every way that is asked for.
    fn bring(
        &self,
        evaluated: &Evaluated,
        connector: &Arc<Connector>,
        connecting: Connecting,
        trail: &mut Trail,
    ) -> Result<Option<Shipped>, Over> {
        // What is known of the host by now spares a build that nobody needs; and one that probably cannot be done here.
        let foreign = evaluated.platform != own_system();
        let (connecting, contact) = match connecting.0.try_recv() {
            Ok(contact) => (None, Some(self.met(contact, evaluated)?)),
            Err(_) if foreign => (None, Some(self.met(connecting.wait(), evaluated)?)),
            Err(_) => (Some(connecting), None),
        };
        if contact.as_ref().is_some_and(|contact| self.has(contact, &evaluated.system)) {
            return Ok(None);
        }
        let built = match self.host.member.build {
            BuildOn::Here => Some(self.build_here(evaluated)?),
            BuildOn::Target | BuildOn::Host(_) => None,
        };
        let contact = match (contact, connecting) {
            (Some(contact), _) => contact,
            (None, Some(connecting)) => self.met(connecting.wait(), evaluated)?,
            (None, None) => return Err(self.host.stopped()),
        };
        if self.has(&contact, &evaluated.system) {
            return Ok(None);
        }
        match (&self.host.member.build, built) {
            (BuildOn::Host(other), _) => {
                self.build_elsewhere(other, evaluated, (connector, contact), trail).map(Some)
            }
            (_, Some(system)) => self.ship(connector, contact, &system, trail).map(Some),
            (_, None) => self.build_there(connector, contact, evaluated, trail).map(Some),
        }
    }

    /// Looks at a host that has said who it is.
    fn met(&self, contact: Result<Contact, Cause>, evaluated: &Evaluated) -> Result<Contact, Over> {
        let failed = |cause| Over::failed(Stage::Connect, cause);
        let contact = contact.map_err(failed)?;
        let hello = &contact.talk.hello;
        self.host.keep(&bases::of_hello(hello));
        judge::fits(&evaluated.platform, &hello.platform).map_err(failed)?;
        if matches!(self.host.common.request.goal, Goal::Activate(mode) if mode != Mode::DryActivate) {
            judge::busy(hello).map_or(Ok(()), |cause| Err(failed(cause)))?;
        }
        if let Some(changed) = judge::changed_since(&self.host.known, hello) {
            self.host.teller.note(changed);
        }
        if let Some(unread) = judge::unread_loader(hello) {
            self.host.teller.note(unread);
        }
        Ok(contact)
    }

    /// Whether the host has the system in every way that is asked for, by what it says now.
    fn has(&self, contact: &Contact, system: &StorePath) -> bool {
        let Goal::Activate(mode) = self.host.common.request.goal else { return false };
        let system = SystemPath::from(system.clone());
        if !judge::is_there(&contact.talk.hello, &system, mode) {
            return false;
        }
        // The evaluation may have taken minutes, in which others were at work on the host. If it does not answer any
        // more, whoever needs it next says why.
        contact.talk.age() < FRESH
            || contact.talk.status().is_ok_and(|status| judge::is_there(&status, &system, mode))
    }

    fn build_here(&self, evaluated: &Evaluated) -> Result<StorePath, Over> {
        let failed = |cause| Over::failed(Stage::Build, cause);
        let root = self.host.common.operator.state.root_for(self.host.teller.host(), &self.host.common.run);
        if let Err(error) = &root {
            self.host
                .teller
                .note(format!("the build is not kept from the garbage collector: {}", causes::chain(error)));
        }
        let request = BuildRequest { derivation: &evaluated.derivation, root: root.as_deref().ok() };
        let built = self.host.teller.stage(Stage::Build, || {
            let cancel = self.host.common.operator.stop.nix();
            self.evaluate.build(&request, cancel, &mut |event| self.build_event(event))
        });
        built.map(|built| built.system).map_err(|error: BuildError| failed(causes::build(&error)))
    }

    fn build_event(&self, event: BuildEvent) {
        match event {
            BuildEvent::Line { line, .. } | BuildEvent::Warning(line) => {
                self.host.teller.line(Voice::Nix, &line);
            }
            BuildEvent::Progress { done, expected, .. } => self.host.teller.progress(Progress {
                stage: Stage::Build,
                text: String::new(),
                steps: Some((done, expected)),
                bytes: None,
            }),
            BuildEvent::Started { derivation } => {
                self.host.teller.step(Stage::Build, &format!("builds {}", derivation.name()));
            }
            BuildEvent::Fetching { path } => {
                self.host.teller.step(Stage::Build, &format!("fetches {}", path.name()));
            }
            _ => {}
        }
    }

    /// Copies the system from the store here, over new connections if one is lost.
    fn ship(
        &self,
        connector: &Arc<Connector>,
        contact: Contact,
        system: &StorePath,
        trail: &mut Trail,
    ) -> Result<Shipped, Over> {
        let failed = |cause| Over::failed(Stage::Ship, cause);
        let began = self.host.teller.begin(Stage::Ship);
        let mut contact = Some(contact);
        let mut number = 0;
        let shipped = loop {
            let result = match contact.take() {
                Some(contact) => self.copy_here((connector, contact), system, trail),
                None => match connector.shared() {
                    Ok(contact) => self.copy_here((connector, contact), system, trail),
                    Err(cause) => Err(NotShipped { can_resume: cause.kind == CauseKind::Offline, cause }),
                },
            };
            number += 1;
            let stop = &self.host.common.operator.stop;
            match result {
                Err(NotShipped { cause, can_resume: true }) if number < COPIES && !stop.is_wished() => {
                    self.host
                        .teller
                        .note(format!("the copy was cut off and is taken up again: {}", cause.text));
                    let wait = pause(number, Duration::from_secs(8), Duration::MAX);
                    sleep(wait.unwrap_or_default(), &|| stop.is_wished());
                    connector.close();
                }
                Err(NotShipped { mut cause, .. }) => {
                    // Wherever it was lost: it was the copy that failed.
                    if cause.kind == CauseKind::Offline {
                        cause.kind = CauseKind::Transfer;
                    }
                    break Err(failed(cause));
                }
                Ok(shipped) => break Ok(shipped),
            }
        };
        self.host.teller.end(Stage::Ship, began, shipped.is_ok());
        shipped
    }

    fn copy_here(
        &self,
        (connector, contact): (&Arc<Connector>, Contact),
        system: &StorePath,
        trail: &mut Trail,
    ) -> Result<Shipped, NotShipped> {
        let mut here = local_store()?;
        // A run beside this one may have links pruned, and a derivation has none.
        here.add_temp_root(system).map_err(|error| Cause::new(CauseKind::Transfer, causes::chain(&error)))?;
        let closure = ship::closure_of(&mut here, system)?;
        let sent = self.shipping(Origin::Here(&mut here), (connector, &contact)).send(system, &closure)?;
        trail.bytes += sent.bytes;
        Ok(Shipped { contact, store: sent.store, system: system.clone() })
    }

    fn shipping<'a>(
        &'a self,
        from: Origin<'a>,
        (connector, contact): (&'a Arc<Connector>, &'a Contact),
    ) -> Shipping<'a> {
        let substitute = self.host.member.substitute == Substitute::OnTarget;
        Shipping { from, contact, connector, substitute, teller: &self.host.teller }
    }

    /// Sends the derivation and all it needs, and builds it on the host itself.
    fn build_there(
        &self,
        connector: &Arc<Connector>,
        contact: Contact,
        evaluated: &Evaluated,
        trail: &mut Trail,
    ) -> Result<Shipped, Over> {
        let shipped = self.ship(connector, contact, &evaluated.derivation, trail)?;
        let Shipped { contact, store, .. } = shipped;
        let built = self.host.teller.stage(Stage::Build, || {
            let mut store = contact.store_or(store)?;
            let system = ship::build_in(&mut store, &evaluated.derivation, &self.host.teller)?;
            // Until the order is accepted nobody else keeps it.
            let kept = store.add_temp_root(&system);
            kept.map_err(|error| Cause::new(CauseKind::Build, causes::chain(&error)))?;
            Ok((system, store))
        });
        let (system, store) = built.map_err(|cause| Over::failed(Stage::Build, cause))?;
        Ok(Shipped { contact, store: Some(store), system })
    }

    /// Builds on another host of the fleet; what was built goes from its store to this host's, through here.
    fn build_elsewhere(
        &self,
        other: &order::HostName,
        evaluated: &Evaluated,
        (target, contact): (&Arc<Connector>, Contact),
        trail: &mut Trail,
    ) -> Result<Shipped, Over> {
        let failed = |cause| Over::failed(Stage::Build, cause);
        let Some(builder) = self.host.common.fleet.hosts.get(other) else {
            let text = format!("{other}, which is to build for it, is not in the fleet");
            return Err(failed(Cause::new(CauseKind::Build, text)));
        };
        let connector = self.host.connector(builder).map_err(failed)?;
        let built = self.host.teller.stage(Stage::Build, || {
            self.host.teller.step(Stage::Build, &format!("on {other}"));
            let there = connector.shared()?;
            // What the builder gets is not sent to the host.
            let mut to_builder = Trail::default();
            let copied = self.copy_here((&connector, there), &evaluated.derivation, &mut to_builder);
            let Shipped { contact, store, .. } = copied.map_err(|error| error.cause)?;
            let mut store = contact.store_or(store)?;
            let system = ship::build_in(&mut store, &evaluated.derivation, &self.host.teller)?;
            Ok((contact, store, system))
        });
        // The builder's session lasts as long as its store is read.
        let (_builder, mut store, system) = built.map_err(failed)?;
        let shipped = self.host.teller.stage(Stage::Ship, || {
            let closure = ship::closure_of(&mut store, &system)?;
            let sent = self.shipping(Origin::There(&mut store), (target, &contact)).send(&system, &closure);
            let sent = sent.map_err(|error| error.cause)?;
            trail.bytes += sent.bytes;
            Ok(sent.store)
        });
        let store = shipped.map_err(|cause| Over::failed(Stage::Ship, cause))?;
        Ok(Shipped { contact, store, system })
    }
}

fn local_store() -> Result<Client, Cause> {
    eval::local_daemon().map_err(|error| Cause::new(CauseKind::Transfer, causes::chain(&error)))
}
