//! Speeds of files and daemons: `cargo bench -p daemon -- <command>`. Without a command it measures what needs no daemon.
//!
//! Each result is a line `bench <name> <value> <unit>`, the best of several rounds.
//!
//! | command | prints |
//! |---|---|
//! | (none), `files` | `nar_encode_fs_mib_s`, `nar_decode_fs_mib_s` |
//! | `nar-vs-nix NIX_STORE..` | `nar_vs_nix_ratio`; the words begin the command `nix-store`, for the same files |
//! | `add FROM TO NIX..` | `daemon_add_ratio` between two sockets, of which the second is within reach of the first daemon's programs too |
//! | `check SOCKET NIX..` | nothing: holds what is believed of daemons against this one, under its words likewise |
//! | `check-untrusted SOCKET` | likewise, for a user whom the daemon does not trust |
#![allow(missing_docs, reason = "a program, not a library")]
#![expect(clippy::disallowed_methods, reason = "a bench reads the clock and starts what it measures against")]
#![expect(clippy::print_stdout, reason = "a bench prints its results")]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a bench that cannot measure ends")]

#[path = "daemon/add.rs"]
mod add;
#[path = "daemon/files.rs"]
mod files;
#[path = "daemon/measure.rs"]
mod measure;
#[path = "../tests/oracle/daemon.rs"]
mod oracle;
#[path = "daemon/remote.rs"]
mod remote;

use self::remote::Remote;

fn main() {
    // Cargo adds this one.
    let words: Vec<_> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        [] | ["files"] => files::rates(),
        ["nar-vs-nix", nix_store @ ..] => files::against_nix(nix_store),
        ["add", from, to, prefix @ ..] => add::against_nix(&Remote::new(from, prefix), &Remote::new(to, &[])),
        ["check", socket, prefix @ ..] => check(&Remote::new(socket, prefix)),
        ["check-untrusted", socket] => check_untrusted(&Remote::new(socket, &[])),
        _ => panic!("expected a command, see the top of this file; found {words:?}"),
    }
}

fn check(remote: &Remote<'_>) {
    oracle::check_all(&|| remote.connect(), &|command| remote.run(command));
}

fn check_untrusted(remote: &Remote<'_>) {
    oracle::check_untrusted(&|| remote.connect());
}
