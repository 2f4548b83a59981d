//! Nix's words and formats.

pub mod base32;
pub mod hash;
pub mod name;
pub mod store_path;
