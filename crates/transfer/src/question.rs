//! What the sender asks: which of these paths are there, and which of their bases.

use std::{
    io::{Read, Write},
    time::Duration,
};

use delta::wire::{WireError, read_bounded, read_byte, write_number};
use store::store_path::StorePath;

use crate::wire::{Malformed, VERSION, end, read_message, read_path, write_message, write_path};

/// Most paths of one transfer. A large system has a few thousand.
pub const MAX_PATHS: usize = 1 << 16;
/// Most bytes of what is asked of one path: two paths with names.
const MAX_ENTRY: u64 = 512;
/// Most bytes of what is asked of all paths.
const MAX_ENTRIES: usize = 8 << 20;
/// Longest time for which caches may be asked, in seconds.
const MAX_WAIT: u64 = 24 * 3600;

/// What the sender asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Question {
    /// For how long the receiver may get what it lacks from its own caches; not at all without a time.
    pub substitute: Option<Duration>,
    /// The paths that shall be valid, each after all it refers to; the last is what they are wanted for.
    pub paths: Vec<Wanted>,
}

/// A path that shall be valid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// The path.
    pub path: StorePath,
    /// Another path that it could be made of, if the receiver has that.
    pub base: Option<StorePath>,
}

impl Question {
    /// Writes the sent form.
    pub(crate) fn write(&self, to: &mut impl Write) -> std::io::Result<()> {
        let mut head = vec![VERSION];
        let seconds = self.substitute.map_or(0, |limit| limit.as_secs().clamp(1, MAX_WAIT));
        write_number(seconds, &mut head);
        write_number(self.paths.len() as u64, &mut head);
        write_message(&head, to)?;
        for Wanted { path, base } in &self.paths {
            let mut entry = Vec::new();
            write_path(path, None, &mut entry);
            if let Some(base) = base {
                write_path(base, Some(path), &mut entry);
            }
            write_message(&entry, to)?;
        }
        Ok(())
    }

    /// Reads the sent form.
    pub(crate) fn read(from: &mut impl Read) -> Result<Self, Malformed> {
        let head = read_message("the head of a question", MAX_ENTRY, from)?;
        let mut head = &head[..];
        match read_byte("the version of a question", &mut head)? {
            VERSION => {}
            found => return Err(Malformed::Version { found }),
        }
        let seconds = read_bounded("the time for caches", MAX_WAIT, &mut head)?;
        let count = read_bounded("the number of paths", MAX_PATHS as u64, &mut head)?;
        end(head)?;
        if count == 0 {
            return Err(WireError::Zero { what: "the number of paths" }.into());
        }
        let mut question =
            Self { substitute: (seconds > 0).then(|| Duration::from_secs(seconds)), paths: Vec::new() };
        let mut bytes = 0;
        for _ in 0..count {
            let entry = read_message("a path of a question", MAX_ENTRY, from)?;
            bytes += entry.len();
            if bytes > MAX_ENTRIES {
                let (found, limit) = (bytes as u64, MAX_ENTRIES as u64);
                return Err(Malformed::TooMuch { what: "a question", found, limit });
            }
            question.paths.push(Wanted::read(&entry)?);
        }
        Ok(question)
    }
}

impl Wanted {
    fn read(mut entry: &[u8]) -> Result<Self, Malformed> {
        let path = read_path(None, &mut entry)?;
        let base = if entry.is_empty() { None } else { Some(read_path(Some(&path), &mut entry)?) };
        end(entry)?;
        Ok(Self { path, base })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::cases::{path, wanted};

    fn written(question: &Question) -> Vec<u8> {
        let mut bytes = Vec::new();
        question.write(&mut bytes).unwrap();
        bytes
    }

    proptest! {
        #[test]
        fn a_question_is_heard_as_it_was_asked(bases in prop::collection::vec(any::<bool>(), 1..8), wait in 0..100_u64) {
            let paths = bases.iter().enumerate().map(|(number, has_base)| wanted(number, *has_base)).collect();
            let question = Question { substitute: (wait > 0).then(|| Duration::from_secs(wait)), paths };
            let bytes = written(&question);
            prop_assert_eq!(Question::read(&mut &bytes[..]).unwrap(), question);
            for length in 0..bytes.len() {
                prop_assert!(Question::read(&mut &bytes[..length]).is_err());
            }
        }

        #[test]
        fn any_bytes_are_a_question_or_an_error(bytes: Vec<u8>) {
            if let Ok(question) = Question::read(&mut &bytes[..]) {
                prop_assert!(bytes.starts_with(&written(&question)));
            }
        }
    }

    #[test]
    fn what_is_no_question_is_refused_for_its_reason() {
        let cases: [(&[u8], &str); 5] = [
            (&[3, 2, 0, 1], "version 2"),
            (&[3, VERSION, 0, 0], "the number of paths is 0"),
            (&[5, VERSION, 0, 0x81, 0x80, 0x04], "the number of paths is 65537"),
            (&[4, VERSION, 0, 1, 0], "1 bytes behind"),
            (&[0x81, 4], "a question has 513"),
        ];
        for (bytes, why) in cases {
            let said = Question::read(&mut &bytes[..]).unwrap_err().to_string();
            assert!(said.contains(why), "{said}");
        }
    }

    #[test]
    fn a_base_of_another_name_has_it() {
        let paths = vec![Wanted { path: path(1, "a-2"), base: Some(path(2, "a-1")) }];
        let question = Question { substitute: None, paths };
        assert_eq!(Question::read(&mut &written(&question)[..]).unwrap(), question);
    }
}
