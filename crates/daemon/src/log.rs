//! What a daemon tells while it works.

use std::fmt;

/// Something the daemon told while it worked on an operation.
///
/// All text is free of escape codes and control characters and cut to
/// [`limits::KEPT_TEXT`](crate::limits::KEPT_TEXT) bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogEvent {
    /// One message, perhaps of several lines.
    Message(String),
    /// An activity begins.
    Start(Activity),
    /// News of an activity.
    Progress {
        /// The activity's number.
        activity: u64,
        /// What is new.
        news: News,
    },
    /// An activity has ended.
    Stop {
        /// The activity's number.
        activity: u64,
    },
}

/// Something the daemon has begun to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Activity {
    /// Its number, unique on the connection while it lasts.
    pub id: u64,
    /// The number of the activity it is part of; 0 for none.
    pub parent: u64,
    /// How much it matters.
    pub verbosity: Verbosity,
    /// What is done.
    pub kind: ActivityKind,
    /// The same in words; may be empty.
    pub text: String,
    /// What it is done to; what they mean depends on the kind. Of a build: the derivation, the machine, and
    /// two numbers without a meaning.
    pub fields: Vec<Field>,
}

/// What kind of thing is done (`ActivityType` in Nix).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActivityKind {
    /// Something without a kind.
    Unknown,
    /// Copying a path between stores.
    CopyPath,
    /// Fetching or sending a file.
    FileTransfer,
    /// All building and substituting of one request.
    Realise,
    /// All copying of one request.
    CopyPaths,
    /// All builds of one request.
    Builds,
    /// One build.
    Build,
    /// Linking equal files of the store.
    OptimiseStore,
    /// Checking paths of the store.
    VerifyPaths,
    /// Substituting a path.
    Substitute,
    /// Asking a substituter.
    QueryPathInfo,
    /// The hook that runs after a build.
    PostBuildHook,
    /// A build that waits, for a lock or a machine.
    BuildWaiting,
    /// Fetching a source tree.
    FetchTree,
    /// One that came after this was written.
    Other(u64),
}

impl ActivityKind {
    pub(crate) const fn new(number: u64) -> Self {
        match number {
            0 => Self::Unknown,
            100 => Self::CopyPath,
            101 => Self::FileTransfer,
            102 => Self::Realise,
            103 => Self::CopyPaths,
            104 => Self::Builds,
            105 => Self::Build,
            106 => Self::OptimiseStore,
            107 => Self::VerifyPaths,
            108 => Self::Substitute,
            109 => Self::QueryPathInfo,
            110 => Self::PostBuildHook,
            111 => Self::BuildWaiting,
            112 => Self::FetchTree,
            other => Self::Other(other),
        }
    }
}

/// News of an activity (`ResultType` in Nix).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// A line that a build has printed.
    BuildLogLine(String),
    /// A line that the hook after a build has printed.
    PostBuildLogLine(String),
    /// The phase a build has come to.
    Phase(String),
    /// A path that is not signed by a trusted key.
    UntrustedPath(String),
    /// A path whose content is not what it should be.
    CorruptedPath(String),
    /// What is going on in a fetch.
    FetchStatus(String),
    /// How far it has come.
    Done {
        /// How much is done, in bytes or in number, as the kind of the activity has it.
        done: u64,
        /// How much there is to do, as far as is known.
        expected: u64,
        /// How much is being done.
        running: u64,
        /// How much has failed.
        failed: u64,
    },
    /// How much there is to do in activities of a kind.
    Expected {
        /// The kind.
        kind: ActivityKind,
        /// How much.
        expected: u64,
    },
    /// Something else, or one of the above with other fields than are known.
    Other {
        /// Nix's number of the kind.
        kind: u64,
        /// What is told.
        fields: Vec<Field>,
    },
}

impl News {
    pub(crate) fn new(kind: u64, mut fields: Vec<Field>) -> Self {
        match (kind, fields.as_mut_slice()) {
            (101, [Field::Text(line)]) => Self::BuildLogLine(std::mem::take(line)),
            (102, [Field::Text(path)]) => Self::UntrustedPath(std::mem::take(path)),
            (103, [Field::Text(path)]) => Self::CorruptedPath(std::mem::take(path)),
            (104, [Field::Text(phase)]) => Self::Phase(std::mem::take(phase)),
            (
                105,
                &mut [
                    Field::Number(done),
                    Field::Number(expected),
                    Field::Number(running),
                    Field::Number(failed),
                ],
            ) => Self::Done { done, expected, running, failed },
            (106, &mut [Field::Number(kind), Field::Number(expected)]) => {
                Self::Expected { kind: ActivityKind::new(kind), expected }
            }
            (107, [Field::Text(line)]) => Self::PostBuildLogLine(std::mem::take(line)),
            (108, [Field::Text(status)]) => Self::FetchStatus(std::mem::take(status)),
            _ => Self::Other { kind, fields },
        }
    }
}

/// One value of an activity or its news.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Field {
    /// A number.
    Number(u64),
    /// A text.
    Text(String),
}

/// How much a message matters; also how much a daemon shall tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verbosity {
    /// Errors only.
    Error,
    /// And warnings.
    Warn,
    /// And notices.
    Notice,
    /// And what is built, copied and fetched.
    Info,
    /// And what Nix's authors find interesting.
    Talkative,
    /// And more of it.
    Chatty,
    /// And what helps to find mistakes in Nix.
    Debug,
    /// And everything else.
    Vomit,
}

impl Verbosity {
    /// Nix's number of it; numbers beyond the last mean the last.
    pub(crate) const fn new(number: u64) -> Self {
        match number {
            0 => Self::Error,
            1 => Self::Warn,
            2 => Self::Notice,
            3 => Self::Info,
            4 => Self::Talkative,
            5 => Self::Chatty,
            6 => Self::Debug,
            _ => Self::Vomit,
        }
    }

    pub(crate) const fn number(self) -> u64 {
        self as u64
    }
}

/// Where the events of a connection go.
pub(crate) struct LogSink(Box<dyn FnMut(LogEvent) + Send>);

impl LogSink {
    pub(crate) fn new(handler: impl FnMut(LogEvent) + Send + 'static) -> Self {
        Self(Box::new(handler))
    }

    pub(crate) fn emit(&mut self, event: LogEvent) {
        (self.0)(event);
    }
}

impl Default for LogSink {
    /// Nowhere.
    fn default() -> Self {
        Self::new(|_| {})
    }
}

impl fmt::Debug for LogSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LogSink")
    }
}
