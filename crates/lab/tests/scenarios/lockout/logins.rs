//! Changes of the way in: users, keys, rights, host keys and ports.

use anyhow::Result;

use super::{
    Case,
    attempts::{Attempt, attempt},
};

/// Long enough to log in on a busy machine, and for tries that fail.
const DEFAULTS: &str = r#"confirmTimeout = "20s"; settle = "0s"; sshOptions = [ "ConnectTimeout=3" ];"#;
const USER: &str = r#"user = "deploy";"#;
/// A user with the operator's key who is root without a password.
const DEPLOYS: &str = r#"users.users.deploy = { isNormalUser = true; extraGroups = [ "wheel" ]; openssh.authorizedKeys.keys = [ "KEY" ]; }; security.sudo.wheelNeedsPassword = false;"#;

#[test]
fn who_logs_in_and_how() -> Result<()> {
    let unconfirmed = Case { ending: "rolled_back", cause: "unconfirmed", ..Case::default() };
    attempt(
        DEFAULTS,
        &[
            Attempt {
                host: "nobody",
                settings: USER,
                before: DEPLOYS,
                change: "",
                case: Case {
                    id: "user-removed",
                    happens: "The new system has no longer the user who deploys.",
                    told: &["the login was denied"],
                    ..unconfirmed
                },
                ..Attempt::default()
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
                    ..unconfirmed
                },
                ..Attempt::default()
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
                    ..unconfirmed
                },
                ..Attempt::default()
            },
            Attempt {
                host: "stranger",
                change: r#"services.openssh.hostKeys = [ { type = "ed25519"; path = "/var/lib/ssh/other_key"; } ];"#,
                case: Case {
                    id: "host-key-changed",
                    happens: "The new system shows another host key than the operator knows.",
                    told: &["host key"],
                    ..unconfirmed
                },
                ..Attempt::default()
            },
            Attempt {
                host: "moved",
                change: "services.openssh.ports = [ 2222 ];",
                case: Case {
                    id: "port-moved",
                    happens: "sshd of the new system listens on a port that the description does not tell.",
                    ..unconfirmed
                },
                ..Attempt::default()
            },
            Attempt {
                host: "follows",
                settings: r#"addresses = [ "follows:2222" "follows:22" ];"#,
                change: "services.openssh.ports = [ 2222 ];",
                case: Case {
                    id: "M",
                    happens: "sshd moves to a port that the description names, too.",
                    ending: "confirmed",
                    way: &["-p", "2222"],
                    ..Case::default()
                },
                ..Attempt::default()
            },
            Attempt {
                host: "shut",
                change: "services.openssh.enable = lib.mkForce false;",
                case: Case {
                    id: "sshd-removed",
                    happens: "The new system has no sshd, while the connection that deploys it goes on.",
                    ..unconfirmed
                },
                ..Attempt::default()
            },
        ],
    )
}
