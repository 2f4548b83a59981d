//! The stored form of identities, version 1: a line that says so, then of each identity the 32 bytes of its key and its
//! own 20, what was used last first, then the SHA-256 of all of that. What it is computed with is part of the key.

use delta::equivalence::{Identity, Key};
use store::{hash::Sha256, store_path::HashPart};

/// What every such file begins with.
const MAGIC: &[u8] = b"lockstep identities 1\n";

const KEY: usize = 32;
const RECORD: usize = KEY + HashPart::LEN;
const CHECKSUM: usize = 32;

/// Most identities that are kept, those of some twenty large systems.
pub(super) const MAX_RECORDS: usize = 1 << 16;

/// Most bytes that a file can have, 3.4 MB.
pub(super) const MAX_FILE: u64 = (MAGIC.len() + MAX_RECORDS * RECORD + CHECKSUM) as u64;

/// The bytes of a file with the first [`MAX_RECORDS`] of `records`.
pub(super) fn encode(records: impl IntoIterator<Item = (Key, Identity)>) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    for (key, identity) in records.into_iter().take(MAX_RECORDS) {
        bytes.extend_from_slice(&key.0.0);
        bytes.extend_from_slice(&identity.0);
    }
    let checksum = Sha256::of(&bytes);
    bytes.extend_from_slice(&checksum.0);
    bytes
}

/// What is in a file, if it is a whole one of this version.
pub(super) fn decode(bytes: &[u8]) -> Option<Vec<(Key, Identity)>> {
    if bytes.len() as u64 > MAX_FILE {
        return None;
    }
    let (content, checksum) = bytes.split_last_chunk::<CHECKSUM>()?;
    if Sha256::of(content).0 != *checksum {
        return None;
    }
    let (records, rest) = content.strip_prefix(MAGIC)?.as_chunks::<RECORD>();
    rest.is_empty().then(|| records.iter().map(record).collect())
}

fn record(bytes: &[u8; RECORD]) -> (Key, Identity) {
    let (mut key, mut identity) = ([0; KEY], [0; HashPart::LEN]);
    key.copy_from_slice(&bytes[..KEY]);
    identity.copy_from_slice(&bytes[KEY..]);
    (Key(Sha256(key)), Identity(identity))
}
