//! Every operation against daemons that answer well, badly, too early, too much and not at all.

mod answers;
mod round_trips;
mod uploads;

use std::collections::BTreeSet;

use store::{
    derivation::{OutputName, OutputSet},
    path_info::PathInfo,
    store_path::StorePath,
};

use super::*;
use crate::{
    derived_path::{DerivedPath, OutputNames},
    fake::{self, answer, daemon_error, file_nar, path, say},
};

/// An operation that is not an upload, with its request, a good answer and what comes of that.
struct Case {
    operation: Operation,
    request: Vec<u8>,
    answer: Vec<u8>,
    result: &'static str,
    /// Runs it; the result as `Debug` has it, or the error.
    run: fn(&mut Client) -> Result<String, Error>,
}

fn debug<T: fmt::Debug, E: Into<Error>>(result: Result<T, E>) -> Result<String, Error> {
    result.map(|value| format!("{value:?}")).map_err(Into::into)
}

fn set(names: &[&str]) -> BTreeSet<StorePath> {
    names.iter().map(|name| path(name)).collect()
}

/// A request with this number.
fn request(number: u64, write: impl FnOnce(&mut Encoder<'_>)) -> Vec<u8> {
    say(|to| {
        to.number(number);
        write(to);
    })
}

fn wanted() -> Vec<DerivedPath> {
    let names = [&b"dev"[..], b"out"].map(|name| OutputName::new(name).unwrap());
    let outputs = OutputNames::Some(OutputSet::new(names.into()).unwrap());
    vec![
        DerivedPath::Path(path("a")),
        DerivedPath::all_outputs(path("b.drv")),
        DerivedPath::Outputs { derivation: path("c.drv"), outputs },
    ]
}

fn info() -> PathInfo {
    let nar = file_nar(b"contents");
    PathInfo::new(path("a"), store::hash::Sha256::of(&nar), nar.len() as u64)
}
