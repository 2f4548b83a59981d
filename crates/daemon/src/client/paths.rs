//! Questions about paths.

use std::collections::BTreeSet;

use store::{
    path_info::PathInfo,
    signature::Signature,
    store_path::{HashPart, StorePath},
};

use super::Client;
use crate::{
    error::Error,
    limits,
    operation::Operation,
    wire::{Encoder, WireReader},
};

impl Client {
    /// Whether `path` is valid.
    pub fn is_valid_path(&mut self, path: &StorePath) -> Result<bool, Error> {
        self.ask(
            Operation::IsValidPath,
            |request| request.path(path),
            |answer| answer.flag("whether a path is valid"),
        )
    }

    /// Which of `paths` are valid. With `substitute` the daemon first tries to substitute the others.
    pub fn query_valid_paths(
        &mut self,
        paths: &BTreeSet<StorePath>,
        substitute: bool,
    ) -> Result<BTreeSet<StorePath>, Error> {
        self.ask(
            Operation::QueryValidPaths,
            |request| {
                request.paths(paths);
                request.flag(substitute);
            },
            |answer| {
                let expected = "valid paths of those that were asked for";
                let valid: BTreeSet<_> = answer.paths(paths.len() as u64)?;
                match valid.difference(paths).next() {
                    Some(other) => Err(answer.unexpected(expected, other)),
                    None => Ok(valid),
                }
            },
        )
    }

    /// What the store knows of `path`; nothing if it is not valid.
    pub fn query_path_info(&mut self, path: &StorePath) -> Result<Option<PathInfo>, Error> {
        self.ask(
            Operation::QueryPathInfo,
            |request| request.path(path),
            |answer| {
                let is_valid = answer.flag("whether a path is valid")?;
                is_valid.then(|| answer.path_info(path.clone())).transpose()
            },
        )
    }

    /// The valid path with this hash part, if there is one.
    pub fn query_path_from_hash_part(&mut self, hash_part: HashPart) -> Result<Option<StorePath>, Error> {
        self.ask(
            Operation::QueryPathFromHashPart,
            |request| request.text(&hash_part),
            |answer| answer.optional_path("a path or nothing"),
        )
    }

    /// The valid paths that refer to `path`.
    pub fn query_referrers(&mut self, path: &StorePath) -> Result<BTreeSet<StorePath>, Error> {
        self.ask(
            Operation::QueryReferrers,
            |request| request.path(path),
            |answer| answer.paths(limits::PATHS),
        )
    }

    /// Makes `path` valid, by substitution if it is not; fails if it cannot be had.
    pub fn ensure_path(&mut self, path: &StorePath) -> Result<(), Error> {
        self.ask(Operation::EnsurePath, |request| request.path(path), WireReader::acknowledgement)
    }

    /// Adds signatures to a valid path. The daemon does not check them.
    pub fn add_signatures(
        &mut self,
        path: &StorePath,
        signatures: &BTreeSet<Signature>,
    ) -> Result<(), Error> {
        self.ask(
            Operation::AddSignatures,
            |request| {
                request.path(path);
                request.list(signatures, Encoder::text);
            },
            WireReader::acknowledgement,
        )
    }
}
