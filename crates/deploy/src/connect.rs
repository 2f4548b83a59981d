//! From a member of the fleet to a session with its agent, which is put in place if it has to be.

use std::sync::{Arc, Mutex};
use std::time::Instant;

use daemon::{Client, ContentMethod, Stream};
use fleet::Member;
use order::HostName;
use report::{Cause, CauseKind};
use session::MAGIC;
use ssh::{Connection, Elevation, Program, Refusal, Sockets, Way, Word};
use store::hash::Algorithm;
use store::store_path::StoreDir;

use crate::agents::{Agent, Agents};
use crate::causes;
use crate::link::Link;
use crate::lock::lock;
use crate::passwords::Passwords;
use crate::place::{Miss, Place, miss, own_system, places, should_add, system_of_uname};
use crate::reach;
use crate::ship::NotShipped;
use crate::talk::{Talk, TalkError};
use crate::tell::Teller;
use crate::{Ask, Operator};

/// How often a wrong password is asked for again.
const PASSWORDS: usize = 3;

/// What connects to one host, as often as it takes.
pub(crate) struct Connector {
    host: HostName,
    member: Member,
    way: Way,
    agents: Arc<Agents>,
    passwords: Passwords,
    teller: Arc<Teller>,
    /// The kind of machine that the host probably is.
    system: Mutex<String>,
    /// Where the agent was found.
    found: Mutex<Option<Place>>,
}

/// A session with a host.
pub(crate) struct Contact {
    /// The session.
    pub(crate) talk: Talk,
    control: ssh::Control,
    /// Keeps an agent that was just added from the garbage collector until somebody has rooted it.
    _added: Option<Client>,
    _connection: Connection,
}

impl Contact {
    /// The host's store.
    pub(crate) fn open_store(&self) -> Result<Client, NotShipped> {
        self.talk.open_store().map_err(|error| self.not_shipped(&error))
    }

    /// The host's store, unless it is open.
    pub(crate) fn store_or(&self, store: Option<Client>) -> Result<Client, Cause> {
        store.map_or_else(|| self.open_store().map_err(|error| error.cause), Ok)
    }

    /// Why nothing is copied over this session.
    pub(crate) fn not_shipped(&self, error: &TalkError) -> NotShipped {
        NotShipped { can_resume: matches!(error, TalkError::Link(_)), cause: self.cause(error) }
    }

    /// What the agent printed beside the session.
    pub(crate) fn said(&self) -> String {
        self.control.stderr()
    }

    /// The cause of a failed session.
    pub(crate) fn cause(&self, error: &TalkError) -> Cause {
        causes::talk(error, &self.said())
    }
}

/// Why one place did not give a session.
enum NoSession {
    Ssh(ssh::Error),
    Talk(TalkError, String),
}

impl Connector {
    pub(crate) fn new(
        operator: &Operator,
        member: &Member,
        teller: Arc<Teller>,
        (agents, sockets): (Arc<Agents>, Sockets),
    ) -> Result<Self, Cause> {
        let way = Way::new(reach::reach(member, operator.ssh_may_ask)?, sockets);
        let host = teller.host().clone();
        let ask: Arc<dyn Ask> = Arc::clone(&operator.ask);
        let passwords = Passwords::new(host.clone(), ask);
        let system = Mutex::new(own_system());
        Ok(Self {
            host,
            member: member.clone(),
            way,
            agents,
            passwords,
            teller,
            system,
            found: Mutex::new(None),
        })
    }

    /// The kind of machine that the host's new system is for, so probably the host.
    pub(crate) fn expect_system(&self, system: &str) {
        system.clone_into(&mut lock(&self.system));
    }

    /// A session over the connection of this run.
    pub(crate) fn shared(&self) -> Result<Contact, Cause> {
        let connection = self.way.shared().map_err(|error| causes::ssh(&error))?;
        self.session(&connection)
    }

    /// A session over a new login that has come about before `deadline`.
    pub(crate) fn fresh_before(&self, deadline: Instant) -> Result<Contact, Cause> {
        let connection = self.way.fresh_before(deadline).map_err(|error| causes::ssh(&error))?;
        self.session(&connection)
    }

    /// A session over a new login.
    pub(crate) fn fresh(&self) -> Result<Contact, Cause> {
        let connection = self.way.fresh().map_err(|error| causes::ssh(&error))?;
        self.session(&connection)
    }

    /// Lets go of the connection, which may be dead.
    pub(crate) fn close(&self) {
        self.way.close();
    }

    /// Starts the agent where it is, or puts it in place.
    fn session(&self, connection: &Connection) -> Result<Contact, Cause> {
        let elevation = reach::elevation(&self.member, &connection.address());
        let first = match self.session_as(connection, elevation) {
            Err(error @ Cause { kind: CauseKind::Elevation, .. }) => error,
            result => return result,
        };
        // Whom ssh logs in as may stand in its own configuration: root needs no help.
        if is_root(connection) { self.session_as(connection, Elevation::None) } else { Err(first) }
    }

    fn session_as(&self, connection: &Connection, elevation: Elevation) -> Result<Contact, Cause> {
        let system = lock(&self.system).clone();
        let ours = self.agents.of(&system).ok().map(|agent| agent.path.clone());
        let found = lock(&self.found).clone();
        let mut tries = places(ours, elevation);
        tries.sort_by_key(|place| Some(place) != found.as_ref());
        let (mut misses, mut first) = (Vec::new(), None);
        for place in tries {
            let error = match self.open(connection, &place, elevation, None) {
                Ok(contact) => return Ok(contact),
                Err(error) => error,
            };
            let missed = match &error {
                NoSession::Ssh(error) => miss(error),
                NoSession::Talk(TalkError::Version { .. }, _) if place == Place::System => Some(Miss::Absent),
                NoSession::Talk(..) => None,
            };
            let Some(missed) = missed else { return Err(cause(&error)) };
            if missed == Miss::Forbidden {
                first = first.or(Some(error));
            }
            misses.push((place, missed));
        }
        match first {
            Some(error) if !should_add(&misses) => Err(cause(&error)),
            _ => self.add(connection, elevation),
        }
    }

    fn open(
        &self,
        connection: &Connection,
        place: &Place,
        elevation: Elevation,
        added: Option<Client>,
    ) -> Result<Contact, NoSession> {
        let words = Word::new(place.program()).and_then(|program| Ok((program, Word::new("session")?)));
        // Store paths are made of less than words are.
        let (program, argument) = words.expect("invariant: a store path is a word");
        let program = Program::new(program, [argument]).elevated(elevation);
        let channel = self.start(connection, &program).map_err(NoSession::Ssh)?;
        let ssh::Channel { reader, writer, control } = channel;
        let hang_up = control.clone();
        let link = Link::new(reader, writer, move || hang_up.hang_up());
        let talk = match Talk::begin(link, &self.host) {
            Ok(talk) => talk,
            Err(error) => return Err(NoSession::Talk(error, control.stderr())),
        };
        *lock(&self.found) = Some(place.clone());
        Ok(Contact { talk, control, _added: added, _connection: connection.clone() })
    }

    /// Starts the program; a wrong password is asked for again.
    fn start(&self, connection: &Connection, program: &Program) -> Result<ssh::Channel, ssh::Error> {
        let mut left = PASSWORDS;
        loop {
            let result = connection.open(program, MAGIC, &mut |request| self.passwords.give(request));
            match result {
                Err(ssh::Error::Refused { refusal: Refusal::WrongPassword, .. }) if left > 1 => {
                    left -= 1;
                    self.passwords.forget();
                }
                result => return result,
            }
        }
    }

    /// Adds our agent to the host's store, as the user who logs in, and starts it from there.
    fn add(&self, connection: &Connection, elevation: Elevation) -> Result<Contact, Cause> {
        let system = uname(connection)?;
        let agent = self.agents.of(&system).map_err(|error| causes::no_agent(&error))?;
        self.expect_system(&system);
        self.teller.step(report::Stage::Connect, "puts the agent in place");
        let client = add_agent(connection, &agent)?;
        let place = Place::Ours(agent.path.clone());
        self.open(connection, &place, elevation, Some(client)).map_err(|error| cause(&error))
    }
}

fn cause(error: &NoSession) -> Cause {
    match error {
        NoSession::Ssh(error) => causes::ssh(error),
        NoSession::Talk(error, said) => causes::talk(error, said),
    }
}

fn word(text: &str) -> Word {
    Word::new(text).expect("invariant: a plain word")
}

/// Whether the user who logged in is root.
fn is_root(connection: &Connection) -> bool {
    let program = Program::new(word("id"), [word("-u")]);
    connection.output(&program, &mut |_| None).is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

/// The kind of machine that the host is.
fn uname(connection: &Connection) -> Result<String, Cause> {
    let program = Program::new(word("uname"), [word("-sm")]);
    let output = connection.output(&program, &mut |_| None).map_err(|error| causes::ssh(&error))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    system_of_uname(&text).ok_or_else(|| {
        let text = crate::text::plain(text.trim());
        Cause::new(
            CauseKind::Agent,
            format!("there is no agent for a host that says '{text}' to `uname -sm`"),
        )
    })
}

/// The client that comes back keeps the agent from being collected.
fn add_agent(connection: &Connection, agent: &Agent) -> Result<Client, Cause> {
    let failed = |text: String| {
        Cause::new(CauseKind::Agent, format!("the agent cannot be added to the host's store: {text}"))
    };
    let program = Program::new(word("nix-daemon"), [word("--stdio")]);
    let channel = connection.open_quiet(&program).map_err(|error| causes::ssh(&error))?;
    let ssh::Channel { reader, writer, control } = channel;
    let later = control.clone();
    let stream = Stream::new(reader, writer, move || control.hang_up());
    let connected = Client::connect(stream, StoreDir::default());
    let mut client = connected.map_err(|error| match later.check() {
        Err(why) => causes::ssh(&why),
        Ok(()) => failed(causes::chain(&error)),
    })?;
    let method = ContentMethod::Nar(Algorithm::Sha256);
    let added = client
        .add_content(&agent.name, method, &std::collections::BTreeSet::new(), |sink| agent.write_nar(sink));
    let info = added.map_err(|error| failed(causes::chain(&error)))?;
    if info.path != agent.path {
        return Err(failed(format!("it became {} there, not {}", info.path, agent.path)));
    }
    Ok(client)
}
