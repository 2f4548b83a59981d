//! The Nix worker protocol over any byte stream the caller brings.
//!
//! A [`Stream`] is the socket of a daemon, the two pipes of `nix-daemon --stdio`, or what an ssh makes of the
//! latter. A [`Client`] greets the daemon at its other end, offers protocol 1.38 without features and accepts
//! 1.35 to 1.38, which is every Nix since 2.15 and every Lix.
//!
//! ```no_run
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use daemon::{Client, DEFAULT_SOCKET, Stream};
//! use store::store_path::StoreDir;
//!
//! let stream = Stream::connect(DEFAULT_SOCKET.as_ref())?;
//! let mut client = Client::connect(stream, StoreDir::default())?;
//! let path = "g1w7hy3qg1w7hy3qg1w7hy3qg1w7hy3q-foo".parse()?;
//! if let Some(info) = client.query_path_info(&path)? {
//!     println!("{path} has {} bytes", info.nar_size);
//! }
//! # Ok(()) }
//! ```
//!
//! What holds of every operation:
//! - **Foreign bytes.** Lengths have [limits], memory is taken only for what has come, and text for people is
//!   free of escape codes.
//! - **Errors.** Every one says what was asked and whether the connection can still be used. One that cannot
//!   is not used again.
//! - **No deadlock.** While more is sent than the system buffers, another thread reads what the daemon tells.
//! - **Time.** It blocks. A peer that does nothing for ever is left with [`Hangup`], from another thread.
//!
//! [`files`] makes NARs of trees on disk, and trees of NARs.

mod client;
mod derived_path;
mod error;
#[cfg(test)]
mod fake;
pub mod files;
mod framed;
mod handshake;
pub mod limits;
mod log;
mod operation;
mod stderr;
mod stream;
mod text;
mod wire;

pub use self::{
    client::{
        AddPolicy, BuildMode, BuildResult, BuildStatus, Client, Collected, ContentMethod, GarbageAction,
        Missing, NarError, Options, Root, UploadError,
    },
    derived_path::{DerivedPath, OutputNames},
    error::{DaemonError, Error, ProtocolError},
    handshake::{ConnectError, Peer, ProtocolVersion, Trust},
    log::{Activity, ActivityKind, Field, LogEvent, News, Verbosity},
    operation::Operation,
    stream::{DEFAULT_SOCKET, Hangup, Stream},
    text::plain,
};
