//! Derivations that Nix wrote, any derivation there and back, and everything that is nearly one.

mod adversarial;
mod outputs;
mod round_trip;

use super::*;

fn name(text: &str) -> StorePathName {
    text.parse().unwrap()
}

fn output_name(text: &str) -> OutputName {
    OutputName::new(text.as_bytes()).unwrap()
}

fn parse(text: &[u8]) -> Result<Derivation, ParseDerivationError> {
    Derivation::parse(text, &StoreDir::default())
}
