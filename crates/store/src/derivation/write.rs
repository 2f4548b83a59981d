//! Derivations as text, in the form of ATerms.

use std::collections::{BTreeMap, BTreeSet};

use super::{Derivation, Output, OutputName};
use crate::{
    content_address::Method,
    hash::{Algorithm, Sha256},
    store_path::{StoreDir, StorePath},
};

/// What a derivation needs of others: outputs by what stands for the derivation that makes them.
type Inputs<'a> = BTreeMap<String, BTreeSet<&'a OutputName>>;

pub(super) fn text(derivation: &Derivation, store_dir: &StoreDir) -> Vec<u8> {
    let mut inputs = Inputs::new();
    for (path, outputs) in &derivation.input_derivations {
        inputs.insert(store_dir.display(path).to_string(), outputs.names().iter().collect());
    }
    Writer { out: Vec::new(), store_dir, masked: false }.derivation(derivation, &inputs)
}

/// The text in which each input derivation is replaced by what it was hashed to, and if `masked` its own
/// output paths by nothing.
pub(super) fn text_modulo(
    derivation: &Derivation,
    store_dir: &StoreDir,
    inputs: &BTreeMap<Sha256, BTreeSet<&OutputName>>,
    masked: bool,
) -> Vec<u8> {
    let inputs = inputs.iter().map(|(hash, outputs)| (hash.to_base16(), outputs.clone())).collect();
    Writer { out: Vec::new(), store_dir, masked }.derivation(derivation, &inputs)
}

struct Writer<'a> {
    out: Vec<u8>,
    store_dir: &'a StoreDir,
    masked: bool,
}

impl Writer<'_> {
    fn derivation(mut self, derivation: &Derivation, inputs: &Inputs<'_>) -> Vec<u8> {
        self.raw("Derive(");
        self.list(&derivation.outputs, |writer, (name, output)| writer.output(name, output));
        self.raw(",");
        self.list(inputs, |writer, (input, outputs)| {
            writer.raw("(");
            writer.text(input);
            writer.raw(",");
            writer.list(outputs, |writer, name| writer.text(name.as_str()));
            writer.raw(")");
        });
        self.raw(",");
        self.list(&derivation.input_sources, Writer::path);
        self.raw(",");
        self.string(&derivation.system);
        self.raw(",");
        self.string(&derivation.builder);
        self.raw(",");
        self.list(&derivation.arguments, |writer, argument| writer.string(argument));
        self.raw(",");
        self.list(&derivation.environment, |writer, (name, value)| {
            writer.variable(&derivation.outputs, name, value);
        });
        self.raw(")");
        self.out
    }

    fn output(&mut self, name: &OutputName, output: &Output) {
        self.raw("(");
        self.text(name.as_str());
        self.raw(",");
        match output {
            Output::InputAddressed(path) if !self.masked => self.path(path),
            Output::Fixed { path, .. } => self.path(path),
            _ => self.text(""),
        }
        let (algorithm, hash) = match output {
            Output::InputAddressed(_) | Output::Deferred => (String::new(), String::new()),
            Output::Fixed { address, .. } => {
                (hash_algorithm(address.method(), address.hash().algorithm()), address.hash().to_base16())
            }
            Output::Floating { method, algorithm } => (hash_algorithm(*method, *algorithm), String::new()),
            Output::Impure { method, algorithm } => (hash_algorithm(*method, *algorithm), "impure".into()),
        };
        self.raw(",");
        self.text(&algorithm);
        self.raw(",");
        self.text(&hash);
        self.raw(")");
    }

    fn variable(&mut self, outputs: &BTreeMap<OutputName, Output>, name: &[u8], value: &[u8]) {
        let is_output = || OutputName::new(name).is_ok_and(|name| outputs.contains_key(&name));
        self.raw("(");
        self.string(name);
        self.raw(",");
        self.string(if self.masked && is_output() { b"" } else { value });
        self.raw(")");
    }

    fn list<T>(&mut self, items: impl IntoIterator<Item = T>, mut write: impl FnMut(&mut Self, T)) {
        self.raw("[");
        for (index, item) in items.into_iter().enumerate() {
            if index > 0 {
                self.raw(",");
            }
            write(self, item);
        }
        self.raw("]");
    }

    fn path(&mut self, path: &StorePath) {
        self.string(self.store_dir.display(path).to_string().as_bytes());
    }

    fn text(&mut self, text: &str) {
        self.string(text.as_bytes());
    }

    fn string(&mut self, bytes: &[u8]) {
        self.raw("\"");
        let mut rest = bytes;
        while let Some(position) = rest.iter().position(|byte| escape(*byte).is_some()) {
            self.out.extend_from_slice(&rest[..position]);
            self.out.push(b'\\');
            self.out.extend(escape(rest[position]));
            rest = &rest[position + 1..];
        }
        self.out.extend_from_slice(rest);
        self.raw("\"");
    }

    fn raw(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }
}

/// What stands behind a backslash for `byte`, if it cannot stand for itself.
pub(super) fn escape(byte: u8) -> Option<u8> {
    match byte {
        b'"' | b'\\' => Some(byte),
        b'\n' => Some(b'n'),
        b'\r' => Some(b'r'),
        b'\t' => Some(b't'),
        _ => None,
    }
}

fn hash_algorithm(method: Method, algorithm: Algorithm) -> String {
    format!("{}{algorithm}", method.prefix())
}
