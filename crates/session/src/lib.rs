//! What operator and agent say to each other, over any byte stream: a magic, then frames, each on a channel; on the
//! control channel requests and replies.
//!
//! ```text
//! agent      MAGIC, then Reply::Hello
//! operator   (only after the magic was seen) Request::Begin with the version that both speak
//! operator   a request; agent: its reply or replies; and so on, one request at a time, except that
//!            Confirm and Abort may be sent while Follow goes on
//! operator   Request::End, or the end of the stream
//! ```
//!
//! Between [`Request::Store`] and [`Request::StoreEnd`] the store channel carries Nix's worker protocol in both
//! directions, unchanged. Other requests may be made meanwhile ([`Request::Deliver`] is: the daemon's temporary roots
//! last as long as the channel), but not while bytes for the store are on their way: a slow store slows the operator,
//! and a request behind its bytes waits with them.
//!
//! After [`Request::Receive`] the paths channel carries what crate `transfer` says, in both directions. The same holds
//! of requests behind its bytes.
//!
//! Pure: bytes and values in, bytes and values out.

mod frame;
mod message;
mod wire;

pub use frame::{Channel, Frame, FrameError, Header, MAX_DATA, MAX_PAYLOAD, read_frame, write_frame};
pub use message::{Answer, Exec, Exit, Hello, Progress, Reply, Request, Survey};
pub use wire::MessageError;

/// What an agent writes first: its own words begin here, after whatever a login shell has printed.
pub const MAGIC: &[u8; 16] = b"\0lockstep-agent\0";
/// The version of what is said here. Version 2 knows of reboots, version 3 of store paths on a channel of their own.
pub const VERSION: u16 = 3;
/// The state in [`Progress`] of a host that is rebooted unless somebody comes over a new connection.
pub const AWAITS_CONTACT: &str = "awaiting-contact";
/// The oldest version that is still understood.
pub const OLDEST: u16 = 1;

/// The version from which on both know of reboots: surveys, checks, and orders of mode `reboot`.
pub const REBOOTS: u16 = 2;

/// The version from which on both know of store paths on a channel of their own.
pub const RECEIVES: u16 = 3;

/// The version in which an operator and an agent talk, if they have one in common.
#[must_use]
pub fn common_version(theirs: std::ops::RangeInclusive<u16>) -> Option<u16> {
    let version = VERSION.min(*theirs.end());
    (version >= OLDEST && version >= *theirs.start()).then_some(version)
}
