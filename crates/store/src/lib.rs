//! Nix's words and formats, and nothing that acts on them.
//!
//! This crate reads and writes what Nix keeps in its store, on its wire and in its caches. It is pure: bytes
//! and values in, bytes and values out. It touches no file, process, socket or clock, so it can be tested,
//! fuzzed and trusted with whatever a stranger sends.
//!
//! | module | what it knows | Nix's own page or source |
//! |---|---|---|
//! | [`base32`] | the alphabet of hashes | `base-nix-32.cc` |
//! | [`hash`] | hashes in base-16, base-32, base-64 and SRI form | `hash.cc` |
//! | [`store_path`] | store directories, hash parts, names | manual: *Store Path Specification* |
//! | [`name`] | package names, versions and their order | `names.cc` |
//! | [`signature`] | ed25519 keys and signatures | `local-keys.cc` |
//! | [`content_address`] | paths whose names follow from their content | manual: *Content-Addressing Store Objects* |
//! | [`path_info`] | what a store knows of a path; its fingerprint | `path-info.cc` |
//! | [`closure`] | paths with all they refer to, in order | |
//! | [`nar`] | trees of files as bytes: decoder, encoder, size, listing | manual: *Nix Archive (NAR) format* |
//! | [`references`] | which paths some bytes mention; hashes that leave the own name out | `references.cc` |
//! | [`narinfo`] | what a binary cache says of a path | `nar-info.cc` |
//! | [`derivation`] | `.drv` texts, and where their outputs go | `derivations.cc` |
//!
//! Three rules hold everywhere:
//!
//! * **One text for one value.** A parser takes what its printer writes; where Nix itself reads more than one
//!   form (hashes, narinfo), what is taken is written in Nix's form.
//! * **Claims take no memory.** Nothing is allocated for a length that was only announced.
//! * **Errors are values.** Each says what was expected, and for anything longer than a name at which byte.
//!
//! # Example
//!
//! The path that `nix-store --add` gives a directory `t` with one file in it:
//!
//! ```
//! use store::{
//!     content_address::{ContentAddress, References},
//!     hash::Sha256,
//!     nar::{Encoder, Event},
//!     store_path::StoreDir,
//! };
//!
//! let mut encoder = Encoder::new(Vec::new());
//! encoder.write(Event::Directory { name: b"" })?;
//! encoder.write(Event::File { name: b"f", executable: false, size: 6 })?;
//! encoder.write(Event::Contents(b"hello\n"))?;
//! encoder.write(Event::EndFile)?;
//! encoder.write(Event::EndDirectory)?;
//! let nar = encoder.finish()?;
//!
//! let address = ContentAddress::Nar(Sha256::of(&nar).into());
//! let path = address.store_path(&StoreDir::default(), &"t".parse()?, &References::default())?;
//! assert_eq!(path.to_string(), "0bkfhz0v2jcyj2m7hwzdzmywav298dl2-t");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod base32;
pub mod closure;
pub mod content_address;
pub mod derivation;
mod excerpt;
pub mod hash;
pub mod name;
pub mod nar;
pub mod narinfo;
pub mod path_info;
pub mod references;
pub mod signature;
pub mod store_path;

pub use excerpt::excerpt;
