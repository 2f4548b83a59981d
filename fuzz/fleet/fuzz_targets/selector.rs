//! Runs `fuzz_selector` of the library beside it.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz_fleet::fuzz_selector(data));
