//! What must hold whatever the other side of a transfer says, one function for each side.
//!
//! The fuzz targets call these with bytes that the fuzzer makes up, and the test `corpus` of crate `transfer` with the
//! bytes that are kept in `corpus/`. Each panics if its property does not hold.

use transfer::walk;

/// A sender's stream ends with its end or with an error, and every path that came had bytes.
pub fn fuzz_stream(data: &[u8]) {
    if let Ok(paths) = walk::stream(data) {
        assert!(paths <= transfer::MAX_PATHS);
    }
}

/// A receiver's words are read as they are written, or refused.
pub fn fuzz_words(data: &[u8]) {
    if let Ok(words) = walk::words(data) {
        assert!(words <= data.len());
    }
}
