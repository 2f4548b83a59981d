//! The sent form of messages: JSON, each noun in its own form. The golden files must parse for ever.

use std::time::Duration;

use order::{NameError, Order, OrderError, SettingsWire, SystemPath, SystemPathError};
use report::{Cause, Ending, Generation, HostStatus, LastActivation, LoaderDefault, ReportError};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use store::store_path::{StoreDir, StorePath, StorePathError};
use thiserror::Error;

use crate::{Answer, Exec, Exit, Hello, MAX_PAYLOAD, Progress, Reply, Request, Survey};

/// Most words of a program that is to be run, and most entries of a history.
const MAX_ITEMS: usize = 10_000;

/// Why a payload is not a message.
#[derive(Debug, Error)]
pub enum MessageError {
    /// Longer than any message.
    #[error("a message of {0} bytes, allowed are {MAX_PAYLOAD}")]
    TooLong(usize),
    /// Not the JSON of a message that this version knows.
    #[error("a message that this version does not know")]
    Json(#[from] serde_json::Error),
    /// The order in it is none.
    #[error("a message with a bad order")]
    Order(#[from] OrderError),
    /// The report in it is none.
    #[error("a message with a bad report")]
    Report(#[from] ReportError),
    /// A name in it is none.
    #[error("a message with a bad name")]
    Name(#[from] NameError),
    /// A system in it is none.
    #[error("a message with a bad system")]
    System(#[from] SystemPathError),
    /// A store path in it is none.
    #[error("a message with a bad store path")]
    Path(#[from] StorePathError),
    /// More items than any message has, or none where one is needed.
    #[error("a message with {0} items")]
    Items(usize),
}

macro_rules! message {
    ($noun:ty, $wire:ty) => {
        impl $noun {
            /// The payload on the control channel.
            #[must_use]
            pub fn to_payload(&self) -> Vec<u8> {
                serde_json::to_vec(&<$wire>::from(self)).expect("invariant: plain data")
            }

            /// Reads a payload of the control channel.
            ///
            /// # Errors
            /// If it is not a message that this version knows.
            pub fn from_payload(payload: &[u8]) -> Result<Self, MessageError> {
                if payload.len() > MAX_PAYLOAD {
                    return Err(MessageError::TooLong(payload.len()));
                }
                serde_json::from_slice::<$wire>(payload)?.try_into()
            }
        }
    };
}

message!(Request, RequestWire);
message!(Reply, ReplyWire);

type Raw = Box<RawValue>;

/// The JSON that a noun wrote of itself.
fn raw(json: Vec<u8>) -> Raw {
    let text = String::from_utf8(json).expect("invariant: JSON is text");
    RawValue::from_string(text).expect("invariant: the noun wrote JSON")
}

fn bytes(raw: &RawValue) -> &[u8] {
    raw.get().as_bytes()
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn system_text(system: &SystemPath) -> String {
    system.in_store(&StoreDir::default())
}

fn system(text: &str) -> Result<SystemPath, SystemPathError> {
    SystemPath::parse(&StoreDir::default(), text)
}

fn bounded<T>(items: Vec<T>) -> Result<Vec<T>, MessageError> {
    if items.len() > MAX_ITEMS { Err(MessageError::Items(items.len())) } else { Ok(items) }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum RequestWire {
    Begin { version: u16, host: String },
    Status,
    History { limit: u32 },
    Current,
    Store,
    StoreEnd,
    Receive { lane: String },
    Lane { lane: String },
    Deliver(Raw),
    Follow { order: String },
    Confirm { order: String, nonce: String },
    Abort { order: String },
    Survey { system: String },
    Check(Box<SettingsWire>),
    Reboot { boot_id: String },
    Exec { words: Vec<String>, limit_ms: Option<u64> },
    End,
}

impl From<&Request> for RequestWire {
    fn from(request: &Request) -> Self {
        match request {
            Request::Begin { version, host } => Self::Begin { version: *version, host: host.to_string() },
            Request::Status => Self::Status,
            Request::History { limit } => Self::History { limit: *limit },
            Request::Current => Self::Current,
            Request::Store => Self::Store,
            Request::StoreEnd => Self::StoreEnd,
            Request::Receive { lane } => Self::Receive { lane: lane.as_str().to_owned() },
            Request::Lane { lane } => Self::Lane { lane: lane.as_str().to_owned() },
            Request::Deliver(order) => Self::Deliver(raw(order.to_json())),
            Request::Follow { order } => Self::Follow { order: order.to_string() },
            Request::Confirm { order, nonce } => {
                Self::Confirm { order: order.to_string(), nonce: nonce.as_str().to_owned() }
            }
            Request::Abort { order } => Self::Abort { order: order.to_string() },
            Request::Survey { system } => Self::Survey { system: system.to_string() },
            Request::Check(settings) => Self::Check(Box::new(settings.as_ref().into())),
            Request::Reboot { boot_id } => Self::Reboot { boot_id: boot_id.clone() },
            Request::Exec(Exec { words, limit }) => {
                Self::Exec { words: words.clone(), limit_ms: limit.map(millis) }
            }
            Request::End => Self::End,
        }
    }
}

impl TryFrom<RequestWire> for Request {
    type Error = MessageError;

    fn try_from(wire: RequestWire) -> Result<Self, MessageError> {
        Ok(match wire {
            RequestWire::Begin { version, host } => Self::Begin { version, host: host.parse()? },
            RequestWire::Status => Self::Status,
            RequestWire::History { limit } => Self::History { limit },
            RequestWire::Current => Self::Current,
            RequestWire::Store => Self::Store,
            RequestWire::StoreEnd => Self::StoreEnd,
            RequestWire::Receive { lane } => Self::Receive { lane: lane.parse()? },
            RequestWire::Lane { lane } => Self::Lane { lane: lane.parse()? },
            RequestWire::Deliver(order) => Self::Deliver(Box::new(Order::from_json(bytes(&order))?)),
            RequestWire::Follow { order } => Self::Follow { order: order.parse()? },
            RequestWire::Confirm { order, nonce } => {
                Self::Confirm { order: order.parse()?, nonce: nonce.parse()? }
            }
            RequestWire::Abort { order } => Self::Abort { order: order.parse()? },
            RequestWire::Survey { system } => {
                Self::Survey { system: StorePath::from_base_name(system.as_bytes())? }
            }
            RequestWire::Check(settings) => Self::Check(Box::new((*settings).try_into()?)),
            RequestWire::Reboot { boot_id } => Self::Reboot { boot_id },
            RequestWire::Exec { words, .. } if words.is_empty() => return Err(MessageError::Items(0)),
            RequestWire::Exec { words, limit_ms } => {
                Self::Exec(Exec { words: bounded(words)?, limit: limit_ms.map(Duration::from_millis) })
            }
            RequestWire::End => Self::End,
        })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ReplyWire {
    Hello(HelloWire),
    Status(Raw),
    History { entries: Vec<Raw>, generations: Vec<Raw> },
    Current(Option<Raw>),
    StoreReady,
    LaneReady,
    StoreEnded { error: Option<String> },
    Accepted { order: String },
    Refused(Raw),
    Progress { state: String, text: String, awaits_confirm: bool, left_ms: Option<u64> },
    Ended { order: String, ending: Raw },
    Done(Raw),
    Aborting,
    TooLate(Option<Raw>),
    NotTaken { why: String },
    Survey { refused: Option<String>, unguarded: Option<String> },
    Checked { faults: Vec<String> },
    Rebooting,
    Exited(ExitWire),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ExitWire {
    Code(i32),
    Signal(i32),
    TimedOut,
}

#[derive(Serialize, Deserialize)]
struct HelloWire {
    oldest: u16,
    newest: u16,
    agent: String,
    path: Option<String>,
    platform: String,
    free_store: u64,
    free_boot: Option<u64>,
    running: Option<String>,
    profile: Option<String>,
    default: Raw,
    last: Option<String>,
    pending: Option<String>,
}

impl From<&Reply> for ReplyWire {
    fn from(reply: &Reply) -> Self {
        match reply {
            Reply::Hello(hello) => Self::Hello(hello.as_ref().into()),
            Reply::Status(status) => Self::Status(raw(status.to_json())),
            Reply::History { entries, generations } => Self::History {
                entries: entries.iter().map(|entry| raw(entry.to_json())).collect(),
                generations: generations.iter().map(|generation| raw(generation.to_json())).collect(),
            },
            Reply::Current(order) => Self::Current(order.as_ref().map(|order| raw(order.to_json()))),
            Reply::StoreReady => Self::StoreReady,
            Reply::LaneReady => Self::LaneReady,
            Reply::StoreEnded { error } => Self::StoreEnded { error: error.clone() },
            Reply::Accepted { order } => Self::Accepted { order: order.to_string() },
            Reply::Refused(cause) => Self::Refused(raw(cause.to_json())),
            Reply::Progress(progress) => progress.into(),
            Reply::Ended { order, ending } => {
                Self::Ended { order: order.to_string(), ending: raw(ending.to_json()) }
            }
            Reply::Answer(answer) => answer.into(),
            Reply::Survey(survey) => survey.into(),
            Reply::Checked { faults } => Self::Checked { faults: faults.clone() },
            Reply::Rebooting => Self::Rebooting,
            Reply::Exited(exit) => Self::Exited((*exit).into()),
        }
    }
}

impl From<&Progress> for ReplyWire {
    fn from(progress: &Progress) -> Self {
        let Progress { state, text, awaits_confirm, left } = progress.clone();
        Self::Progress { state, text, awaits_confirm, left_ms: left.map(millis) }
    }
}

impl From<&Survey> for ReplyWire {
    fn from(survey: &Survey) -> Self {
        let Survey { refused, unguarded } = survey.clone();
        Self::Survey { refused, unguarded }
    }
}

impl From<&Answer> for ReplyWire {
    fn from(answer: &Answer) -> Self {
        match answer {
            Answer::Done(ending) => Self::Done(raw(ending.to_json())),
            Answer::Aborting => Self::Aborting,
            Answer::TooLate(ending) => Self::TooLate(ending.as_ref().map(|ending| raw(ending.to_json()))),
            Answer::Refused { why } => Self::NotTaken { why: why.clone() },
        }
    }
}

impl From<Exit> for ExitWire {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Code(code) => Self::Code(code),
            Exit::Signal(signal) => Self::Signal(signal),
            Exit::TimedOut => Self::TimedOut,
        }
    }
}

impl From<ExitWire> for Exit {
    fn from(wire: ExitWire) -> Self {
        match wire {
            ExitWire::Code(code) => Self::Code(code),
            ExitWire::Signal(signal) => Self::Signal(signal),
            ExitWire::TimedOut => Self::TimedOut,
        }
    }
}

impl TryFrom<ReplyWire> for Reply {
    type Error = MessageError;

    fn try_from(wire: ReplyWire) -> Result<Self, MessageError> {
        let ending = |raw: &Raw| Ending::from_json(bytes(raw));
        Ok(match wire {
            ReplyWire::Hello(hello) => Self::Hello(Box::new(hello.try_into()?)),
            ReplyWire::Status(status) => Self::Status(Box::new(HostStatus::from_json(bytes(&status))?)),
            ReplyWire::History { entries, generations } => history(entries, generations)?,
            ReplyWire::Current(order) => {
                let order = order.map(|order| Order::from_json(bytes(&order))).transpose()?;
                Self::Current(order.map(Box::new))
            }
            ReplyWire::StoreReady => Self::StoreReady,
            ReplyWire::LaneReady => Self::LaneReady,
            ReplyWire::StoreEnded { error } => Self::StoreEnded { error },
            ReplyWire::Accepted { order } => Self::Accepted { order: order.parse()? },
            ReplyWire::Refused(cause) => Self::Refused(Cause::from_json(bytes(&cause))?),
            ReplyWire::Progress { state, text, awaits_confirm, left_ms } => {
                let left = left_ms.map(Duration::from_millis);
                Self::Progress(Progress { state, text, awaits_confirm, left })
            }
            ReplyWire::Ended { order, ending: raw } => {
                Self::Ended { order: order.parse()?, ending: ending(&raw)? }
            }
            ReplyWire::Done(raw) => Self::Answer(Answer::Done(ending(&raw)?)),
            ReplyWire::TooLate(raw) => Self::Answer(Answer::TooLate(raw.as_ref().map(ending).transpose()?)),
            ReplyWire::Aborting => Self::Answer(Answer::Aborting),
            ReplyWire::NotTaken { why } => Self::Answer(Answer::Refused { why }),
            ReplyWire::Survey { refused, unguarded } => Self::Survey(Survey { refused, unguarded }),
            ReplyWire::Checked { faults } => Self::Checked { faults: bounded(faults)? },
            ReplyWire::Rebooting => Self::Rebooting,
            ReplyWire::Exited(exit) => Self::Exited(exit.into()),
        })
    }
}

fn history(entries: Vec<Raw>, generations: Vec<Raw>) -> Result<Reply, MessageError> {
    let entries = bounded(entries)?;
    let entries = entries.iter().map(|raw| LastActivation::from_json(bytes(raw)));
    let generations = bounded(generations)?;
    let generations = generations.iter().map(|raw| Generation::from_json(bytes(raw)));
    Ok(Reply::History {
        entries: entries.collect::<Result<_, _>>()?,
        generations: generations.collect::<Result<_, _>>()?,
    })
}

impl From<&Hello> for HelloWire {
    fn from(hello: &Hello) -> Self {
        Self {
            oldest: hello.oldest,
            newest: hello.newest,
            agent: hello.agent.clone(),
            path: hello.path.as_ref().map(ToString::to_string),
            platform: hello.platform.clone(),
            free_store: hello.free_store,
            free_boot: hello.free_boot,
            running: hello.running.as_ref().map(system_text),
            profile: hello.profile.as_ref().map(system_text),
            default: raw(hello.default.to_json()),
            last: hello.last.as_ref().map(ToString::to_string),
            pending: hello.pending.as_ref().map(ToString::to_string),
        }
    }
}

impl TryFrom<HelloWire> for Hello {
    type Error = MessageError;

    fn try_from(wire: HelloWire) -> Result<Self, MessageError> {
        Ok(Self {
            oldest: wire.oldest,
            newest: wire.newest,
            agent: wire.agent,
            path: wire.path.map(|path| StorePath::from_base_name(path.as_bytes())).transpose()?,
            platform: wire.platform,
            free_store: wire.free_store,
            free_boot: wire.free_boot,
            running: wire.running.map(|text| system(&text)).transpose()?,
            profile: wire.profile.map(|text| system(&text)).transpose()?,
            default: LoaderDefault::from_json(bytes(&wire.default))?,
            last: wire.last.map(|id| id.parse()).transpose()?,
            pending: wire.pending.map(|id| id.parse()).transpose()?,
        })
    }
}
