//! The paths of a derivation's outputs, computed as Nix computes them.
//!
//! A derivation is hashed "modulo": each derivation it needs is replaced by that one's own hash modulo, and a
//! fixed-output one by a hash of its output alone, so that it does not matter how a fixed output is fetched.

use std::collections::{BTreeMap, BTreeSet};

use thiserror::Error;

use super::{Derivation, Kind, KindError, Output, OutputName, write};
use crate::{
    content_address::{ContentAddress, References},
    hash::Sha256,
    store_path::{StoreDir, StorePath, StorePathError, StorePathName, make_store_path},
};

/// What stands for a derivation in the hash of those that need it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HashModulo {
    /// A hash.
    Known(Sha256),
    /// Nothing yet: it has outputs whose paths only a build will tell, or needs a derivation that has.
    Deferred,
}

/// Why a derivation has no hash or no output paths.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ModuloError {
    /// Its outputs do not go together.
    #[error("the outputs of the derivation do not go together")]
    Kind(#[from] KindError),
    /// Nothing is known of a derivation that it needs.
    #[error("the hash of the input derivation {input} is not known")]
    UnknownInput {
        /// The derivation.
        input: StorePath,
    },
    /// An output has a name that no path can have.
    #[error("the output '{output}' has no path")]
    Name {
        /// The output.
        output: OutputName,
        /// What is wrong with the name.
        source: StorePathError,
    },
}

impl Derivation {
    /// What stands for this derivation, called `name`, in the hash of those that need it, given the same of its
    /// inputs. The path of a fixed output is computed anew, whatever the derivation claims.
    pub fn hash_modulo(
        &self,
        name: &StorePathName,
        store_dir: &StoreDir,
        input_hash: impl Fn(&StorePath) -> Option<HashModulo>,
    ) -> Result<HashModulo, ModuloError> {
        match self.kind()? {
            Kind::Fixed => self.fixed_hash(name, store_dir),
            Kind::InputAddressed => self.text_hash(store_dir, input_hash, false),
            Kind::Floating | Kind::Deferred | Kind::Impure => Ok(HashModulo::Deferred),
        }
    }

    /// The path of each output of the derivation called `name`, computed anew; nothing for those that only a
    /// build will tell.
    pub fn output_paths(
        &self,
        name: &StorePathName,
        store_dir: &StoreDir,
        input_hash: impl Fn(&StorePath) -> Option<HashModulo>,
    ) -> Result<BTreeMap<OutputName, Option<StorePath>>, ModuloError> {
        let hash = match self.kind()? {
            Kind::InputAddressed | Kind::Deferred => self.text_hash(store_dir, input_hash, true)?,
            Kind::Fixed | Kind::Floating | Kind::Impure => HashModulo::Deferred,
        };
        let mut paths = BTreeMap::new();
        for (output_name, output) in &self.outputs {
            let name = path_name(output_name, name)?;
            let path = match (output, hash) {
                (Output::Fixed { address, .. }, _) => Some(fixed_path(address, &name, store_dir)),
                (_, HashModulo::Known(hash)) => {
                    Some(make_store_path(store_dir, &format!("output:{output_name}"), hash, &name))
                }
                (_, HashModulo::Deferred) => None,
            };
            paths.insert(output_name.clone(), path);
        }
        Ok(paths)
    }

    /// The hash of the only output of a fixed-output derivation.
    fn fixed_hash(&self, name: &StorePathName, store_dir: &StoreDir) -> Result<HashModulo, ModuloError> {
        for (output_name, output) in &self.outputs {
            if let Output::Fixed { address, .. } = output {
                let path = fixed_path(address, &path_name(output_name, name)?, store_dir);
                let text = format!("fixed:out:{}:{}", address.in_derivation(), store_dir.display(&path));
                return Ok(HashModulo::Known(Sha256::of(text.as_bytes())));
            }
        }
        Ok(HashModulo::Deferred)
    }

    /// The hash of the text with all inputs replaced, if they are all known.
    fn text_hash(
        &self,
        store_dir: &StoreDir,
        input_hash: impl Fn(&StorePath) -> Option<HashModulo>,
        masked: bool,
    ) -> Result<HashModulo, ModuloError> {
        let mut inputs: BTreeMap<Sha256, BTreeSet<&OutputName>> = BTreeMap::new();
        for (path, outputs) in &self.input_derivations {
            match input_hash(path) {
                None => return Err(ModuloError::UnknownInput { input: path.clone() }),
                Some(HashModulo::Deferred) => return Ok(HashModulo::Deferred),
                Some(HashModulo::Known(hash)) => inputs.entry(hash).or_default().extend(outputs.names()),
            }
        }
        let text = write::text_modulo(self, store_dir, &inputs, masked);
        Ok(HashModulo::Known(Sha256::of(&text)))
    }
}

fn path_name(output: &OutputName, derivation: &StorePathName) -> Result<StorePathName, ModuloError> {
    output.path_name(derivation).map_err(|source| ModuloError::Name { output: output.clone(), source })
}

/// The path of content that is known beforehand.
fn fixed_path(address: &ContentAddress, name: &StorePathName, store_dir: &StoreDir) -> StorePath {
    let path = address.store_path(store_dir, name, &References::default());
    path.expect("invariant: content without references has a path")
}
