//! What a NixOS system says about itself, read through a tree of files, and the difference of two.
//!
//! Pure: whoever calls brings a [`Tree`], or the bytes that a program wrote.
//!
//! | module | what it knows |
//! |---|---|
//! | [`tree`] | files as they are asked for, with bounds |
//! | [`system`] | a system's directory: kernel, parameters, units, `/etc`, inhibitors |
//! | [`reboot`] | why a host must be rebooted to run a system whole |
//! | [`difference`] | what changes between two systems, and whether it touches the way to the host |
//! | [`boot`] | which system the boot loader itself names as its default |
//! | [`units`] | the states of units, and which of them failed |
//! | [`network`] | links, addresses, routes, rules, settings and listeners as facts that compare |
//! | [`generations`] | the numbered generations of a profile |

pub mod boot;
pub mod difference;
pub mod generations;
pub mod network;
pub mod reboot;
pub mod system;
pub mod tree;
pub mod units;

#[cfg(test)]
mod test_tree;
mod text;
mod wire;

pub use difference::{Difference, difference};
pub use reboot::{RebootCheck, RebootReason, reboot_reasons};
pub use system::System;
pub use tree::{ReadError, Tree, TreeError};
