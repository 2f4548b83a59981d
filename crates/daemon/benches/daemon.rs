//! Speeds of files and daemons: `cargo bench -p daemon -- <command>`. Without a command it measures what
//! needs no daemon.
//!
//! Each result is a line `bench <name> <value> <unit>`, the best of several rounds.
//!
//! | command | prints |
//! |---|---|
//! | (none), `files` | `nar_encode_fs_mib_s`, `nar_decode_fs_mib_s` |
//! | `nar-vs-nix NIX_STORE..` | `nar_vs_nix_ratio` |
//! | `add FROM TO PREFIX..` | `daemon_add_s`, `daemon_add_ratio`, `daemon_add_in_process_ratio` |
//! | `check SOCKET PREFIX..` | nothing: holds what is believed of daemons against this one |
//! | `check-stdio PREFIX..` | the same, with a `nix-daemon --stdio` for each connection |
//! | `check-untrusted SOCKET` | the same, for a user whom the daemon does not trust |
//!
//! `NIX_STORE` are the words that begin a `nix-store` command which sees `/dev/shm` as we do; `PREFIX` those
//! that run a command where the (first) daemon is, such as `chroot` and a directory. `FROM`, `TO` and
//! `SOCKET` are sockets; `TO` must have the same name for the first daemon's programs, in `/dev/shm` for example.
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
        ["add", from, to, prefix @ ..] => {
            add::against_nix(&Remote::listening(from, prefix), &Remote::listening(to, &[]));
        }
        ["check", socket, prefix @ ..] => check(&Remote::listening(socket, prefix)),
        ["check-stdio", prefix @ ..] => check(&Remote::started(prefix)),
        ["check-untrusted", socket] => check_untrusted(&Remote::listening(socket, &[])),
        _ => panic!("expected a command, see the top of this file; found {words:?}"),
    }
}

fn check(remote: &Remote<'_>) {
    oracle::check_all(&|| remote.connect(), &|command| remote.run(command));
}

fn check_untrusted(remote: &Remote<'_>) {
    oracle::check_untrusted(&|| remote.connect());
}
