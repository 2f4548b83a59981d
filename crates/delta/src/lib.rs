//! What crosses the wire instead of a store path: pairing, hash rewriting, patches, equivalence.
//!
//! A rebuilt path usually differs little from the one that a host has, often only in the hashes of what it refers
//! to. This crate says which old path each new one is like, and makes and applies the difference. It is pure: it
//! reads no store, speaks no protocol and compresses only what it is given.
//!
//! | module | what it knows |
//! |---|---|
//! | [`pairing`] | which path of an old closure each path of a new one is like: its base |
//! | [`references`] | which references of the base became which of the new path |
//! | [`rewrite`] | replaces the hashes of references in raw NAR bytes, all at once |
//! | [`window`] | a NAR in pieces, each a zstd frame on a rewritten piece of the base |
//! | [`op`] | what is sent for one path: a rewrite, a patch, or all of it |
//! | [`equivalence`] | which paths are equal but for the hashes of what they refer to; two closures compared |
//!
//! The format, its limits and what was measured are in `docs/transfer.md`.
//!
//! **Memory.** Whoever applies a patch holds one piece of the base ([`window::MAX_BASE`], and 62 bytes), one piece
//! of the result ([`window::MAX_TARGET`]) and one frame, whatever the size of the NAR.

#[cfg(test)]
mod cases;
pub mod equivalence;
mod likeness;
pub mod op;
pub mod pairing;
pub mod references;
pub mod rewrite;
pub mod window;
pub mod wire;
