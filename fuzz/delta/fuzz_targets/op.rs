//! Runs `fuzz_op` of the library beside it.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz_delta::fuzz_op(data));
