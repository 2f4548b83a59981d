//! The only door to child processes.
//!
//! A child is started from an argument vector, never from a shell string. It gets a process group of
//! its own, its output is bounded, and it ends when its owner ends: on drop the whole group is killed,
//! and when the owning process dies without a word the kernel kills the child.
//!
//! ```no_run
//! # fn main() -> Result<(), run::Error> {
//! let listing = run::Command::new("ip").args(["-json", "link"]).run()?;
//! println!("{}", listing.stdout_text());
//! # Ok(()) }
//! ```

mod capture;
mod child;
mod command;
mod error;
mod spawner;

pub use self::child::{Child, Finished};
pub use self::command::{Command, Output};
pub use self::error::Error;

#[cfg(test)]
mod tests;
