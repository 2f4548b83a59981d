//! Runs `fuzz_version` of the library beside it.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::fuzz_version(data));
