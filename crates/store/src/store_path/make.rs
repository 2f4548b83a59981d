//! The one formula that every computed store path comes from.

use super::{HashPart, StoreDir, StorePath, StorePathName};
use crate::hash::Sha256;

/// The path whose hash part is SHA-256 of `<kind>:sha256:<digest in hexadecimal>:<store>:<name>`, folded to
/// 160 bits (`makeStorePath` in Nix).
///
/// `kind` says what `digest` is of: `source:<references>`, `text:<references>` or `output:<output name>`.
pub(crate) fn make_store_path(
    store_dir: &StoreDir,
    kind: &str,
    digest: Sha256,
    name: &StorePathName,
) -> StorePath {
    let description = format!("{kind}:sha256:{}:{store_dir}:{name}", digest.to_base16());
    let hash_part = fold(Sha256::of(description.as_bytes()));
    StorePath::new(hash_part, name.clone())
}

/// Folds a digest over itself by exclusive or (`compressHash` in Nix).
fn fold(digest: Sha256) -> HashPart {
    let mut folded = [0; HashPart::LEN];
    for (index, byte) in digest.0.into_iter().enumerate() {
        folded[index % HashPart::LEN] ^= byte;
    }
    HashPart(folded)
}
