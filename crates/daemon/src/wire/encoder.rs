//! Writes what a client says, into memory.

use std::fmt::Display;

use store::{
    nar::padding,
    path_info::PathInfo,
    store_path::{StoreDir, StorePath},
};

/// Bytes on their way to the daemon.
#[derive(Debug, Clone)]
pub(crate) struct Encoder<'s> {
    bytes: Vec<u8>,
    store_dir: &'s StoreDir,
}

impl<'s> Encoder<'s> {
    pub(crate) fn new(store_dir: &'s StoreDir) -> Self {
        Self { bytes: Vec::new(), store_dir }
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    pub(crate) fn store_dir(&self) -> &'s StoreDir {
        self.store_dir
    }

    pub(crate) fn number(&mut self, number: u64) {
        self.bytes.extend_from_slice(&number.to_le_bytes());
    }

    pub(crate) fn flag(&mut self, flag: bool) {
        self.number(flag.into());
    }

    pub(crate) fn string(&mut self, string: &[u8]) {
        let length = string.len() as u64;
        self.number(length);
        self.bytes.extend_from_slice(string);
        self.bytes.resize(self.bytes.len() + padding(length), 0);
    }

    pub(crate) fn text(&mut self, text: &impl Display) {
        self.string(text.to_string().as_bytes());
    }

    pub(crate) fn path(&mut self, path: &StorePath) {
        self.text(&self.store_dir.display(path));
    }

    /// A path, or an empty string.
    pub(crate) fn optional_path(&mut self, path: Option<&StorePath>) {
        match path {
            Some(path) => self.path(path),
            None => self.string(b""),
        }
    }

    /// A list whose elements are written by `write`.
    pub(crate) fn list<T>(
        &mut self,
        items: impl IntoIterator<Item = T, IntoIter: ExactSizeIterator>,
        mut write: impl FnMut(&mut Self, T),
    ) {
        let items = items.into_iter();
        self.number(items.len() as u64);
        items.for_each(|item| write(self, item));
    }

    pub(crate) fn paths<'p>(
        &mut self,
        paths: impl IntoIterator<Item = &'p StorePath, IntoIter: ExactSizeIterator>,
    ) {
        self.list(paths, Self::path);
    }

    /// What is known of a path, without the path itself (`UnkeyedValidPathInfo` in Nix).
    pub(crate) fn path_info(&mut self, info: &PathInfo) {
        self.optional_path(info.deriver.as_ref());
        self.text(&info.nar_hash.to_base16());
        self.paths(&info.references);
        self.number(info.registration_time);
        self.number(info.nar_size);
        self.flag(info.ultimate);
        self.list(&info.signatures, Self::text);
        match &info.content_address {
            Some(address) => self.text(address),
            None => self.string(b""),
        }
    }
}
