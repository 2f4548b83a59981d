//! What is said of a path before its contents: what it is, and how it is made.

use delta::{
    op::Op,
    wire::{WireError, read_array, read_bounded, read_byte, read_number, write_number},
};
use store::{hash::Sha256, path_info::PathInfo};

use crate::{
    question::Wanted,
    wire::{Malformed, end, read_path, read_text, write_path, write_short},
};

/// Most bytes of an announcement: all references that there can be, each mapped.
pub(crate) const MAX_ANNOUNCEMENT: u64 = 1 << 20;
/// Most signatures of a path.
const MAX_SIGNATURES: u64 = 64;

/// A path that comes now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Announcement {
    /// Its index in the question.
    pub(crate) index: usize,
    /// What it will be.
    pub(crate) info: PathInfo,
    /// Where in the question its references are, ascending.
    pub(crate) references: Vec<usize>,
    /// How it is made.
    pub(crate) op: Op,
    /// So many bytes of its NAR are there already and do not come.
    pub(crate) from: u64,
}

impl Announcement {
    /// The sent form.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let (mut to, info) = (Vec::new(), &self.info);
        write_number(self.index as u64, &mut to);
        to.extend_from_slice(&info.nar_hash.0);
        write_number(info.nar_size, &mut to);
        write_number(self.from, &mut to);
        to.push(u8::from(info.deriver.is_some()));
        if let Some(deriver) = &info.deriver {
            write_path(deriver, None, &mut to);
        }
        let address = info.content_address.as_ref().map(ToString::to_string);
        write_short(address.unwrap_or_default().as_bytes(), &mut to);
        let signatures: Vec<_> = info.signatures.iter().map(ToString::to_string).collect();
        // A signature with so long a name of a key is nobody's.
        let signatures: Vec<_> = signatures.iter().filter(|text| text.len() < 256).take(64).collect();
        write_number(signatures.len() as u64, &mut to);
        signatures.iter().for_each(|text| write_short(text.as_bytes(), &mut to));
        write_number(self.references.len() as u64, &mut to);
        let mut next = 0;
        for reference in &self.references {
            write_number((reference - next) as u64, &mut to);
            next = reference + 1;
        }
        self.op.write(&info.path, &mut to);
        to
    }

    /// Reads the sent form. Whether the path is due the caller knows; that it refers to itself and to paths before it
    /// only is checked here.
    pub(crate) fn read(mut bytes: &[u8], wanted: &[Wanted]) -> Result<Self, Malformed> {
        let bytes = &mut bytes;
        let found = read_number("the index of a path", bytes)?;
        let unknown = Malformed::NotDue { index: found, why: "it was not asked for" };
        let index = usize::try_from(found).ok().filter(|index| *index < wanted.len()).ok_or(unknown)?;
        let path = wanted[index].path.clone();
        let nar_hash = Sha256(read_array("the hash of a NAR", bytes)?);
        let nar_size = read_number("the size of a NAR", bytes)?;
        let mut info = PathInfo::new(path, nar_hash, nar_size);
        let from = read_bounded("the bytes that are there", nar_size, bytes)?;
        if read_byte("whether there is a deriver", bytes)? != 0 {
            info.deriver = Some(read_path(None, bytes)?);
        }
        info.content_address = match bytes.split_first() {
            Some((0, rest)) => {
                *bytes = rest;
                None
            }
            _ => Some(read_text("a content address", bytes)?),
        };
        for _ in 0..read_bounded("the number of signatures", MAX_SIGNATURES, bytes)? {
            info.signatures.insert(read_text("a signature", bytes)?);
        }
        let references = read_references(index, bytes)?;
        info.references.extend(references.iter().map(|at| wanted[*at].path.clone()));
        let op = Op::read(&info.path, bytes)?;
        end(bytes)?;
        Ok(Self { index, info, references, op, from })
    }
}

/// Indexes of paths that are not behind `index`.
fn read_references(index: usize, bytes: &mut &[u8]) -> Result<Vec<usize>, Malformed> {
    let count = read_bounded("the number of references", index as u64 + 1, bytes)?;
    let mut references = Vec::new();
    let mut next = 0;
    for _ in 0..count {
        let found = read_bounded("a reference", index as u64, bytes)? + next;
        let limit = index as u64;
        let beyond = || WireError::TooLarge { what: "a reference", found, limit };
        let reference = usize::try_from(found).ok().filter(|at| *at <= index);
        references.push(reference.ok_or_else(beyond)?);
        next = found + 1;
    }
    Ok(references)
}

#[cfg(test)]
mod tests {
    use delta::{op::Base, references::ReferenceMap};
    use proptest::prelude::*;
    use store::signature::{KeyName, SecretKey};

    use super::*;
    use crate::cases::{announcement, path, wanted};

    const COUNT: usize = 40;

    fn question() -> Vec<Wanted> {
        (0..COUNT).map(|number| wanted(number, true)).collect()
    }

    fn announcements() -> impl Strategy<Value = Announcement> {
        let references = prop::collection::btree_set(0..COUNT, 0..20);
        (0..COUNT, references, any::<[bool; 4]>(), 0..3_u8, any::<(u64, u64)>()).prop_map(
            |(index, references, [deriver, signed, addressed, _], op, (size, from))| {
                let references: Vec<_> = references.into_iter().filter(|at| *at <= index).collect();
                let mut what = announcement(index, &references);
                what.info.nar_size = size;
                what.from = from.min(size);
                what.info.deriver = deriver.then(|| path(7, "x.drv"));
                if signed {
                    let key = SecretKey::from_seed(KeyName::new("k").unwrap(), &[1; 32]);
                    what.info.signatures.insert(key.sign(b"x"));
                }
                if addressed {
                    let text = "fixed:r:sha256:1b8m03r63zqhnjf7l5wnldhh7c134ap5vpj0850ymkq1iyzicy5s";
                    what.info.content_address = Some(text.parse().unwrap());
                }
                let base = Base { path: path(9, "base"), references: ReferenceMap::default() };
                what.op = [Op::Whole, Op::Rewrite(base.clone()), Op::Patch(base)][usize::from(op)].clone();
                what
            },
        )
    }

    proptest! {
        #[test]
        fn a_path_is_heard_as_it_was_announced(what in announcements()) {
            let bytes = what.bytes();
            prop_assert_eq!(&Announcement::read(&bytes, &question()).unwrap(), &what);
            for length in 0..bytes.len() {
                prop_assert!(Announcement::read(&bytes[..length], &question()).is_err());
            }
        }

        #[test]
        fn any_bytes_are_an_announcement_or_an_error(bytes: Vec<u8>) {
            if let Ok(what) = Announcement::read(&bytes, &question()) {
                prop_assert!(what.index < COUNT && what.references.iter().all(|at| *at <= what.index));
                prop_assert!(what.from <= what.info.nar_size);
            }
        }
    }

    #[test]
    fn references_lead_to_paths_of_the_question_that_come_before() {
        for (index, references) in [(3, vec![4]), (3, vec![COUNT]), (COUNT, vec![])] {
            let what = Announcement { index, references, ..announcement(1, &[]) };
            assert!(Announcement::read(&what.bytes(), &question()).is_err(), "{what:?}");
        }
    }
}
