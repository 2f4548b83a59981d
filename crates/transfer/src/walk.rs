//! A receiver that has nothing, makes nothing and believes all bases: what a fuzzer tries.

use std::io::{self, Read};

use delta::{
    op::Op,
    window::{Head, MAX_HEAD},
};

use crate::{
    announcement::{Announcement, MAX_ANNOUNCEMENT},
    answer::{Has, Said},
    question::Question,
    receiver::{END, LONG, Ledger},
    record::Unpacker,
    wire::{Malformed, end, read_message, read_number_from},
};

/// Walks through all that a sender says; gives the number of paths.
///
/// # Errors
/// If no sender says that.
pub fn stream(from: impl Read) -> Result<usize, Malformed> {
    let mut stream = Unpacker::new(from)?;
    let question = Question::read(&mut stream)?;
    let has =
        question.paths.iter().map(|wanted| if wanted.base.is_some() { Has::Base } else { Has::Nothing });
    let has = has.collect();
    let mut ledger = Ledger::new(question.paths, has);
    let mut paths = 0;
    loop {
        let count = match read_number_from("what comes next", &mut stream)? {
            END => return Ok(paths),
            LONG => 1,
            short => ledger.short(short)?,
        };
        for _ in 0..count {
            path(&mut stream, &mut ledger)?;
            paths += 1;
        }
    }
}

fn path<R: Read>(stream: &mut Unpacker<R>, ledger: &mut Ledger) -> Result<(), Malformed> {
    let message = read_message("an announcement", MAX_ANNOUNCEMENT, stream)?;
    let what = Announcement::read(&message, ledger.wanted())?;
    ledger.accept(&what)?;
    match &what.op {
        Op::Whole => {
            let left = what.info.nar_size - what.from;
            let found = io::copy(&mut stream.by_ref().take(left), &mut io::sink())?;
            if found < left {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
            }
        }
        Op::Rewrite(base) => ledger.check_base(&what, &base.path)?,
        Op::Patch(base) => {
            ledger.check_base(&what, &base.path)?;
            windows(stream, what.info.nar_size - what.from)?;
        }
    }
    ledger.came(&what);
    Ok(())
}

fn windows<R: Read>(stream: &mut Unpacker<R>, mut left: u64) -> Result<(), Malformed> {
    let mut payload = Vec::new();
    while left > 0 {
        let message = read_message("the head of a window", MAX_HEAD as u64, stream)?;
        let mut bytes = &message[..];
        let head = Head::read(&mut bytes)?;
        end(bytes)?;
        stream.payload(head.payload, &mut payload)?;
        left = left.saturating_sub(head.window.target().into());
    }
    Ok(())
}

/// Walks through all that a receiver says; gives the number of its words.
///
/// # Errors
/// If no receiver says that.
pub fn words(mut from: &[u8]) -> Result<usize, Malformed> {
    let mut count = 0;
    while !from.is_empty() {
        let said = Said::read(&mut from)?;
        // What was heard is said the same way, but for words that are cut.
        let mut again = Vec::new();
        said.write(&mut again)?;
        assert_eq!(Said::read(&mut &again[..])?, said);
        count += 1;
    }
    Ok(count)
}
