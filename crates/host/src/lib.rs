//! The activation's effects on a real machine.
