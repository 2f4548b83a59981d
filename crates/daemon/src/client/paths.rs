//! Questions about paths.

use std::{
    collections::{BTreeMap, BTreeSet},
    iter::Peekable,
};

use store::{
    path_info::PathInfo,
    signature::Signature,
    store_path::{HashPart, StorePath},
};

use super::{Client, SMALL_REQUEST};
use crate::{
    error::{Error, Failure, ReadError},
    limits,
    operation::Operation,
    stderr,
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
        let operation = Operation::QueryPathInfo;
        self.ask(operation, |request| request.path(path), |answer| read_info(answer, path))
    }

    /// What the store knows of each of `paths` that is valid.
    ///
    /// The questions are sent some hundred at once, so that not every answer is waited for. After an error that
    /// leaves the connection usable the others of those hundred were answered, and are thrown away.
    pub fn query_path_infos(
        &mut self,
        paths: &BTreeSet<StorePath>,
    ) -> Result<BTreeMap<StorePath, PathInfo>, Error> {
        let operation = Operation::QueryPathInfo;
        self.check_usable(operation)?;
        let mut infos = BTreeMap::new();
        let mut budget = limits::PATH_INFOS;
        let mut paths = paths.iter().peekable();
        while paths.peek().is_some() {
            self.begin(operation)?;
            let (asked, requests) = self.questions(operation, &mut paths);
            let answers = self.send(&requests).and_then(|()| self.read_infos(&asked, &mut budget));
            infos.extend(self.end(operation, answers)?);
        }
        Ok(infos)
    }

    /// Takes as many of `paths` as can be asked for at once, and says what to send for them.
    fn questions<'p>(
        &self,
        operation: Operation,
        paths: &mut Peekable<impl Iterator<Item = &'p StorePath>>,
    ) -> (Vec<&'p StorePath>, Vec<u8>) {
        let (mut asked, mut requests) = (Vec::new(), Vec::new());
        while let Some(path) = paths.peek().copied() {
            let request = self.encode(operation, |request| request.path(path));
            if !asked.is_empty() && requests.len() + request.len() > SMALL_REQUEST {
                break;
            }
            requests.extend(request);
            asked.extend(paths.next());
        }
        (asked, requests)
    }

    /// Reads the answers to the questions about the paths `asked` for, at most `budget` bytes of strings.
    fn read_infos(
        &mut self,
        asked: &[&StorePath],
        budget: &mut u64,
    ) -> Result<Vec<(StorePath, PathInfo)>, Failure> {
        let mut infos = Vec::new();
        let mut refused = None;
        for path in asked {
            let told = stderr::drain(&mut self.reader, &mut self.log);
            self.reader.limit_answer(*budget);
            match told.and_then(|()| Ok(read_info(&mut self.reader, path)?)) {
                Ok(info) => infos.extend(info.map(|info| ((*path).clone(), info))),
                Err(failure) if failure.is_in_order() => refused = refused.or(Some(failure)),
                Err(failure) => return Err(failure.after(refused)),
            }
            *budget -= self.reader.spent(*budget);
        }
        refused.map_or(Ok(infos), Err)
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

fn read_info(answer: &mut WireReader, path: &StorePath) -> Result<Option<PathInfo>, ReadError> {
    let is_valid = answer.flag("whether a path is valid")?;
    is_valid.then(|| answer.path_info(path.clone())).transpose()
}
