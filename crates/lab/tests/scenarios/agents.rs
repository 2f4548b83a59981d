//! An operator's end of a session with `lockstep-agent`, for scenarios that need no operator host.

mod sessions;

use std::{
    io::{PipeReader, PipeWriter, Read},
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use lab::{Host, wait};
use order::{HostName, Limits, Mode, Nonce, Order, OrderId, Settings};
use report::{Cause, Ending, LoaderDefault};
use run::{Child, Output};
use session::{Answer, Channel, Frame, Hello, MAGIC, Reply, Request, read_frame, write_frame};
use store::store_path::{StoreDir, StorePath};

use super::fleets;

/// No two orders of a scenario are the same.
static NUMBER: AtomicU64 = AtomicU64::new(1);
/// Where a host has the agent.
pub(super) const AGENT: &str = "/root/lockstep-agent";

/// Puts the agent onto a host.
pub(super) fn install(host: &Host<'_>) -> Result<()> {
    host.copy(&fleets::agent()?, "/root")?;
    // It must be there after a power cut, too.
    host.run(["sync"]).map(drop)
}

/// The module that NixOS systems import.
pub(super) const MODULE: &str = include_str!("../../../../nix/modules/agent.nix");
/// Makes a system carry the agent and its start unit, once [`install_module`] was there.
pub(super) const CARRIES_AGENT: &str = r#"imports = [ /root/agent.nix ]; services.lockstep = { enable = true; package = pkgs.runCommand "lockstep-agent" { } "mkdir -p $out/bin; cp ${/root/lockstep-agent} $out/bin/lockstep-agent"; };"#;

/// Puts the agent onto a host, and the module for systems that carry it.
pub(super) fn install_module(host: &Host<'_>) -> Result<()> {
    host.write("/root/agent.nix", MODULE)?;
    install(host)
}

/// An order on its way, and the session that follows it.
pub(super) struct Going {
    pub(super) session: Session,
    pub(super) order: Order,
}

impl Going {
    /// Delivers an order with these settings; it must be accepted.
    pub(super) fn start(host: &Host<'_>, system: &str, mode: Mode, settings: Settings) -> Result<Self> {
        let mut session = Session::start(host)?;
        let mut order = session.order(system, mode, settings.limits)?;
        order.settings = settings;
        session.deliver(&order)?;
        Ok(Self { session, order })
    }

    /// Follows to a rollback, and says why it was and what differs.
    pub(super) fn until_rolled_back(&mut self) -> Result<(Cause, Vec<String>)> {
        match self.session.until_ended()? {
            Ending::RolledBack { cause, aftermath } => Ok((cause, aftermath)),
            other => bail!("{other:?}; states {:?}, log:\n{}", self.session.states, self.session.log),
        }
    }

    /// Follows until the host says that it does this.
    pub(super) fn until_doing(&mut self, text: &str) -> Result<()> {
        loop {
            match self.session.reply()? {
                Reply::Progress(progress) if progress.text.contains(text) => return Ok(()),
                Reply::Progress(progress) => self.session.note(&progress.state),
                other => bail!("{other:?} before '{text}'; states {:?}", self.session.states),
            }
        }
    }

    /// Follows until the machine is in a state.
    pub(super) fn until_state(&mut self, state: &str) -> Result<()> {
        loop {
            match self.session.reply()? {
                Reply::Progress(progress) if progress.state == state => return Ok(()),
                Reply::Progress(progress) => self.session.note(&progress.state),
                other => bail!("{other:?} before {state}; states {:?}", self.session.states),
            }
        }
    }
}

/// Settings for scenarios with these limits.
pub(super) fn settings(confirm: Duration) -> Settings {
    Settings { limits: limits(confirm), ..Settings::default() }
}

/// Brings a host to a system, confirmed and for good.
pub(super) fn deploy(host: &Host<'_>, system: &str) -> Result<()> {
    let mut going = Going::start(host, system, Mode::Switch, settings(Duration::from_secs(60)))?;
    going.session.until_awaits()?;
    confirm(host, &going.order)?;
    let ending = going.session.until_ended()?;
    ensure!(ending == Ending::Confirmed { lasting: true }, "{ending:?}; log:\n{}", going.session.log);
    promise(host, system)
}

/// What was promised, whatever happened: the host answers over a new connection; it runs `system`, and that and what
/// it would boot are there and rooted; its own report says the same, and that nothing is unfinished.
pub(super) fn promise(host: &Host<'_>, system: &str) -> Result<()> {
    promised(host, system).map(drop)
}

/// The same; returns what the host says of itself.
pub(super) fn promised(host: &Host<'_>, system: &str) -> Result<Hello> {
    host.wait_ssh(Duration::from_secs(30))?;
    let Session { hello, .. } = Session::start(host)?;
    let shown = |path: Option<&order::SystemPath>| path.map(|path| path.in_store(&StoreDir::default()));
    ensure!(shown(hello.running.as_ref()).as_deref() == Some(system), "it runs {:?}", hello.running);
    ensure!(hello.pending.is_none(), "unfinished: {:?}", hello.pending);
    let LoaderDefault::System(boots) = &hello.default else { bail!("it would boot {:?}", hello.default) };
    for path in [system, &boots.in_store(&StoreDir::default())] {
        let roots = host.run(["nix-store", "--query", "--roots", path])?;
        ensure!(!roots.is_empty(), "{path} is not rooted");
        host.run(["nix-store", "--check-validity", path])?;
    }
    Ok(hello)
}

/// A session on a host's console.
pub(super) struct Session {
    host: HostName,
    input: PipeWriter,
    output: PipeReader,
    pub(super) hello: Hello,
    /// What came on the log channel.
    pub(super) log: String,
    /// The states that were told, in their order, each once in a row.
    pub(super) states: Vec<String>,
    child: Leaving,
}

/// A console that is given the time to end by itself: what is killed there stays a zombie, and holds up a reboot.
pub(super) struct Leaving(Child);

impl Leaving {
    /// Ends it as a lost connection does.
    pub(super) fn kill(&mut self) {
        self.0.kill();
    }
}

impl Drop for Leaving {
    fn drop(&mut self) {
        // One that does not end is killed.
        let _late = wait::until_true("the console to end", Duration::from_secs(5), || !self.0.is_running());
    }
}

impl Session {
    pub(super) fn start(host: &Host<'_>) -> Result<Self> {
        let mut child =
            host.command([AGENT, "session"])?.input_pipe().stdout(Output::Pipe).spawn().context("agent")?;
        let (mut output, mut input) = child.take_streams().context("invariant: both are pipes")?;
        let mut magic = [0; MAGIC.len()];
        if output.read_exact(&mut magic).is_err() {
            child.wait()?.check("lockstep-agent session")?;
            bail!("the agent ended without a word");
        }
        ensure!(&magic == MAGIC, "not the magic: {magic:?}");
        let Some(Frame { payload, .. }) = read_frame(&mut output)? else { bail!("no hello") };
        let Reply::Hello(hello) = Reply::from_payload(&payload)? else { bail!("another first word") };
        let name: HostName = host.name().parse()?;
        let begin = Request::Begin { version: session::VERSION, host: name.clone() };
        write_frame(&mut input, Channel::Control, &begin.to_payload())?;
        let (log, states) = (String::new(), Vec::new());
        Ok(Self { host: name, input, output, hello: *hello, log, states, child: Leaving(child) })
    }

    pub(super) fn send(&mut self, request: &Request) -> Result<()> {
        Ok(write_frame(&mut self.input, Channel::Control, &request.to_payload())?)
    }

    /// The next reply; bytes of the log on the way are kept.
    pub(super) fn reply(&mut self) -> Result<Reply> {
        loop {
            let Some(Frame { channel, payload }) = read_frame(&mut self.output)? else {
                bail!("the session ended; states {:?}, log:\n{}", self.states, self.log);
            };
            match channel {
                Channel::Control => return Ok(Reply::from_payload(&payload)?),
                _ => self.log.push_str(&String::from_utf8_lossy(&payload)),
            }
        }
    }

    pub(super) fn ask(&mut self, request: &Request) -> Result<Reply> {
        self.send(request)?;
        self.reply()
    }

    /// An order for this host, after what it did last.
    pub(super) fn order(&self, system: &str, mode: Mode, limits: Limits) -> Result<Order> {
        let mut digits = [b'l'; 20];
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        // Only five bits of each count.
        for (at, digit) in digits.iter_mut().take(8).enumerate() {
            *digit = u8::try_from(number >> (5 * at) & 31)?;
        }
        Ok(Order {
            id: OrderId::from_random(digits),
            nonce: Nonce::from_random([7; 32]),
            host: self.host.clone(),
            system: StoreDir::default().parse(system.as_bytes())?,
            mode,
            after: self.hello.last.clone(),
            agent: None::<StorePath>,
            settings: Settings { limits, ..Settings::default() },
        })
    }

    /// Delivers the order, which must be accepted, and follows it.
    pub(super) fn deliver(&mut self, order: &Order) -> Result<()> {
        match self.ask(&Request::Deliver(Box::new(order.clone())))? {
            Reply::Accepted { order: accepted } if accepted == order.id => {}
            other => bail!("not accepted: {other:?}"),
        }
        self.send(&Request::Follow { order: order.id.clone() })
    }

    /// Follows until a confirmation is waited for; an end before that is an error.
    pub(super) fn until_awaits(&mut self) -> Result<()> {
        loop {
            match self.reply()? {
                Reply::Progress(progress) => {
                    self.note(&progress.state);
                    if progress.awaits_confirm {
                        return Ok(());
                    }
                }
                other => bail!("ended early: {other:?}; states {:?}; log:\n{}", self.states, self.log),
            }
        }
    }

    /// Follows to the end.
    pub(super) fn until_ended(&mut self) -> Result<Ending> {
        loop {
            match self.reply()? {
                Reply::Progress(progress) => self.note(&progress.state),
                Reply::Ended { ending, .. } => return Ok(ending),
                other => bail!("{other:?}; states {:?}; log:\n{}", self.states, self.log),
            }
        }
    }

    fn note(&mut self, state: &str) {
        if self.states.last().is_none_or(|last| last != state) {
            self.states.push(state.to_owned());
        }
    }

    /// Cuts the session as a lost connection does.
    pub(super) fn cut(mut self) {
        self.child.0.kill();
    }

    /// Its two directions, and the console that it is on.
    pub(super) fn into_parts(self) -> (PipeWriter, PipeReader, Leaving) {
        (self.input, self.output, self.child)
    }
}

/// Confirms over a session of its own.
pub(super) fn confirm(host: &Host<'_>, order: &Order) -> Result<Answer> {
    let mut session = Session::start(host)?;
    let confirm = Request::Confirm { order: order.id.clone(), nonce: order.nonce.clone() };
    match session.ask(&confirm)? {
        Reply::Answer(answer) => Ok(answer),
        other => bail!("not an answer: {other:?}"),
    }
}

/// Limits for scenarios: nothing settles, a confirmation is waited for this long.
pub(super) fn limits(confirm: Duration) -> Limits {
    Limits { confirm, settle: Duration::ZERO, total: Duration::from_secs(120), idle: Duration::from_secs(60) }
}
