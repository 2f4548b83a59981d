//! The log of an activation: what its programs wrote.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
};

use activate::Fault;
use order::OrderId;

use crate::job::Job;

/// How much of the end is read.
const TAIL: u64 = 8 << 10;
/// How many lines of it are told.
const LINES: usize = 30;

/// The last lines of what the programs of this order wrote.
pub(crate) fn tail(order: &OrderId) -> Fault {
    Fault::new(read_tail(order).unwrap_or_default())
}

fn read_tail(order: &OrderId) -> io::Result<String> {
    let mut file = File::open(Job::log(order))?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL)))?;
    let mut bytes = Vec::new();
    file.take(TAIL).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    Ok(lines[lines.len().saturating_sub(LINES)..].join("\n"))
}
