//! Runs `fuzz_greeting` of the library beside it.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz_daemon::fuzz_greeting(data));
