//! Activations that hang, take long, fill the disk, hide the state, eat the memory or cannot be undone.

use anyhow::Result;

use super::{
    Case,
    attempts::{Attempt, attempt},
};

const DEFAULTS: &str = r#"confirmTimeout = "20s"; settle = "0s"; sshOptions = [ "ConnectTimeout=3" ];"#;
const HANGS: &str = r#"systemd.services.hangs = { wantedBy = [ "multi-user.target" ]; script = "sleep infinity"; serviceConfig.Type = "oneshot"; };"#;
const CASE: Case =
    Case { id: "", happens: "", ending: "rolled_back", cause: "unconfirmed", told: &[], way: &[] };

#[test]
fn that_hang_or_take_long() -> Result<()> {
    attempt(
        DEFAULTS,
        &[
            Attempt {
                host: "idle",
                settings: r#"activation.idle = "10s";"#,
                change: HANGS,
                case: Case {
                    id: "A-idle",
                    happens: "The activation waits for ever and holds switch-to-configuration's own lock; nothing moves.",
                    cause: "activation",
                    told: &["showed no progress for the idle limit"],
                    ..CASE
                },
                ..Attempt::default()
            },
            Attempt {
                host: "total",
                settings: r#"activation.total = "10s";"#,
                change: HANGS,
                case: Case {
                    id: "A-total",
                    happens: "The same, with a limit for all of it.",
                    cause: "activation",
                    told: &["took longer than the total limit"],
                    ..CASE
                },
                ..Attempt::default()
            },
            Attempt {
                host: "late",
                before: r#"systemd.services.slow = { wantedBy = [ "multi-user.target" ]; script = "trap '' TERM; while true; do sleep 0.1; done"; serviceConfig.TimeoutStopSec = 25; };"#,
                change: r#"environment.etc."motd".text = "without it";"#,
                case: Case {
                    id: "G",
                    happens: "A unit takes longer to stop than a confirmation may take.",
                    ending: "confirmed",
                    cause: "",
                    ..CASE
                },
                ..Attempt::default()
            },
            Attempt {
                host: "loader",
                change: "lab.loader.slowSeconds = 25;",
                case: Case {
                    id: "F",
                    happens: "The boot loader's installer takes longer than what is left until the deadline.",
                    ending: "confirmed",
                    cause: "",
                    ..CASE
                },
                ..Attempt::default()
            },
        ],
    )
}

#[test]
fn that_take_what_the_way_back_needs() -> Result<()> {
    attempt(
        DEFAULTS,
        &[
            Attempt {
                host: "full",
                change: r#"services.openssh.openFirewall = false; systemd.services.fills = { wantedBy = [ "multi-user.target" ]; path = [ pkgs.coreutils ]; script = "cat /dev/zero > /var/fill || true"; serviceConfig = { Type = "oneshot"; RemainAfterExit = true; }; };"#,
                case: Case {
                    id: "H-full",
                    happens: "A service of the new system fills the disk, and nobody can log in.",
                    ..CASE
                },
                ..Attempt::default()
            },
            Attempt {
                host: "hidden",
                change: r#"services.openssh.openFirewall = false; fileSystems."/var/lib" = { device = "tmpfs"; fsType = "tmpfs"; };"#,
                case: Case {
                    id: "H-mount",
                    happens: "The new system mounts something over /var/lib, and nobody can log in.",
                    ..CASE
                },
                ..Attempt::default()
            },
            Attempt {
                host: "mount",
                before: r#"fileSystems."/var/lib/data" = { device = "tmpfs"; fsType = "tmpfs"; };"#,
                change: r#"services.openssh.openFirewall = false; fileSystems."/var/lib/data" = { device = "other"; fsType = "tmpfs"; };"#,
                case: Case {
                    id: "O",
                    happens: "A changed mount restarts all units that need it, and nobody can log in.",
                    ..CASE
                },
                ..Attempt::default()
            },
            Attempt {
                host: "memory",
                prepare: Some(|host| host.limit_memory(Some(512))),
                change: r#"system.activationScripts.eats = "${pkgs.python3}/bin/python3 -c 'held = [bytearray(1 << 24) for _ in range(1 << 10)]'";"#,
                case: Case {
                    id: "oom",
                    happens: "The activation eats the memory until the kernel kills processes.",
                    cause: "activation",
                    ..CASE
                },
                ..Attempt::default()
            },
            Attempt {
                host: "database",
                before: "services.pocketdb.enable = true;",
                change: r#"services.pocketdb = { enable = true; schema = 2; }; services.openssh.openFirewall = false;"#,
                case: Case {
                    id: "Q",
                    happens: "The new system migrates a database that the old one then refuses.",
                    told: &["pocketdb.service"],
                    ..CASE
                },
                ..Attempt::default()
            },
        ],
    )
}
