//! Nix's words and formats.

pub mod base32;
pub mod closure;
pub mod content_address;
pub mod hash;
pub mod name;
pub mod nar;
pub mod narinfo;
pub mod path_info;
pub mod references;
pub mod signature;
pub mod store_path;
