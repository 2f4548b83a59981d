//! `lockstep`, the operator's program.

fn main() {}
