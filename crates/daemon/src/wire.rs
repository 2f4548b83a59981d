//! The primitives of the worker protocol: a number is 8 little-endian bytes; a string is its length, its
//! bytes, and zeros up to a multiple of 8; a list is its length and its elements.

mod encoder;
mod reader;

pub(crate) use self::{
    encoder::Encoder,
    reader::{WireReader, excerpt, quoted},
};

/// Zero bytes between `length` bytes and the next number.
const fn padding(length: u64) -> usize {
    (length.wrapping_neg() % 8) as usize
}

#[cfg(test)]
pub(crate) mod tests;
