//! What can be asked to be built: paths as they are, and outputs of derivations.

use std::fmt;

use store::{
    derivation::{OutputName, OutputSet},
    store_path::{StoreDir, StorePath, StorePathError},
};

use crate::{error::ReadError, limits, wire::WireReader};

/// Which outputs of a derivation are meant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum OutputNames {
    /// All it has.
    All,
    /// These.
    Some(OutputSet),
}

/// Something to be made valid.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum DerivedPath {
    /// A path as it is, by substitution.
    Path(StorePath),
    /// Outputs of a derivation, by substitution or building.
    Outputs {
        /// The derivation, a path that ends in `.drv`.
        derivation: StorePath,
        /// Its outputs.
        outputs: OutputNames,
    },
}

impl DerivedPath {
    /// All outputs of a derivation.
    #[must_use]
    pub fn all_outputs(derivation: StorePath) -> Self {
        Self::Outputs { derivation, outputs: OutputNames::All }
    }

    /// The form of the wire: a path, and if outputs are meant `!` and their names with commas, or `*`.
    pub(crate) fn display<'a>(&'a self, store_dir: &'a StoreDir) -> impl fmt::Display + 'a {
        fmt::from_fn(move |f| match self {
            Self::Path(path) => write!(f, "{}", store_dir.display(path)),
            Self::Outputs { derivation, outputs } => write!(f, "{}!{outputs}", store_dir.display(derivation)),
        })
    }

    fn parse(text: &str, store_dir: &StoreDir) -> Result<Self, StorePathError> {
        let Some((path, outputs)) = text.split_once('!') else {
            return store_dir.parse(text.as_bytes()).map(Self::Path);
        };
        let derivation = store_dir.parse(path.as_bytes())?;
        if outputs == "*" {
            return Ok(Self::all_outputs(derivation));
        }
        let names = outputs.split(',').map(|name| OutputName::new(name.as_bytes()));
        let names = OutputSet::new(names.collect::<Result<_, _>>()?);
        let names = names.expect("invariant: a text has a part before its first comma");
        Ok(Self::Outputs { derivation, outputs: OutputNames::Some(names) })
    }

    pub(crate) fn read(reader: &mut WireReader) -> Result<Self, ReadError> {
        let expected = "what was to be built";
        let text = reader.text(expected, limits::PATH + limits::OUTPUTS * limits::WORD)?;
        Self::parse(&text, reader.store_dir()).map_err(|error| reader.unexpected(expected, error))
    }
}

impl fmt::Display for OutputNames {
    /// The form of the wire.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("*"),
            Self::Some(names) => {
                f.write_str(&names.names().iter().map(OutputName::as_str).collect::<Vec<_>>().join(","))
            }
        }
    }
}
