//! A session: the operator asks, one thing at a time, and is answered.

use std::{
    io::{BufReader, Read, Write},
    os::unix::net::UnixStream,
    path::Path,
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use host::paths;
use order::{HostName, Nonce, OrderId, Settings};
use report::{Cause, CauseKind};
use session::{Channel, Exec, Frame, FrameError, MessageError, Reply, Request, read_frame};
use thiserror::Error;

use crate::{
    confirm, deliver, exec, facts, follow, history,
    jobs::Jobs,
    outbox::Outbox,
    owner, reboot,
    receiving::{self, Receiving},
    tunnel::Tunnel,
};

/// How long an operator may take to begin.
const BEGIN: Duration = Duration::from_secs(60);
/// How many orders one session follows at once.
const MOST_FOLLOWED: usize = 4;

/// Why a session ends before it was asked to.
#[derive(Debug, Error)]
pub(crate) enum SessionError {
    /// The stream failed, or carries something else.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// The operator says something that is not understood.
    #[error(transparent)]
    Message(#[from] MessageError),
    /// The operator's messages come in an order that makes no sense.
    #[error("{0}: the other end is not Lockstep's")]
    Order(&'static str),
}

/// Serves one operator until it says that it is done or its stream ends.
pub(crate) fn serve(input: impl Read, output: impl Write + Send + 'static) -> ExitCode {
    let outbox = Arc::new(Outbox::new(output));
    let mut input = BufReader::with_capacity(session::MAX_DATA, input);
    match talk(&mut input, &outbox) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // The operator may be gone, or may not understand; nothing else can be done.
            let cause = Cause::new(CauseKind::Agent, error.to_string());
            let _gone = outbox.reply(&Reply::Refused(cause));
            ExitCode::FAILURE
        }
    }
}

fn talk<W: Write + Send + 'static>(
    input: &mut impl Read,
    outbox: &Arc<Outbox<W>>,
) -> Result<(), SessionError> {
    outbox.magic()?;
    let healing = owner::heal_first();
    outbox.reply(&Reply::Hello(Box::new(facts::hello())))?;
    let begun = expect_beginning(outbox);
    let Some(host) = begin(input)? else { return Ok(()) };
    begun.store(true, Ordering::Relaxed);
    // A host that cannot write it is taken for one that nobody reaches.
    let _unwritten = host::contact::stamp();
    let mut session = Session {
        outbox: Arc::clone(outbox),
        host,
        tunnel: None,
        receiving: None,
        lane: None,
        jobs: Jobs::default(),
        busy: Arc::default(),
        healing: Some(healing),
    };
    let ended = session.listen(input);
    session.jobs.end();
    ended
}

/// Ends this process if nobody begins to speak: a connection that was never used is nobody's session.
fn expect_beginning<W: Write + Send + 'static>(outbox: &Arc<Outbox<W>>) -> Arc<AtomicBool> {
    let begun = Arc::new(AtomicBool::new(false));
    let (outbox, watched) = (Arc::clone(outbox), Arc::clone(&begun));
    thread::spawn(move || {
        thread::sleep(BEGIN);
        if !watched.load(Ordering::Relaxed) {
            let cause =
                Cause::new(CauseKind::Agent, "nobody began to speak: the other end is not Lockstep's");
            let _gone = outbox.reply(&Reply::Refused(cause));
            std::process::exit(1);
        }
    });
    begun
}

/// The operator's first words; none if it left at once.
fn begin(input: &mut impl Read) -> Result<Option<HostName>, SessionError> {
    let Some(frame) = read_frame(input)? else { return Ok(None) };
    if frame.channel != Channel::Control {
        return Err(SessionError::Order("bytes before the first request"));
    }
    match Request::from_payload(&frame.payload)? {
        Request::Begin { version, host } if (session::OLDEST..=session::VERSION).contains(&version) => {
            Ok(Some(host))
        }
        Request::Begin { .. } => Err(SessionError::Order("a version that this agent does not speak")),
        _ => Err(SessionError::Order("a request before the first")),
    }
}

struct Session<W> {
    outbox: Arc<Outbox<W>>,
    host: HostName,
    tunnel: Option<Tunnel>,
    /// The last transfer.
    receiving: Option<Receiving>,
    /// The transfer of another session that this one carries a part of.
    lane: Option<UnixStream>,
    jobs: Jobs,
    /// Whether a program of the operator's runs.
    busy: Arc<AtomicBool>,
    /// Who brings an activation to its end that nobody else does.
    healing: Option<JoinHandle<()>>,
}

impl<W: Write + Send + 'static> Session<W> {
    fn listen(&mut self, input: &mut impl Read) -> Result<(), SessionError> {
        while let Some(frame) = read_frame(input)? {
            match frame.channel {
                Channel::Control => {
                    let request = Request::from_payload(&frame.payload)?;
                    if request == Request::End {
                        break;
                    }
                    self.answer(request)?;
                }
                Channel::Store => self.store_bytes(&frame)?,
                Channel::Paths => self.path_bytes(frame.payload)?,
                _ => return Err(SessionError::Order("bytes on a channel that the operator does not write")),
            }
        }
        Ok(())
    }

    fn answer(&mut self, request: Request) -> Result<(), SessionError> {
        match request {
            Request::Begin { .. } => return Err(SessionError::Order("a second beginning")),
            Request::Status => self.outbox.reply(&Reply::Status(Box::new(facts::status())))?,
            Request::History { limit } => self.outbox.reply(&history::reply(limit))?,
            Request::Current => self.outbox.reply(&Reply::Current(owner::current().map(Box::new)))?,
            Request::Store => self.open_store()?,
            Request::StoreEnd => self.close_store()?,
            Request::Receive { lane } => self.receiving = Some(Receiving::start(&self.outbox, &lane)),
            Request::Lane { lane } => self.join(&lane)?,
            Request::Deliver(order) => {
                // A host that is about to be done with the last order is not busy.
                self.healing.take().map(JoinHandle::join);
                self.outbox.reply(&deliver::deliver(&order, &self.host))?;
            }
            Request::Follow { order } => self.follow(order)?,
            Request::Confirm { .. } | Request::Abort { .. } => {
                self.outbox.reply(&confirm::pass_on(&request))?;
            }
            Request::Survey { system } => self.outbox.reply(&Reply::Survey(facts::survey(&system)))?,
            Request::Check(settings) => self.check(*settings),
            Request::Reboot { boot_id } => self.reboot(&boot_id)?,
            Request::Exec(wish) => self.exec(wish)?,
            Request::End => {}
        }
        Ok(())
    }

    fn open_store(&mut self) -> Result<(), SessionError> {
        if self.tunnel.as_ref().is_some_and(Tunnel::is_open) {
            return Err(SessionError::Order("a second store"));
        }
        match Tunnel::open(Path::new(paths::NIX_DAEMON)) {
            Ok(tunnel) => {
                // In this order: no byte of the daemon goes before the word that it is there.
                self.outbox.reply(&Reply::StoreReady)?;
                self.tunnel = Some(tunnel.pass_on(Arc::clone(&self.outbox)));
            }
            Err(error) => {
                let text = format!(
                    "Nix's daemon does not answer at {}: {error}; is nix.enable set?",
                    paths::NIX_DAEMON
                );
                self.outbox.reply(&Reply::Refused(Cause::new(CauseKind::Transfer, text)))?;
            }
        }
        Ok(())
    }

    fn close_store(&mut self) -> Result<(), SessionError> {
        match self.tunnel.take() {
            // Whoever passes its answers on says that it has ended.
            Some(tunnel) => tunnel.close(),
            None => self.outbox.reply(&Reply::StoreEnded { error: None })?,
        }
        Ok(())
    }

    fn store_bytes(&mut self, frame: &Frame) -> Result<(), SessionError> {
        let tunnel = self.tunnel.as_mut().ok_or(SessionError::Order("bytes for a store that is not open"))?;
        // A daemon that hung up is told to the operator by the thread that reads its answers.
        let _hung_up = tunnel.write(&frame.payload);
        Ok(())
    }

    /// From here on what comes on the paths channel goes to another session's transfer.
    fn join(&mut self, lane: &Nonce) -> Result<(), SessionError> {
        let reply = match receiving::join(lane) {
            Ok(stream) => {
                self.lane = Some(stream);
                Reply::LaneReady
            }
            Err(error) => {
                let text = format!("no other session waits for this one: {error}");
                Reply::Refused(Cause::new(CauseKind::Transfer, text))
            }
        };
        Ok(self.outbox.reply(&reply)?)
    }

    fn path_bytes(&mut self, bytes: Vec<u8>) -> Result<(), SessionError> {
        if let Some(lane) = &mut self.lane {
            // A transfer that has ended needs no more.
            let _ended = lane.write_all(&bytes);
            return Ok(());
        }
        let receiving =
            self.receiving.as_ref().ok_or(SessionError::Order("paths that were not announced"))?;
        receiving.take(bytes);
        Ok(())
    }

    /// Follows in a thread of its own, so that a confirmation can be sent meanwhile.
    fn follow(&mut self, order: OrderId) -> Result<(), SessionError> {
        if self.jobs.count() > MOST_FOLLOWED {
            return Err(SessionError::Order("too many orders to follow"));
        }
        let outbox = Arc::clone(&self.outbox);
        // An operator who is gone needs no more news.
        self.jobs.start(move |stop| drop(follow::follow(&order, &outbox, stop)));
        Ok(())
    }

    /// Tries checks while the session listens on.
    fn check(&mut self, settings: Settings) {
        let outbox = Arc::clone(&self.outbox);
        self.jobs.start(move |stop| {
            let faults = host::try_checks(&settings.checks, &mut || stop.load(Ordering::Relaxed));
            let faults = faults.iter().map(ToString::to_string).collect();
            // An operator who is gone needs no answer.
            drop(outbox.reply(&Reply::Checked { faults }));
        });
    }

    /// Says that the machine goes down, and lets it.
    fn reboot(&mut self, boot_id: &str) -> Result<(), SessionError> {
        // A host that is about to be done with the last order is not busy.
        self.healing.take().map(JoinHandle::join);
        if let Some(cause) = reboot::refuse(boot_id) {
            return Ok(self.outbox.reply(&Reply::Refused(cause))?);
        }
        self.outbox.reply(&Reply::Rebooting)?;
        if let Err(cause) = reboot::start() {
            self.outbox.reply(&Reply::Refused(cause))?;
        }
        Ok(())
    }

    /// Runs a program while the session listens on: when the operator is gone, the program is ended.
    fn exec(&mut self, wish: Exec) -> Result<(), SessionError> {
        if self.busy.swap(true, Ordering::AcqRel) {
            return Err(SessionError::Order("a second program"));
        }
        let (outbox, busy) = (Arc::clone(&self.outbox), Arc::clone(&self.busy));
        self.jobs.start(move |stop| {
            let reply = exec::exec(&wish, &outbox, stop);
            // In this order: who hears that one has ended may ask for the next.
            busy.store(false, Ordering::Release);
            drop(outbox.reply(&reply));
        });
        Ok(())
    }
}
