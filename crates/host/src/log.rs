//! The log of an activation: what its programs wrote.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom, Write},
    path::Path,
};

use activate::Fault;
use order::OrderId;

use crate::job::Job;

/// How much of the end is read.
const TAIL: u64 = 8 << 10;
/// How many lines of it are told.
const LINES: usize = 30;

/// Longest log of the activation of a new system: it lies in memory.
pub(crate) const LONGEST: u64 = 64 << 20;
/// How much of a longer one is kept, from its end.
const KEPT: u64 = 1 << 20;

/// Cuts a log that is too long, so that the way back has room to write; whoever writes to it appends.
pub(crate) fn cut(order: &OrderId) -> io::Result<()> {
    cut_file(&Job::log(order), LONGEST, KEPT)
}

fn cut_file(path: &Path, longest: u64, kept: u64) -> io::Result<()> {
    let mut file = File::options().read(true).write(true).open(path)?;
    let length = file.metadata()?.len();
    if length <= longest {
        return Ok(());
    }
    file.seek(SeekFrom::Start(length.saturating_sub(kept)))?;
    let mut bytes = Vec::new();
    (&mut file).take(kept).read_to_end(&mut bytes)?;
    file.set_len(0)?;
    file.seek(SeekFrom::Start(0))?;
    file.write_all(&bytes)
}

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

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_log_that_is_too_long_keeps_its_end_and_goes_on() {
        let path = std::env::temp_dir().join(format!("lockstep-log-{}", std::process::id()));
        let cases = [("0123456789", 10, "0123456789+"), ("0123456789", 9, "789+"), ("", 9, "+")];
        for (text, longest, expected) in cases {
            fs::write(&path, text).expect("written");
            let mut writer = File::options().append(true).open(&path).expect("opened");
            cut_file(&path, longest, 3).expect("cut");
            writer.write_all(b"+").expect("written");
            assert_eq!(fs::read_to_string(&path).expect("read"), expected);
        }
        fs::remove_file(&path).expect("removed");
    }
}
