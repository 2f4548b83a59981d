//! What is accepted from a daemon at most. Beyond a limit the connection is given up.
//!
//! Whatever the daemon claims, memory is taken only for what has really come.

/// Bytes of one answer that are kept, all its strings together: the 300 or so bytes of a store path and its place in
/// memory, for the million paths of the largest stores.
pub const ANSWER: u64 = 256 << 20;

/// As [`ANSWER`], of what is known of many paths, about 1000 bytes for each.
pub const PATH_INFOS: u64 = 1 << 30;

/// Paths in an answer that lists paths. The largest known stores have some hundred thousand.
pub const PATHS: u64 = 1 << 20;

/// Bytes of a path: Linux's `PATH_MAX` for the store's directory, and the longest name behind it.
pub const PATH: u64 = 4096 + 256;

/// Signatures of one path, each of at most [`SIGNATURE`] bytes. Any user of a host may add some to any path.
pub const SIGNATURES: u64 = 1 << 16;

/// Bytes of a signature. A key's name has at most 512, the signature itself 88; longer ones are no
/// signatures, but whoever added them must not be able to stop us.
pub const SIGNATURE: u64 = 1 << 20;

/// Bytes of a log line or an error message. A build may write lines of any length, and a daemon that sends one
/// has it in memory; a length beyond this is no length, but a sign that the two sides no longer agree on where
/// they are.
pub const TEXT: u64 = 1 << 40;

/// Bytes of a log line or an error message that are kept, before and after it is made fit for a terminal; the
/// rest is thrown away as it comes.
pub const KEPT_TEXT: u64 = 64 << 10;

/// Traces of an error that are accepted.
pub const TRACES: u64 = 1 << 16;

/// Traces of an error that are kept.
pub const KEPT_TRACES: usize = 64;

/// Fields of a log event; Nix sends at most six.
pub const FIELDS: u64 = 64;

/// Names of protocol features in the handshake; Nix has five.
pub const FEATURES: u64 = 1024;

/// Bytes of a version, a feature's name or another short word.
pub const WORD: u64 = 1024;

/// Outputs of one derivation. The largest derivations known have some dozens.
pub const OUTPUTS: u64 = 1 << 12;

/// Bytes of the JSON text that describes one built output, its signatures and what it was built from.
pub const REALISATION: u64 = 1 << 20;
