//! `lockstep-agent`, see the library.

fn main() {}
