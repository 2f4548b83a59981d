//! NARs of trees on disk, and trees of NARs, as `nix-store --dump` and `nix-store --restore` have them.

mod dump;
mod nar_file;
mod restore;

pub use self::{
    dump::{DumpError, dump},
    nar_file::{NarFile, NarFileError},
    restore::{RestoreError, restore},
};

/// Bytes read or written at once.
const BUFFER: usize = 256 << 10;

#[cfg(test)]
mod tests;
