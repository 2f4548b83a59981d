//! What crosses the wire, how soon and at what cost, against Nix's own ways: `cargo bench -p lab --bench transfer`,
//! after `make products` and `cargo build --release -p cli`. With words, only the parts of these names.
//!
//! Each result is a line `bench <name> <value> <unit>`; what is asked of results is shown on standard error at the end.
#![allow(missing_docs, reason = "a program, not a library")]

#[path = "transfer/draft.rs"]
mod draft;
#[path = "transfer/figures.rs"]
mod figures;
#[path = "../tests/scenarios/fleets.rs"]
#[allow(dead_code, reason = "scenarios use more of it")]
mod fleets;
#[path = "transfer/packages.rs"]
mod packages;
#[path = "transfer/parts.rs"]
mod parts;
#[path = "transfer/rig.rs"]
mod rig;
#[path = "transfer/usr.rs"]
mod usr;
#[path = "transfer/watch.rs"]
mod watch;

use anyhow::Result;
use lab::Builder;

use self::{parts::Parts, rig::Rig};

fn builder() -> Builder {
    Builder::new(env!("CARGO_BIN_EXE_lab"))
}

fn main() -> Result<()> {
    // Cargo adds this one.
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let lab = fleets::with_operator([rig::HOST])?.start()?;
    Parts::new(Rig::new(&lab)?)?.measure(&|part| words.is_empty() || words.iter().any(|word| word == part))
}

/// Tells whoever watches; results are on standard output.
#[expect(clippy::print_stderr, reason = "for whoever watches")]
fn note(text: &str) {
    eprintln!("transfer: {text}");
}
