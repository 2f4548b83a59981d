//! What no lock-out costs, and how soon a host is back: `cargo bench -p lab --bench lockout`, after `make products` and
//! `cargo build --release -p cli`. With words, only the parts of these names.
//!
//! Each result is a line `bench <name> <value> <unit>`.
#![allow(missing_docs, reason = "a program, not a library")]
#![expect(clippy::print_stdout, reason = "a bench prints its results")]

#[path = "../tests/scenarios/fleets.rs"]
#[allow(dead_code, reason = "scenarios use more of it")]
mod fleets;
#[path = "lockout/guard.rs"]
mod guard;
#[path = "lockout/healthy.rs"]
mod healthy;
#[path = "lockout/recovery.rs"]
mod recovery;

use anyhow::Result;
use lab::Builder;

type Part = (&'static str, fn() -> Result<()>);

const PARTS: &[Part] = &[
    ("guard", guard::measure),
    ("hang", recovery::hang),
    ("emergency", recovery::emergency),
    ("healthy", healthy::measure),
];

fn builder() -> Builder {
    Builder::new(env!("CARGO_BIN_EXE_lab"))
}

fn main() -> Result<()> {
    // Cargo adds this one.
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let mut asked =
        PARTS.iter().filter(|(name, _)| words.is_empty() || words.iter().any(|word| word == name));
    asked.try_for_each(|(_, part)| part())
}

fn report(name: &str, value: f64, unit: &str) {
    println!("bench {name} {value:.3} {unit}");
}
