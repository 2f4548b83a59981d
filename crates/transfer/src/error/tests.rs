//! What daemons say and what is made of it.

use std::io;

use daemon::Operation;

use super::*;

fn said(message: &str) -> DaemonError {
    DaemonError { message: message.to_owned(), traces: Vec::new() }
}

#[test]
fn refusals_are_told_apart_by_the_daemons_words() {
    let cases = [
        ("cannot add path '/nix/store/x' because it lacks a signature by a trusted key", Refusal::Signature),
        ("you are not privileged to build input-addressed derivations", Refusal::Signature),
        ("writing to file: No space left on device", Refusal::DiskFull),
        ("error: writing to file: Disk quota exceeded", Refusal::DiskFull),
        (
            "executing SQLite statement: database or disk is full (in '/nix/var/nix/db/db.sqlite')",
            Refusal::DiskFull,
        ),
        ("opening file '/nix/store/x': Read-only file system", Refusal::ReadOnly),
        ("attempt to write a readonly database", Refusal::ReadOnly),
        ("hash mismatch importing path '/nix/store/x'", Refusal::Corrupt),
        ("size mismatch importing path '/nix/store/x'", Refusal::Corrupt),
        ("something new", Refusal::Other),
        ("", Refusal::Other),
    ];
    for (message, refusal) in cases {
        assert_eq!(Refusal::of(&said(message)), refusal, "{message}");
    }
}

#[test]
fn what_a_new_connection_may_mend() {
    let operation = Operation::AddMultipleToStore;
    let lost = || daemon::Error::Io { operation, source: io::ErrorKind::BrokenPipe.into() };
    let refused =
        |message| daemon::Error::Daemon { operation, connection_usable: false, source: said(message) };
    let local = |source| Error::Local { path: "x".into(), source };
    let limit = Duration::from_secs(1);
    let cases = [
        (Error::remote(lost()), true, Side::Remote),
        (Error::remote(refused("No space left on device")), false, Side::Remote),
        (Error::remote(refused("something new")), false, Side::Remote),
        (local(lost().into()), true, Side::Local),
        (local(refused("path 'x' is not valid").into()), false, Side::Local),
        (Error::Stalled { side: Side::Local, limit }, true, Side::Local),
        (Error::Stalled { side: Side::Remote, limit }, true, Side::Remote),
    ];
    for (error, can_resume, side) in cases {
        assert_eq!((error.can_resume(), error.side()), (can_resume, side), "{error:?}");
    }
}
