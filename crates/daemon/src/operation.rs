//! The operations of the worker protocol that are spoken here, with their numbers on the wire.

use std::fmt;

/// What the daemon is asked to do. It displays as a verb phrase, for messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Operation {
    /// Agree on a version and learn who the daemon is; has no number.
    Handshake,
    /// Ask whether one path is valid.
    IsValidPath,
    /// Ask which paths refer to a path.
    QueryReferrers,
    /// Add content under the name that follows from it.
    AddToStore,
    /// Make a path valid, by substitution if it is not.
    EnsurePath,
    /// Protect a path until the connection ends.
    AddTempRoot,
    /// Protect what a symbolic link points to.
    AddIndirectRoot,
    /// List what protects paths.
    FindRoots,
    /// Set the options of the connection.
    SetOptions,
    /// List or delete what nothing protects.
    CollectGarbage,
    /// Ask what the store knows of a path.
    QueryPathInfo,
    /// Ask which path has a hash part.
    QueryPathFromHashPart,
    /// Ask which of many paths are valid.
    QueryValidPaths,
    /// Add signatures to a path.
    AddSignatures,
    /// Read a path as a NAR.
    NarFromPath,
    /// Add one path whose information is known.
    AddToStoreNar,
    /// Ask what building or substituting some paths would take.
    QueryMissing,
    /// Add many paths in one stream.
    AddMultipleToStore,
    /// Build or substitute paths and hear how each went.
    BuildPathsWithResults,
}

impl Operation {
    /// The number on the wire (`WorkerProto::Op` in Nix); 0 for the handshake, which has none.
    pub(crate) const fn number(self) -> u64 {
        match self {
            Self::Handshake => 0,
            Self::IsValidPath => 1,
            Self::QueryReferrers => 6,
            Self::AddToStore => 7,
            Self::EnsurePath => 10,
            Self::AddTempRoot => 11,
            Self::AddIndirectRoot => 12,
            Self::FindRoots => 14,
            Self::SetOptions => 19,
            Self::CollectGarbage => 20,
            Self::QueryPathInfo => 26,
            Self::QueryPathFromHashPart => 29,
            Self::QueryValidPaths => 31,
            Self::AddSignatures => 37,
            Self::NarFromPath => 38,
            Self::AddToStoreNar => 39,
            Self::QueryMissing => 40,
            Self::AddMultipleToStore => 44,
            Self::BuildPathsWithResults => 46,
        }
    }

    const fn phrase(self) -> &'static str {
        match self {
            Self::Handshake => "greet the daemon",
            Self::IsValidPath => "ask whether a path is valid",
            Self::QueryReferrers => "ask for referrers",
            Self::AddToStore => "add content",
            Self::EnsurePath => "make a path valid",
            Self::AddTempRoot => "add a temporary root",
            Self::AddIndirectRoot => "add an indirect root",
            Self::FindRoots => "find roots",
            Self::SetOptions => "set options",
            Self::CollectGarbage => "collect garbage",
            Self::QueryPathInfo => "ask for path information",
            Self::QueryPathFromHashPart => "find the path of a hash part",
            Self::QueryValidPaths => "ask which paths are valid",
            Self::AddSignatures => "add signatures",
            Self::NarFromPath => "read a path",
            Self::AddToStoreNar => "add a path",
            Self::QueryMissing => "ask what is missing",
            Self::AddMultipleToStore => "add paths",
            Self::BuildPathsWithResults => "build paths",
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.phrase())
    }
}
