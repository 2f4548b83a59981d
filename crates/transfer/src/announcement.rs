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
