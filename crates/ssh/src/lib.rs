//! The only door to the system's `ssh`: byte streams to programs on hosts, elevated where that is asked for.
//!
//! A [`Way`] is how one host is reached: its addresses in order, options, patience. [`Way::shared`] is the one
//! connection of this run; [`Way::fresh`] always logs in anew, so it proves that the next run gets in, too. Both are
//! a [`Connection`]: an `ssh` that is our child and master of a socket in a private directory ([`Sockets`]), so any
//! number of programs costs one login, and nothing stays behind when we end.
//!
//! [`Connection::open`] starts a program that speaks first, as the agent does, and returns when it has spoken: by
//! then a password was asked for if one was needed, and everything that can be wrong (not found, not allowed, wrong
//! password) is a typed [`Error`]. [`Connection::open_quiet`] starts a program that waits for our first word, such as
//! `nix-daemon --stdio`. [`Connection::output`] runs a small command to its end.
//!
//! ```no_run
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use ssh::{Program, Reach, Sockets, Way, Word};
//! let way = Way::new(Reach::to(["root@web1:2222".parse()?]), Sockets::create()?);
//! let uname = Program::new(Word::new("uname")?, [Word::new("-sm")?]);
//! let system = way.shared()?.output(&uname, &mut |_| None)?;
//! println!("{} {}", system.code, String::from_utf8_lossy(&system.stdout));
//! # Ok(()) }
//! ```

mod address;
mod arguments;
mod channel;
mod connection;
mod error;
mod options;
mod program;
mod prompt;
mod reading;
mod secret;
mod sockets;
mod start;
mod tail;
mod way;

pub use self::address::{Address, NotAnAddress, Remote, User};
pub use self::channel::{Channel, Control, Reader};
pub use self::connection::{Connection, Output};
pub use self::error::{Error, Failure, Reason, Refusal, Told};
pub use self::options::{BadOption, Options};
pub use self::program::{Elevation, NotAWord, Program, Word};
pub use self::secret::{Ask, PasswordRequest, Secret};
pub use self::sockets::{NoSockets, Sockets};
pub use self::way::{Prompts, Reach, Way};
