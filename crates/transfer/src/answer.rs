//! What the receiver says: what it has, that it goes on, and how it ended.

use std::io::{Read, Write};

use delta::wire::{read_array, read_bounded, read_byte, read_number, write_number};
use store::hash::Sha256;

use crate::{
    question::MAX_PATHS,
    wire::{Malformed, end, read_message, read_short, write_message, write_short},
};

/// Most bytes of a message: an answer with all paths there can be, and a half-made one.
const MAX_MESSAGE: u64 = 1 << 17;

const ANSWER: u8 = 1;
const GOING_ON: u8 = 2;
const VERDICT: u8 = 3;

/// What the receiver has of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Has {
    /// The path itself.
    Path,
    /// Not yet, but it gets it from its caches now.
    Fetches,
    /// Its base.
    Base,
    /// Neither.
    Nothing,
}

impl Has {
    const ALL: [Self; 4] = [Self::Path, Self::Fetches, Self::Base, Self::Nothing];
}

/// A path of which part was made before the last connection broke.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Partial {
    /// Its index in the question.
    pub index: usize,
    /// Of the NAR with this hash.
    pub nar_hash: Sha256,
    /// So many bytes are there, a multiple of a window.
    pub bytes: u64,
}

/// The answer to a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    /// For each path of the question.
    pub has: Vec<Has>,
    /// What is left of the last connection.
    pub partial: Option<Partial>,
}

/// How the receiver ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// All paths are valid, and are kept as long as the session lasts.
    Done,
    /// What was made of what came for this path is not what was announced. Another question may follow, and the
    /// whole path.
    Wrong {
        /// Its index in the question.
        index: usize,
        /// What went wrong, for people.
        why: String,
    },
    /// Something is no longer, or not yet, where the answer said. Another question may follow.
    Lacks {
        /// What.
        why: String,
    },
    /// The host's daemon refuses; its words.
    Refused {
        /// What it said.
        why: String,
    },
    /// The receiver does not understand the sender, or cannot do its work.
    Failed {
        /// Why.
        why: String,
    },
}

/// Something that the receiver says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Said {
    Answer(Answer),
    /// So many bytes of the stream have been taken in; also said, the same again, while a daemon is at work.
    GoingOn {
        received: u64,
    },
    Verdict(Verdict),
}

impl Said {
    /// Writes the sent form.
    pub(crate) fn write(&self, to: &mut impl Write) -> std::io::Result<()> {
        let mut message = Vec::new();
        match self {
            Self::Answer(answer) => answer.write(&mut message),
            Self::GoingOn { received } => {
                message.push(GOING_ON);
                write_number(*received, &mut message);
            }
            Self::Verdict(verdict) => verdict.write(&mut message),
        }
        write_message(&message, to)?;
        to.flush()
    }

    /// Reads the sent form.
    pub(crate) fn read(from: &mut impl Read) -> Result<Self, Malformed> {
        let message = read_message("what the receiver says", MAX_MESSAGE, from)?;
        let mut bytes = &message[..];
        let said = match read_byte("what the receiver says", &mut bytes)? {
            ANSWER => Self::Answer(Answer::read(&mut bytes)?),
            GOING_ON => Self::GoingOn { received: read_number("the bytes taken in", &mut bytes)? },
            VERDICT => Self::Verdict(Verdict::read(&mut bytes)?),
            _ => return Err(Malformed::Unexpected { what: "a message of the receiver" }),
        };
        end(bytes)?;
        Ok(said)
    }
}

impl Answer {
    fn write(&self, to: &mut Vec<u8>) {
        to.push(ANSWER);
        write_number(self.has.len() as u64, to);
        let number =
            |has: &Has| u8::try_from(Has::ALL.iter().position(|one| one == has).unwrap_or(3)).unwrap_or(3);
        for four in self.has.chunks(4) {
            to.push(four.iter().enumerate().fold(0, |byte, (at, has)| byte | number(has) << (2 * at)));
        }
        if let Some(Partial { index, nar_hash, bytes }) = self.partial {
            write_number(index as u64, to);
            to.extend_from_slice(&nar_hash.0);
            write_number(bytes, to);
        }
    }

    fn read(bytes: &mut &[u8]) -> Result<Self, Malformed> {
        let count = read_index("the number of paths", MAX_PATHS, bytes)?;
        let mut has = Vec::new();
        for at in (0..count).step_by(4) {
            let byte = read_byte("what the receiver has", bytes)?;
            let four = (0..4).map(|at| Has::ALL[usize::from(byte >> (2 * at) & 3)]);
            has.extend(four.take(count - at));
        }
        let partial = if bytes.is_empty() { None } else { Some(Partial::read(count, bytes)?) };
        Ok(Self { has, partial })
    }
}

impl Partial {
    fn read(count: usize, bytes: &mut &[u8]) -> Result<Self, Malformed> {
        let index = read_index("the path that was begun", count.saturating_sub(1), bytes)?;
        let nar_hash = Sha256(read_array("the hash of what was begun", bytes)?);
        Ok(Self { index, nar_hash, bytes: read_number("the bytes of what was begun", bytes)? })
    }
}

impl Verdict {
    fn write(&self, to: &mut Vec<u8>) {
        let (kind, index, why) = match self {
            Self::Done => (0, None, ""),
            Self::Wrong { index, why } => (1, Some(*index), &**why),
            Self::Lacks { why } => (2, None, &**why),
            Self::Refused { why } => (3, None, &**why),
            Self::Failed { why } => (4, None, &**why),
        };
        to.extend([VERDICT, kind]);
        if let Some(index) = index {
            write_number(index as u64, to);
        }
        // Long texts go in pieces; nobody reads more than this of them.
        why.as_bytes().chunks(255).take(16).for_each(|piece| write_short(piece, to));
    }

    fn read(bytes: &mut &[u8]) -> Result<Self, Malformed> {
        let kind = read_byte("a verdict", bytes)?;
        let index = if kind == 1 { Some(read_index("the wrong path", MAX_PATHS, bytes)?) } else { None };
        let mut why = Vec::new();
        while !bytes.is_empty() {
            why.extend_from_slice(read_short("the words of a verdict", bytes)?);
        }
        let why = String::from_utf8_lossy(&why).into_owned();
        match (kind, index) {
            (0, _) => Ok(Self::Done),
            (1, Some(index)) => Ok(Self::Wrong { index, why }),
            (2, _) => Ok(Self::Lacks { why }),
            (3, _) => Ok(Self::Refused { why }),
            (4, _) => Ok(Self::Failed { why }),
            _ => Err(Malformed::Unexpected { what: "a verdict" }),
        }
    }
}

fn read_index(what: &'static str, limit: usize, bytes: &mut &[u8]) -> Result<usize, Malformed> {
    let found = read_bounded(what, limit as u64, bytes)?;
    usize::try_from(found).map_err(|_| Malformed::TooMuch { what, found, limit: limit as u64 })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(said: &Said) -> Vec<u8> {
        let mut bytes = Vec::new();
        said.write(&mut bytes).unwrap();
        bytes
    }

    fn verdicts() -> impl Strategy<Value = Verdict> {
        (0..5, 0..MAX_PATHS, "\\PC{0,600}").prop_map(|(kind, index, why)| match kind {
            0 => Verdict::Done,
            1 => Verdict::Wrong { index, why },
            2 => Verdict::Lacks { why },
            3 => Verdict::Refused { why },
            _ => Verdict::Failed { why },
        })
    }

    fn answers() -> impl Strategy<Value = Answer> {
        let has = prop::collection::vec((0..4_usize).prop_map(|at| Has::ALL[at]), 1..300);
        (has, any::<Option<(usize, [u8; 32], u64)>>()).prop_map(|(has, partial)| {
            let count = has.len();
            let partial = partial.map(|(index, hash, bytes)| Partial {
                index: index % count,
                nar_hash: Sha256(hash),
                bytes,
            });
            Answer { has, partial }
        })
    }

    proptest! {
        #[test]
        fn what_is_said_is_heard(answer in answers(), verdict in verdicts(), received: u64) {
            for said in [Said::Answer(answer), Said::GoingOn { received }, Said::Verdict(verdict)] {
                prop_assert_eq!(Said::read(&mut &written(&said)[..]).unwrap(), said);
            }
        }

        #[test]
        fn any_bytes_are_a_word_or_an_error(bytes: Vec<u8>) {
            let _said = Said::read(&mut &bytes[..]);
        }
    }

    #[test]
    fn endless_words_of_a_verdict_are_cut() {
        let said = Said::Verdict(Verdict::Refused { why: "x".repeat(1 << 20) });
        let heard = Said::read(&mut &written(&said)[..]).unwrap();
        assert!(matches!(heard, Said::Verdict(Verdict::Refused { why }) if why.len() == 16 * 255));
    }
}
