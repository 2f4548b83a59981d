//! Runs `fuzz_words` of the library beside it.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz_transfer::fuzz_words(data));
