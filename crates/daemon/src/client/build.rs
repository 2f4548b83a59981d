//! Building: what it would take, doing it, and how it went.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use serde::Deserialize;
use store::{derivation::OutputName, store_path::StorePath};

use super::Client;
use crate::{
    derived_path::DerivedPath,
    error::{Error, ReadError},
    handshake::{ProtocolVersion, Trust},
    limits,
    operation::Operation,
    wire::{Encoder, WireReader, quoted},
};

/// What it would take to make some paths valid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// Derivations that would be built.
    pub will_build: BTreeSet<StorePath>,
    /// Paths that would be substituted.
    pub will_substitute: BTreeSet<StorePath>,
    /// Paths that can neither be built nor substituted.
    pub unknown: BTreeSet<StorePath>,
    /// Bytes to fetch, as far as substituters tell.
    pub download_size: u64,
    /// Bytes of the NARs of what would be substituted, as far as substituters tell.
    pub nar_size: u64,
}

/// What to do with what is valid already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BuildMode {
    /// Nothing.
    Normal,
    /// Compare its content with what it should be, and restore it. Only trusted clients may ask for it.
    Repair,
    /// Build it again and compare.
    Check,
}

/// How a build or substitution ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BuildStatus {
    /// It was built.
    Built,
    /// It was substituted.
    Substituted,
    /// It was valid before.
    AlreadyValid,
    /// It is the same as another derivation whose outputs were valid before.
    ResolvesToAlreadyValid,
    /// Its builder failed.
    PermanentFailure,
    /// It was refused before it was built.
    InputRejected,
    /// What it made was refused, for a wrong hash for example.
    OutputRejected,
    /// It failed in a way that may not repeat.
    TransientFailure,
    /// It was known to fail.
    CachedFailure,
    /// It took too long, or printed nothing for too long.
    TimedOut,
    /// It failed otherwise.
    MiscFailure,
    /// Something it needs failed.
    DependencyFailed,
    /// It printed too much.
    LogLimitExceeded,
    /// A second build came out different.
    NotDeterministic,
    /// No substituter has it and it cannot be built.
    NoSubstituters,
    /// A status that came after this was written. It counts as a failure.
    Other(u64),
}

impl BuildStatus {
    /// Whether the outputs are valid now.
    #[must_use]
    pub fn is_success(self) -> bool {
        matches!(self, Self::Built | Self::Substituted | Self::AlreadyValid | Self::ResolvesToAlreadyValid)
    }

    pub(super) const fn new(number: u64) -> Self {
        match number {
            0 => Self::Built,
            1 => Self::Substituted,
            2 => Self::AlreadyValid,
            3 => Self::PermanentFailure,
            4 => Self::InputRejected,
            5 => Self::OutputRejected,
            6 => Self::TransientFailure,
            7 => Self::CachedFailure,
            8 => Self::TimedOut,
            9 => Self::MiscFailure,
            10 => Self::DependencyFailed,
            11 => Self::LogLimitExceeded,
            12 => Self::NotDeterministic,
            13 => Self::ResolvesToAlreadyValid,
            14 => Self::NoSubstituters,
            other => Self::Other(other),
        }
    }
}

/// How one thing that was to be built came out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildResult {
    /// What was to be built.
    pub path: DerivedPath,
    /// How it ended.
    pub status: BuildStatus,
    /// What went wrong, in the daemon's words without escape codes; empty after a success.
    pub error: String,
    /// How often it was built. Nix 2.34 says 0 after every build.
    pub times_built: u64,
    /// Whether a second build is known to have come out different.
    pub is_non_deterministic: bool,
    /// When it began, in seconds since 1970; 0 if not known, and always from Nix 2.34.
    pub start_time: u64,
    /// When it ended, likewise.
    pub stop_time: u64,
    /// Time its processes spent in user code, if known; never before Nix 2.20.
    pub cpu_user: Option<Duration>,
    /// Time the system worked for its processes, likewise.
    pub cpu_system: Option<Duration>,
    /// The outputs by name, if a derivation succeeded.
    pub outputs: BTreeMap<OutputName, StorePath>,
}

impl Client {
    /// What building or substituting `paths` would take.
    pub fn query_missing(&mut self, paths: &[DerivedPath]) -> Result<Missing, Error> {
        self.ask(
            Operation::QueryMissing,
            |request| request.list(paths, write_path),
            |answer| {
                Ok(Missing {
                    will_build: answer.paths(limits::PATHS)?,
                    will_substitute: answer.paths(limits::PATHS)?,
                    unknown: answer.paths(limits::PATHS)?,
                    download_size: answer.number("a download size")?,
                    nar_size: answer.number("a NAR size")?,
                })
            },
        )
    }

    /// Builds or substitutes `paths` and says how each went, in their order: that one has failed is no error here.
    pub fn build_paths(&mut self, paths: &[DerivedPath], mode: BuildMode) -> Result<Vec<BuildResult>, Error> {
        let operation = Operation::BuildPathsWithResults;
        self.check_usable(operation)?;
        if mode == BuildMode::Repair && self.peer.trust == Trust::NotTrusted {
            return Err(Error::NotTrusted { operation });
        }
        let protocol = self.peer.protocol;
        self.ask(
            operation,
            |request| {
                request.list(paths, write_path);
                request.number(mode as u64);
            },
            |answer| read_results(answer, paths, protocol),
        )
    }
}

/// Reads the results, of which there must be one for each of `paths`. Daemons give them in the order of the
/// request, but nothing says that they must.
fn read_results(
    answer: &mut WireReader,
    paths: &[DerivedPath],
    protocol: ProtocolVersion,
) -> Result<Vec<BuildResult>, ReadError> {
    let mut places: BTreeMap<&DerivedPath, Vec<usize>> = BTreeMap::new();
    for (place, path) in paths.iter().enumerate().rev() {
        places.entry(path).or_default().push(place);
    }
    let count = answer.bounded("a list of build results", paths.len() as u64)?;
    if count < paths.len() as u64 {
        let found = format_args!("{count} for {} paths", paths.len());
        return Err(answer.unexpected("a list of build results", found));
    }
    let mut results = BTreeMap::new();
    for _ in 0..count {
        let result = read_result(answer, protocol)?;
        let Some(place) = places.get_mut(&result.path).and_then(Vec::pop) else {
            let found = result.path.display(answer.store_dir());
            return Err(answer.unexpected("the result of a path that was to be built", found));
        };
        results.insert(place, result);
    }
    Ok(results.into_values().collect())
}

fn write_path(request: &mut Encoder<'_>, path: &DerivedPath) {
    request.text(&path.display(request.store_dir()));
}

fn read_result(answer: &mut WireReader, protocol: ProtocolVersion) -> Result<BuildResult, ReadError> {
    let path = DerivedPath::read(answer)?;
    let status = BuildStatus::new(answer.number("a build status")?);
    let error = answer.message("a build error")?;
    let times_built = answer.number("how often it was built")?;
    let is_non_deterministic = answer.flag("whether a build is not deterministic")?;
    let start_time = answer.number("when a build began")?;
    let stop_time = answer.number("when a build ended")?;
    let (mut cpu_user, mut cpu_system) = (None, None);
    if protocol >= ProtocolVersion::CPU_TIMES {
        cpu_user = read_cpu_time(answer)?;
        cpu_system = read_cpu_time(answer)?;
    }
    let outputs = answer.list("a list of outputs", limits::OUTPUTS, read_output)?;
    Ok(BuildResult {
        path,
        status,
        error,
        times_built,
        is_non_deterministic,
        start_time,
        stop_time,
        cpu_user,
        cpu_system,
        outputs,
    })
}

fn read_cpu_time(answer: &mut WireReader) -> Result<Option<Duration>, ReadError> {
    let is_known = answer.flag("whether a CPU time is known")?;
    is_known.then(|| answer.number("microseconds").map(Duration::from_micros)).transpose()
}

/// What of a realisation's JSON text is of interest.
#[derive(Deserialize)]
struct Realisation {
    /// The output's path without the store's directory.
    #[serde(rename = "outPath")]
    out_path: String,
}

/// An output: `<hash of the derivation>!<name>`, and its realisation as JSON.
fn read_output(answer: &mut WireReader) -> Result<(OutputName, StorePath), ReadError> {
    let expected = "`<hash>!<output name>`";
    let id = answer.text(expected, limits::WORD)?;
    let name = id.split_once('!').and_then(|(_hash, name)| OutputName::new(name.as_bytes()).ok());
    let name = name.ok_or_else(|| answer.unexpected(expected, quoted(id.as_bytes())))?;
    let expected = "a realisation";
    let json = answer.string(expected, limits::REALISATION)?;
    // Serde would take an array for it, too.
    if !json.trim_ascii_start().starts_with(b"{") {
        return Err(answer.unexpected(expected, quoted(&json)));
    }
    let realisation: Realisation =
        serde_json::from_slice(&json).map_err(|error| answer.unexpected(expected, error))?;
    let path = realisation.out_path.parse().map_err(|error| answer.unexpected(expected, error))?;
    Ok((name, path))
}
