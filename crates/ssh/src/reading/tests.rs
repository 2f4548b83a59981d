//! Texts as the programs print them, and what they are taken for.

use super::{Verdict, login, session_refused, verdict};
use crate::error::{Reason, Refusal};
use crate::program::Elevation;

#[test]
fn a_failed_login_is_known_by_its_words() {
    let cases = [
        ("ssh: connect to host 10.9.0.11 port 22: Connection refused", Reason::Refused),
        ("ssh: connect to host 10.9.0.11 port 22: Connection timed out", Reason::TimedOut),
        (
            "Connection timed out during banner exchange\nConnection to 10.9.0.11 port 22 timed out",
            Reason::TimedOut,
        ),
        ("ssh: connect to host 10.9.0.11 port 22: No route to host", Reason::NoRoute),
        ("ssh: connect to host fd09::1 port 22: Network is unreachable", Reason::NoRoute),
        ("ssh: Could not resolve hostname x: Name or service not known", Reason::NameNotFound),
        (
            "No ED25519 host key is known for x and you have requested strict checking.\nHost key verification failed.",
            Reason::HostKeyUnknown,
        ),
        (
            "@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\nHost key verification failed.",
            Reason::HostKeyChanged,
        ),
        ("root@x: Permission denied (publickey,password).", Reason::PermissionDenied),
        (
            "Received disconnect from 1.2.3.4 port 22:2: Too many authentication failures",
            Reason::PermissionDenied,
        ),
        ("command-line: line 0: Bad configuration option: nosuch", Reason::Configuration),
        ("Bad owner or permissions on /root/.ssh/config", Reason::Configuration),
        ("kex_exchange_identification: Connection closed by remote host", Reason::HungUp),
        ("kex_exchange_identification: read: Connection reset by peer", Reason::HungUp),
        ("Connection closed by 10.9.0.11 port 22", Reason::HungUp),
        ("", Reason::Other),
    ];
    for (said, reason) in cases {
        assert_eq!(login(said), reason, "{said}");
    }
}

#[test]
fn an_end_before_the_beginning_is_told_from_the_programs_own() {
    let refused = |refusal| Some(Verdict::Refused(refusal));
    let (none, sudo, run0, doas) = (Elevation::None, Elevation::Sudo, Elevation::Run0, Elevation::Doas);
    let cases = [
        (none, 127, "bash: line 1: agent: command not found", Some(Verdict::NotFound)),
        (none, 127, "fish: Unknown command: agent", Some(Verdict::NotFound)),
        (none, 1, "agent: Command not found.", Some(Verdict::NotFound)),
        (none, 126, "bash: /x: cannot execute binary file: Exec format error", Some(Verdict::NotExecutable)),
        (none, 1, "sudo: a password is required", None),
        (none, 255, "", None),
        (sudo, 1, "sudo: agent: command not found", Some(Verdict::NotFound)),
        (sudo, 127, "env: 'sudo': No such file or directory", refused(Refusal::NotInstalled)),
        (sudo, 127, "env: can't execute 'sudo': No such file or directory", refused(Refusal::NotInstalled)),
        (sudo, 1, "sudo: a password is required", refused(Refusal::PasswordNeeded)),
        (
            sudo,
            1,
            "Sorry, try again.\nsudo: no password was provided\nsudo: 1 incorrect password attempt",
            refused(Refusal::WrongPassword),
        ),
        (sudo, 1, "sudo: sorry, you must have a tty to run sudo", refused(Refusal::NeedsTerminal)),
        (sudo, 1, "deploy is not in the sudoers file.", refused(Refusal::NotAllowed)),
        (
            sudo,
            1,
            "Sorry, user deploy is not allowed to execute '/x' as root on web1.",
            refused(Refusal::NotAllowed),
        ),
        (sudo, 1, "Sorry, user deploy may not run sudo on web1.", refused(Refusal::NotAllowed)),
        (
            sudo,
            1,
            "sudo: /usr/bin/sudo must be owned by uid 0 and have the setuid bit set",
            refused(Refusal::Broken),
        ),
        (sudo, 1, "sudo: unable to resolve host web1: Name or service not known\nfailed", None),
        (sudo, 1, "agent: a password is required", None),
        (sudo, 0, "sudo: a password is required", None),
        (sudo, 127, "agent: no such thing", Some(Verdict::NotFound)),
        (run0, 1, "Failed to find executable agent: No such file or directory", Some(Verdict::NotFound)),
        (
            run0,
            1,
            "Failed to start transient service unit: Interactive authentication required.",
            refused(Refusal::PasswordNeeded),
        ),
        (run0, 1, "Failed to start transient service unit: Access denied", refused(Refusal::PasswordNeeded)),
        (doas, 1, "doas: Operation not permitted", refused(Refusal::NotAllowed)),
        (doas, 1, "doas: Authentication required", refused(Refusal::PasswordNeeded)),
        (doas, 1, "doas: agent: command not found", Some(Verdict::NotFound)),
        (doas, 1, "Operation not permitted", None),
    ];
    for (elevation, code, said, expected) in cases {
        assert_eq!(verdict(elevation, code, said), expected, "{elevation} {code} {said}");
    }
}

#[test]
fn a_refused_session_is_not_a_programs_end() {
    let said = "mux_client_request_session: session request failed: Session open refused by peer";
    assert!(session_refused(255, said) && !session_refused(1, said) && !session_refused(255, ""));
}
