//! Runs `fuzz_messages` of the library beside it.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz_daemon::fuzz_messages(data));
