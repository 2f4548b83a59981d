//! Derivations: what is to be built, as the text of a `.drv`.
//!
//! [`Derivation::parse`] accepts exactly what [`Derivation::to_text`] writes, so that a text can be
//! replaced by what was understood of it. Names and values may be any bytes, as they may be for Nix.

mod modulo;
mod parse;
mod write;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use thiserror::Error;

pub use modulo::{HashModulo, ModuloError};
pub use parse::{ParseDerivationError, ParseDerivationErrorKind};

use crate::{
    content_address::{ContentAddress, Method, References},
    hash::{Algorithm, Sha256},
    store_path::{StoreDir, StorePath, StorePathError, StorePathName},
};

/// Longest text that is accepted, in bytes.
///
/// What is understood of a text takes at most two bytes for each of its bytes and 512 for each item, with what
/// is needed while it grows (an estimate); so this and [`MAX_ITEMS`] bound it to about 160 MiB.
pub const MAX_TEXT: usize = 16 << 20;

/// Most items that are accepted in all lists of one text together: outputs, inputs, the outputs wanted of each,
/// arguments and variables. Without it, an item of three bytes (an empty argument) would cost many times that.
pub const MAX_ITEMS: usize = 1 << 18;

/// The name of an output, such as `out` or `dev`; made of the characters of store path names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OutputName(StorePathName);

impl OutputName {
    /// Checks and takes `name`.
    pub fn new(name: &[u8]) -> Result<Self, StorePathError> {
        StorePathName::new(name).map(Self)
    }

    /// The name's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The name of this output's path: that of the derivation, with `-<output>` behind it for all but `out`.
    pub fn path_name(&self, derivation: &StorePathName) -> Result<StorePathName, StorePathError> {
        match self.as_str() {
            "out" => Ok(derivation.clone()),
            output => format!("{derivation}-{output}").parse(),
        }
    }
}

impl fmt::Display for OutputName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Some outputs of one derivation, at least one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct OutputSet(BTreeSet<OutputName>);

impl OutputSet {
    /// These outputs, if there are any: no text says "none of the outputs".
    #[must_use]
    pub fn new(names: BTreeSet<OutputName>) -> Option<Self> {
        if names.is_empty() { None } else { Some(Self(names)) }
    }

    /// Their names.
    #[must_use]
    pub fn names(&self) -> &BTreeSet<OutputName> {
        &self.0
    }
}

/// Where one output goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// To a path that follows from the derivation.
    InputAddressed(StorePath),
    /// To a path that follows from its content, which is known beforehand.
    Fixed {
        /// The path.
        path: StorePath,
        /// The content.
        address: ContentAddress,
    },
    /// To a path that follows from its content, which only the build will tell.
    Floating {
        /// What of the content will be hashed.
        method: Method,
        /// And how.
        algorithm: Algorithm,
    },
    /// To a path that follows from the derivation, once the paths of its inputs are known.
    Deferred,
    /// To a path that follows from its content, which may differ with every build.
    Impure {
        /// What of the content will be hashed.
        method: Method,
        /// And how.
        algorithm: Algorithm,
    },
}

impl Output {
    /// The path, if it is known.
    #[must_use]
    pub fn path(&self) -> Option<&StorePath> {
        match self {
            Self::InputAddressed(path) | Self::Fixed { path, .. } => Some(path),
            Self::Floating { .. } | Self::Deferred | Self::Impure { .. } => None,
        }
    }

    fn kind(&self) -> Kind {
        match self {
            Self::InputAddressed(_) => Kind::InputAddressed,
            Self::Fixed { .. } => Kind::Fixed,
            Self::Floating { .. } => Kind::Floating,
            Self::Deferred => Kind::Deferred,
            Self::Impure { .. } => Kind::Impure,
        }
    }
}

/// What all outputs of a derivation have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// All are [`Output::InputAddressed`].
    InputAddressed,
    /// The only one, `out`, is [`Output::Fixed`].
    Fixed,
    /// All are [`Output::Floating`] with one algorithm.
    Floating,
    /// All are [`Output::Deferred`].
    Deferred,
    /// All are [`Output::Impure`].
    Impure,
}

/// Why the outputs of a derivation do not go together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum KindError {
    /// There is none.
    #[error("the derivation has no output")]
    NoOutput,
    /// They are of more than one kind.
    #[error("the derivation mixes outputs of the kinds {0:?} and {1:?}")]
    Mixed(Kind, Kind),
    /// One is fixed, but not the only one, or not called `out`.
    #[error("a derivation with a fixed output must have no other, and it must be called 'out'")]
    Fixed,
    /// Floating outputs are hashed in different ways.
    #[error("the derivation mixes floating outputs of the algorithms {0} and {1}")]
    Algorithms(Algorithm, Algorithm),
}

/// A derivation. What is sorted in its text is sorted here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Derivation {
    /// What is built.
    pub outputs: BTreeMap<OutputName, Output>,
    /// Which outputs of which other derivations it needs.
    pub input_derivations: BTreeMap<StorePath, OutputSet>,
    /// Which other paths it needs.
    pub input_sources: BTreeSet<StorePath>,
    /// The kind of machine that can build it, such as `x86_64-linux`.
    pub system: Vec<u8>,
    /// The program that builds it.
    pub builder: Vec<u8>,
    /// Its arguments.
    pub arguments: Vec<Vec<u8>>,
    /// Its environment.
    pub environment: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl Derivation {
    /// Reads the text of a `.drv` whose paths are in `store_dir`.
    pub fn parse(text: &[u8], store_dir: &StoreDir) -> Result<Self, ParseDerivationError> {
        parse::parse(text, store_dir)
    }

    /// The text of the `.drv`, byte for byte as Nix writes it.
    #[must_use]
    pub fn to_text(&self, store_dir: &StoreDir) -> Vec<u8> {
        write::text(self, store_dir)
    }

    /// The store path of the `.drv` itself: the content address of its text under `<name>.drv`.
    pub fn store_path(
        &self,
        name: &StorePathName,
        store_dir: &StoreDir,
    ) -> Result<StorePath, StorePathError> {
        let name = format!("{name}.drv").parse()?;
        let others = self.input_sources.iter().chain(self.input_derivations.keys()).cloned().collect();
        let address = ContentAddress::Text(Sha256::of(&self.to_text(store_dir)));
        let path = address.store_path(store_dir, &name, &References { others, to_self: false });
        Ok(path.expect("invariant: text may have references to others"))
    }

    /// What all outputs have in common, if they go together as Nix demands.
    pub fn kind(&self) -> Result<Kind, KindError> {
        let mut outputs = self.outputs.values();
        let first = outputs.next().ok_or(KindError::NoOutput)?;
        for output in outputs {
            check_pair(first, output)?;
        }
        let is_out = self.outputs.keys().all(|name| name.as_str() == "out");
        match first.kind() {
            Kind::Fixed if !is_out => Err(KindError::Fixed),
            kind => Ok(kind),
        }
    }
}

/// Whether two outputs may belong to one derivation.
fn check_pair(first: &Output, other: &Output) -> Result<(), KindError> {
    match (first, other) {
        (Output::Floating { algorithm: first, .. }, Output::Floating { algorithm: other, .. })
            if first != other =>
        {
            Err(KindError::Algorithms(*first, *other))
        }
        _ if first.kind() != other.kind() => Err(KindError::Mixed(first.kind(), other.kind())),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
