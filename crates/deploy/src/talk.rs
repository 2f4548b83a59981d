//! A session with an agent: each request, and the reply that is due, within its time.

use std::io::Write;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use daemon::{Client, ConnectError};
use order::{HostName, Nonce, Order, OrderId, Settings};
use report::{Cause, Generation, HostStatus, LastActivation};
use session::{Answer, Channel, Exec, Exit, Hello, Reply, Request, Survey, common_version};
use store::store_path::{StoreDir, StorePath};
use thiserror::Error;
use transfer::{LanesWriter, Streams};

use crate::Voice;
use crate::link::{Heard, Link, LinkError};
use crate::text::Lines;

/// How long an agent may take to say who it is: it may first have to find an owner for an unfinished activation.
const HELLO: Duration = Duration::from_secs(60);
/// How long a question about the host may take.
const QUESTION: Duration = Duration::from_secs(120);
/// How long a survey may take: the system's own checks run for it.
const SURVEY: Duration = Duration::from_secs(300);
/// How long an order may be judged: a little longer than the agent itself waits for its owner.
const JUDGE: Duration = Duration::from_secs(1900);
/// How long a confirmation may take: the boot loader's installer has no limit, so this is long.
const CONFIRM: Duration = Duration::from_secs(3700);
/// How much longer than a program may run its end may take to be told.
const EXEC_SLACK: Duration = Duration::from_secs(60);
/// How often it is looked whether a program still matters.
const LOOK: Duration = Duration::from_millis(200);
/// How long the store's daemon may take to greet.
const GREETING: Duration = Duration::from_secs(60);

/// Why a session gives no answer.
#[derive(Debug, Error)]
pub(crate) enum TalkError {
    /// The session itself.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// There is no version that both speak.
    #[error(
        "the agent {agent} speaks versions {oldest} to {newest} of the session, this lockstep speaks {}",
        session::VERSION
    )]
    Version {
        /// The agent's own version.
        agent: String,
        /// The oldest that it speaks.
        oldest: u16,
        /// The newest.
        newest: u16,
    },
    /// The agent does not know what is asked of it.
    #[error("the agent {agent} there is too old for reboots; let the host's configuration bring a newer one")]
    Old {
        /// The agent's own version.
        agent: String,
    },
    /// The agent does not grant it.
    #[error("the host refuses: {0}")]
    Refused(Cause),
    /// There is no randomness to be had.
    #[error("no random numbers")]
    Random(#[source] getrandom::Error),
    /// The store's daemon there does not greet as one.
    #[error("the store of the host cannot be talked to")]
    Store(#[from] ConnectError),
}

/// Where another session joins a transfer.
pub(crate) struct Lane {
    name: Nonce,
    join: Sender<Box<dyn Write + Send>>,
}

/// A session with an agent that has said who it is.
pub(crate) struct Talk {
    link: Link,
    /// What it said of itself at the beginning.
    pub(crate) hello: Hello,
    /// What both speak.
    version: u16,
    /// When that was.
    greeted: Instant,
}

impl Talk {
    /// Begins a session for this host.
    pub(crate) fn begin(link: Link, host: &HostName) -> Result<Self, TalkError> {
        let hello = match expect(&link, HELLO, "who it is")? {
            Reply::Hello(hello) => *hello,
            _ => return Err(LinkError::Unexpected { what: "who it is" }.into()),
        };
        let Hello { oldest, newest, .. } = hello;
        let version = common_version(oldest..=newest).ok_or_else(|| TalkError::Version {
            agent: crate::text::plain(&hello.agent),
            oldest,
            newest,
        })?;
        link.send(&Request::Begin { version, host: host.clone() })?;
        Ok(Self { link, hello, version, greeted: Instant::now() })
    }

    /// How long ago the host said what it is.
    pub(crate) fn age(&self) -> Duration {
        self.greeted.elapsed()
    }

    /// What the host says of itself.
    pub(crate) fn status(&self) -> Result<HostStatus, TalkError> {
        match self.ask(&Request::Status, QUESTION, "its status")? {
            Reply::Status(status) => Ok(*status),
            _ => Err(LinkError::Unexpected { what: "its status" }.into()),
        }
    }

    /// What the host did, newest first.
    pub(crate) fn history(&self, limit: u32) -> Result<(Vec<LastActivation>, Vec<Generation>), TalkError> {
        match self.ask(&Request::History { limit }, QUESTION, "its history")? {
            Reply::History { entries, generations } => Ok((entries, generations)),
            _ => Err(LinkError::Unexpected { what: "its history" }.into()),
        }
    }

    /// The order that has not ended.
    pub(crate) fn current(&self) -> Result<Option<Order>, TalkError> {
        match self.ask(&Request::Current, QUESTION, "its order")? {
            Reply::Current(order) => Ok(order.map(|order| *order)),
            _ => Err(LinkError::Unexpected { what: "its order" }.into()),
        }
    }

    /// The host's store. The client ends with the session; [`Talk::close_store`] ends it earlier.
    pub(crate) fn open_store(&self) -> Result<Client, TalkError> {
        let stream = self.link.store();
        match self.ask(&Request::Store, QUESTION, "that its store is ready")? {
            Reply::StoreReady => {}
            _ => return Err(LinkError::Unexpected { what: "that its store is ready" }.into()),
        }
        // A daemon that does not greet is left by ending the session.
        let (done, waits) = channel::<()>();
        std::thread::scope(|scope| {
            scope.spawn(move || {
                if waits.recv_timeout(GREETING) == Err(RecvTimeoutError::Timeout) {
                    self.link.hang_up();
                }
            });
            let client = Client::connect(stream, StoreDir::default());
            drop(done);
            Ok(client?)
        })
    }

    /// Whether the agent takes store paths on a channel of their own.
    pub(crate) fn receives(&self) -> bool {
        self.version >= session::RECEIVES
    }

    /// A channel for store paths, which another session can make wider. One that was opened before has ended then.
    pub(crate) fn open_paths(&self) -> Result<(Streams, Lane), TalkError> {
        let mut dice = [0; 32];
        getrandom::fill(&mut dice).map_err(TalkError::Random)?;
        let name = Nonce::from_random(dice);
        let streams = self.link.paths();
        self.link.send(&Request::Receive { lane: name.clone() })?;
        let (join, joining) = channel();
        let to = Box::new(LanesWriter::new(streams.to, joining));
        Ok((Streams { to, ..streams }, Lane { name, join }))
    }

    /// Carries a part of what goes to another session from here on.
    pub(crate) fn join(&self, lane: &Lane) -> Result<(), TalkError> {
        let what = "that it carries a part";
        match self.ask(&Request::Lane { lane: lane.name.clone() }, QUESTION, what)? {
            Reply::LaneReady => {}
            _ => return Err(LinkError::Unexpected { what }.into()),
        }
        // A transfer that has ended needs no more.
        let _ended = lane.join.send(self.link.paths().to);
        Ok(())
    }

    /// The store is no longer needed. Its answer is passed over by whoever listens next.
    pub(crate) fn close_store(&self) -> Result<(), TalkError> {
        Ok(self.link.send(&Request::StoreEnd)?)
    }

    /// Delivers an order; it is accepted if this succeeds.
    pub(crate) fn deliver(&self, order: &Order) -> Result<(), TalkError> {
        match self.ask(&Request::Deliver(Box::new(order.clone())), JUDGE, "whether it takes the order")? {
            Reply::Accepted { order: accepted } if accepted == order.id => Ok(()),
            _ => Err(LinkError::Unexpected { what: "whether it takes the order" }.into()),
        }
    }

    /// Confirms an order.
    pub(crate) fn confirm(&self, order: &OrderId, nonce: &Nonce) -> Result<Answer, TalkError> {
        let request = Request::Confirm { order: order.clone(), nonce: nonce.clone() };
        self.answer(&request, "what became of the confirmation")
    }

    /// Takes an order back.
    pub(crate) fn abort(&self, order: &OrderId) -> Result<Answer, TalkError> {
        self.answer(&Request::Abort { order: order.clone() }, "what became of the order")
    }

    /// What speaks against an order for this system.
    pub(crate) fn survey(&self, system: &StorePath) -> Result<Survey, TalkError> {
        self.knows_reboots()?;
        match self.ask(
            &Request::Survey { system: system.clone() },
            SURVEY,
            "what speaks against the system",
        )? {
            Reply::Survey(survey) => Ok(survey),
            _ => Err(LinkError::Unexpected { what: "what speaks against the system" }.into()),
        }
    }

    /// The checks of these settings that do not hold on the host, each in a sentence.
    pub(crate) fn check(&self, settings: &Settings) -> Result<Vec<String>, TalkError> {
        self.knows_reboots()?;
        let limit = settings.checks.iter().map(|check| check.timeout).sum::<Duration>() + QUESTION;
        match self.ask(&Request::Check(Box::new(settings.clone())), limit, "whether its checks hold")? {
            Reply::Checked { faults } => Ok(faults),
            _ => Err(LinkError::Unexpected { what: "whether its checks hold" }.into()),
        }
    }

    /// The machine is to end this boot. It is about to if this succeeds.
    pub(crate) fn reboot(&self, boot_id: &str) -> Result<(), TalkError> {
        self.knows_reboots()?;
        match self.ask(&Request::Reboot { boot_id: boot_id.to_owned() }, QUESTION, "whether it reboots")? {
            Reply::Rebooting => Ok(()),
            _ => Err(LinkError::Unexpected { what: "whether it reboots" }.into()),
        }
    }

    fn knows_reboots(&self) -> Result<(), TalkError> {
        let agent = || crate::text::plain(&self.hello.agent);
        if self.version >= session::REBOOTS { Ok(()) } else { Err(TalkError::Old { agent: agent() }) }
    }

    /// Says something whose replies are heard with [`Talk::hear`].
    pub(crate) fn send(&self, request: &Request) -> Result<(), TalkError> {
        Ok(self.link.send(request)?)
    }

    /// The next thing that the agent says; none if it says nothing for so long.
    pub(crate) fn hear(&self, limit: Duration) -> Result<Option<Heard>, TalkError> {
        Ok(self.link.hear(limit)?)
    }

    /// Runs a program and gives what it prints, line by line. `go_on` is asked now and then, and by false ends the
    /// session. A host that does not end a program after its time is left a minute later; without a limit only `go_on`
    /// ends it.
    pub(crate) fn exec_lines(
        &self,
        wish: &Exec,
        give: &mut dyn FnMut(Voice, &str),
        go_on: &dyn Fn() -> bool,
    ) -> Result<Exit, TalkError> {
        let (mut out, mut err) = (Lines::default(), Lines::default());
        let mut output = |channel, bytes: &[u8]| match channel {
            Channel::Err => err.push(bytes, &mut |line| give(Voice::Err, &line)),
            _ => out.push(bytes, &mut |line| give(Voice::Out, &line)),
        };
        let exit = self.exec(wish, &mut output, go_on);
        out.finish(&mut |line| give(Voice::Out, &line));
        err.finish(&mut |line| give(Voice::Err, &line));
        exit
    }

    /// As [`Talk::exec_lines`], in the pieces that come.
    fn exec(
        &self,
        wish: &Exec,
        output: &mut dyn FnMut(Channel, &[u8]),
        go_on: &dyn Fn() -> bool,
    ) -> Result<Exit, TalkError> {
        self.send(&Request::Exec(wish.clone()))?;
        let (began, limit) = (Instant::now(), wish.limit.map(|limit| limit.saturating_add(EXEC_SLACK)));
        let what = "how the program ended";
        loop {
            if let Some(limit) = limit.filter(|limit| began.elapsed() >= *limit) {
                return Err(LinkError::Silent { what, limit }.into());
            }
            if !go_on() {
                return Err(LinkError::Ended.into());
            }
            match self.hear(LOOK)? {
                Some(Heard::Bytes(channel, bytes)) => output(channel, &bytes),
                Some(Heard::Reply(Reply::Exited(exit))) => return Ok(exit),
                Some(Heard::Reply(Reply::Refused(cause))) => return Err(TalkError::Refused(cause)),
                Some(Heard::Reply(Reply::StoreEnded { .. })) | None => {}
                Some(Heard::Reply(_)) => return Err(LinkError::Unexpected { what }.into()),
            }
        }
    }

    /// The operator has no more to ask.
    pub(crate) fn end(self) {
        // If it cannot be said, the session has ended already.
        let _gone = self.link.send(&Request::End);
    }

    fn answer(&self, request: &Request, what: &'static str) -> Result<Answer, TalkError> {
        match self.ask(request, CONFIRM, what)? {
            Reply::Answer(answer) => Ok(answer),
            _ => Err(LinkError::Unexpected { what }.into()),
        }
    }

    fn ask(&self, request: &Request, limit: Duration, what: &'static str) -> Result<Reply, TalkError> {
        self.link.send(request)?;
        expect(&self.link, limit, what)
    }
}

/// The next reply within its time. What a store says about its end may come at any time; so may output of what was
/// asked for before.
fn expect(link: &Link, limit: Duration, what: &'static str) -> Result<Reply, TalkError> {
    let deadline = Instant::now() + limit;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        match link.hear(left)? {
            Some(Heard::Reply(Reply::Refused(cause))) => return Err(TalkError::Refused(cause)),
            Some(Heard::Reply(Reply::StoreEnded { .. }) | Heard::Bytes(..)) if !left.is_zero() => {}
            Some(Heard::Reply(reply)) => return Ok(reply),
            Some(Heard::Bytes(..)) | None => return Err(LinkError::Silent { what, limit }.into()),
        }
    }
}

#[cfg(test)]
mod tests;
