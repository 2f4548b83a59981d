//! The primitives of the worker protocol: a number is 8 little-endian bytes; a string is its length, its
//! bytes, and zeros up to a multiple of 8; a list is its length and its elements.

mod encoder;
mod reader;

pub(crate) use self::{
    encoder::Encoder,
    reader::{WireReader, quoted},
};

#[cfg(test)]
pub(crate) mod tests;
