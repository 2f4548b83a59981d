//! Changes of the way in: users, keys, rights, host keys and ports.

use anyhow::Result;

use super::{
    CONFIRMED, Case, UNCONFIRMED,
    attempts::{Attempt, PLAIN, attempt},
};

const USER: &str = r#"user = "deploy";"#;
/// A user with the operator's key who is root without a password.
const DEPLOYS: &str = r#"users.users.deploy = { isNormalUser = true; extraGroups = [ "wheel" ]; openssh.authorizedKeys.keys = [ "KEY" ]; }; security.sudo.wheelNeedsPassword = false;"#;

/// Who may log in, as whom, and where.
const LOGINS: &[Attempt] = &[
    Attempt {
        host: "nobody",
        settings: USER,
        before: DEPLOYS,
        change: "",
        case: Case {
            id: "user-removed",
            happens: "The new system has no longer the user who deploys.",
            told: &["the login was denied"],
            ..UNCONFIRMED
        },
        ..PLAIN
    },
    Attempt {
        host: "keyless",
        settings: USER,
        before: DEPLOYS,
        change: r#"users.users.deploy = { isNormalUser = true; extraGroups = [ "wheel" ]; }; security.sudo.wheelNeedsPassword = false;"#,
        case: Case {
            id: "user-key-removed",
            happens: "The new system does not know the key of the user who deploys.",
            told: &["the login was denied"],
            ..UNCONFIRMED
        },
        ..PLAIN
    },
    Attempt {
        host: "powerless",
        settings: USER,
        before: DEPLOYS,
        change: r#"users.users.deploy = { isNormalUser = true; openssh.authorizedKeys.keys = [ "KEY" ]; };"#,
        case: Case {
            id: "user-sudo-removed",
            happens: "On the new system the user who deploys may not become root.",
            told: &["sudo"],
            ..UNCONFIRMED
        },
        ..PLAIN
    },
    Attempt {
        host: "stranger",
        change: r#"services.openssh.hostKeys = [ { type = "ed25519"; path = "/var/lib/ssh/other_key"; } ];"#,
        case: Case {
            id: "host-key-changed",
            happens: "The new system shows another host key than the operator knows.",
            told: &["host key"],
            ..UNCONFIRMED
        },
        ..PLAIN
    },
    Attempt {
        host: "moved",
        change: "services.openssh.ports = [ 2222 ];",
        case: Case {
            id: "port-moved",
            happens: "sshd of the new system listens on a port that the description does not tell.",
            ..UNCONFIRMED
        },
        ..PLAIN
    },
    Attempt {
        host: "follows",
        settings: r#"addresses = [ "follows:2222" "follows:22" ]; confirmTimeout = "2m";"#,
        change: "services.openssh.ports = [ 2222 ];",
        case: Case {
            id: "M",
            happens: "sshd moves to a port that the description names, too.",
            way: &["-p", "2222"],
            ..CONFIRMED
        },
        ..PLAIN
    },
    Attempt {
        host: "shut",
        change: "services.openssh.enable = lib.mkForce false;",
        case: Case {
            id: "sshd-removed",
            happens: "The new system has no sshd, while the connection that deploys it goes on.",
            ..UNCONFIRMED
        },
        ..PLAIN
    },
];

#[test]
fn who_logs_in_and_how() -> Result<()> {
    attempt(LOGINS)
}
