//! How a connection begins: magic numbers, versions, features, and who the daemon is.

use std::{fmt, io::Write};

use thiserror::Error;

use crate::{
    error::{Error, Failure, ReadError},
    limits,
    log::LogSink,
    operation::Operation,
    stderr,
    text::plain,
    wire::WireReader,
};

/// What a client says first.
const CLIENT_MAGIC: u64 = 0x6e69_7863;
/// What a daemon says first.
const DAEMON_MAGIC: u64 = 0x6478_696f;

/// A version of the worker protocol.
///
/// On the wire the major version is the second byte and the minor version the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProtocolVersion {
    /// The major version; 1 since ever.
    pub major: u8,
    /// The minor version.
    pub minor: u8,
}

impl ProtocolVersion {
    /// The oldest that is spoken here: that of Nix 2.15 and of every Lix.
    pub const OLDEST: Self = Self { major: 1, minor: 35 };

    /// The newest that is spoken here: that of Nix since 2.24. Later daemons add features to it instead.
    pub const NEWEST: Self = Self { major: 1, minor: 38 };

    /// The first with CPU times in build results, that of Nix 2.20.
    pub(crate) const CPU_TIMES: Self = Self { major: 1, minor: 37 };

    /// The first with features in the handshake.
    const FEATURES: Self = Self { major: 1, minor: 38 };

    const fn number(self) -> u64 {
        (self.major as u64) << 8 | self.minor as u64
    }

    fn from_number(number: u64) -> Option<Self> {
        let [minor, major] = u16::try_from(number).ok()?.to_le_bytes();
        Some(Self { major, minor })
    }
}

impl fmt::Display for ProtocolVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// Whether the daemon believes what this client says of paths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// The client may add paths without signatures, and set any option.
    Trusted,
    /// The client may only add what a trusted key has signed or what is addressed by its content.
    NotTrusted,
    /// The daemon cannot tell, for it only passes on what another store says.
    Unknown,
}

/// Who the daemon is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// The version both speak.
    pub protocol: ProtocolVersion,
    /// The version of the daemon's Nix, such as `2.34.8`; Lix writes its name into it.
    pub nix_version: String,
    /// Whether it trusts this client.
    pub trust: Trust,
}

/// Why there is no connection.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// Something else answers.
    #[error("this is no Nix daemon: expected its magic number {DAEMON_MAGIC:#x}, found {found:#x}")]
    NotADaemon {
        /// The first eight bytes it sent.
        found: u64,
    },
    /// The daemon speaks no version that is spoken here.
    #[error(
        "the Nix daemon speaks protocol {}, needed is {} or a later {}.x: it is too old or too new, \
         every Nix since 2.15 and every Lix will do",
        .found.map_or("of an unknown form".to_owned(), |version| version.to_string()),
        ProtocolVersion::OLDEST,
        ProtocolVersion::OLDEST.major
    )]
    Version {
        /// The version, unless it has not even the form of one.
        found: Option<ProtocolVersion>,
    },
    /// The exchange failed.
    #[error(transparent)]
    Exchange(#[from] Error),
}

impl From<Failure> for ConnectError {
    /// A daemon that refuses the greeting leaves.
    fn from(failure: Failure) -> Self {
        let failure = match failure {
            Failure::Daemon(error) => Failure::LastWords(error),
            failure => failure,
        };
        Self::Exchange(Error::new(Operation::Handshake, failure))
    }
}

impl From<ReadError> for ConnectError {
    fn from(error: ReadError) -> Self {
        Failure::Read(error).into()
    }
}

/// Greets the daemon: offers `newest` without features.
pub(crate) fn handshake(
    reader: &mut WireReader,
    writer: &mut dyn Write,
    newest: ProtocolVersion,
) -> Result<Peer, ConnectError> {
    let newest = newest.min(ProtocolVersion::NEWEST);
    send(writer, &[CLIENT_MAGIC, newest.number()])?;
    let magic = reader.number("the daemon's magic number")?;
    if magic != DAEMON_MAGIC {
        return Err(ConnectError::NotADaemon { found: magic });
    }
    let protocol = agree(newest, reader.number("the daemon's protocol version")?)?;
    if protocol >= ProtocolVersion::FEATURES {
        let no_features = 0;
        send(writer, &[no_features])?;
        // What the daemon could do besides; it does none of it unless both named it.
        let _theirs: Vec<_> = reader.list("a list of features", limits::FEATURES, |reader| {
            reader.string("a feature", limits::WORD)
        })?;
    }
    let (no_cpu_affinity, no_reserved_space) = (0, 0);
    send(writer, &[no_cpu_affinity, no_reserved_space])?;
    let nix_version = plain(&reader.text("the version of Nix", limits::WORD)?).trim_end().to_owned();
    let trust = read_trust(reader)?;
    stderr::drain(reader, &mut LogSink::default())?;
    Ok(Peer { protocol, nix_version, trust })
}

/// The version to speak with a daemon whose newest version has this number.
fn agree(newest: ProtocolVersion, number: u64) -> Result<ProtocolVersion, ConnectError> {
    let found = ProtocolVersion::from_number(number);
    found
        .filter(|theirs| theirs.major == newest.major)
        .map(|theirs| theirs.min(newest))
        .filter(|agreed| *agreed >= ProtocolVersion::OLDEST)
        .ok_or(ConnectError::Version { found })
}

fn send(writer: &mut dyn Write, numbers: &[u64]) -> Result<(), Failure> {
    let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
    writer.write_all(&bytes).and_then(|()| writer.flush()).map_err(Failure::Write)
}

fn read_trust(reader: &mut WireReader) -> Result<Trust, ReadError> {
    let expected = "whether the daemon trusts the client, 0 to 2";
    match reader.number(expected)? {
        0 => Ok(Trust::Unknown),
        1 => Ok(Trust::Trusted),
        2 => Ok(Trust::NotTrusted),
        other => Err(reader.unexpected(expected, other)),
    }
}

#[cfg(test)]
mod tests;
