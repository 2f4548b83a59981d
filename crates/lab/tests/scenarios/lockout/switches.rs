//! Activations that hang, take long, fill the disk, hide the state, eat the memory or cannot be undone.

use anyhow::Result;

use super::{
    CONFIRMED, Case, UNCONFIRMED,
    attempts::{Attempt, PLAIN, attempt},
};

const HANGS: &str = r#"systemd.services.hangs = { wantedBy = [ "multi-user.target" ]; script = "sleep infinity"; serviceConfig.Type = "oneshot"; };"#;
/// Limits, and what takes longer than one of them.
const LONG: &[Attempt] = &[
    Attempt {
        host: "idle",
        settings: r#"activation.idle = "10s";"#,
        change: HANGS,
        case: Case {
            id: "A-idle",
            happens: "The activation waits for ever and holds switch-to-configuration's own lock; nothing moves.",
            cause: "activation",
            told: &["showed no progress for the idle limit"],
            ..UNCONFIRMED
        },
        ..PLAIN
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
            ..UNCONFIRMED
        },
        ..PLAIN
    },
    Attempt {
        host: "late",
        settings: r#"confirmTimeout = "30s";"#,
        before: r#"systemd.services.slow = { wantedBy = [ "multi-user.target" ]; script = "trap '' TERM; while true; do sleep 0.1; done"; serviceConfig.TimeoutStopSec = 35; };"#,
        change: r#"environment.etc."motd".text = "without it";"#,
        case: Case {
            id: "G",
            happens: "A unit takes longer to stop than a confirmation may take.",
            ..CONFIRMED
        },
        ..PLAIN
    },
    Attempt {
        host: "loader",
        settings: r#"confirmTimeout = "30s";"#,
        change: "lab.loader.slowSeconds = 35;",
        case: Case {
            id: "F",
            happens: "The boot loader's installer takes longer than what is left until the deadline.",
            ..CONFIRMED
        },
        ..PLAIN
    },
];

#[test]
fn that_hang_or_take_long() -> Result<()> {
    attempt(LONG)
}

/// Disk, state, memory and data.
const TAKEN: &[Attempt] = &[
    Attempt {
        host: "full",
        change: r#"services.openssh.openFirewall = false; systemd.services.fills = { wantedBy = [ "multi-user.target" ]; path = [ pkgs.coreutils ]; script = "cat /dev/zero > /var/fill 2> /run/filled || true"; serviceConfig = { Type = "oneshot"; RemainAfterExit = true; }; };"#,
        proof: "test -s /var/fill && grep 'No space left' /run/filled",
        case: Case {
            id: "H-full",
            happens: "A service of the new system fills the disk, and nobody can log in.",
            ..UNCONFIRMED
        },
        ..PLAIN
    },
    Attempt {
        host: "hidden",
        change: r#"services.openssh.openFirewall = false; fileSystems."/var/lib" = { device = "tmpfs"; fsType = "tmpfs"; };"#,
        proof: "journalctl -u var-lib.mount | grep Mounted",
        case: Case {
            id: "H-mount",
            happens: "The new system mounts something over /var/lib, and nobody can log in.",
            ..UNCONFIRMED
        },
        ..PLAIN
    },
    Attempt {
        host: "mount",
        before: r#"fileSystems."/var/lib/data" = { device = "tmpfs"; fsType = "tmpfs"; };"#,
        change: r#"services.openssh.openFirewall = false; fileSystems."/var/lib/data" = { device = "other"; fsType = "tmpfs"; };"#,
        proof: "test $(journalctl -u var-lib-data.mount | grep -c Mounted) -ge 3",
        case: Case {
            id: "O",
            happens: "A changed mount restarts all units that need it, and nobody can log in.",
            ..UNCONFIRMED
        },
        ..PLAIN
    },
    Attempt {
        host: "memory",
        prepare: Some(|host| host.limit_memory(Some(512))),
        change: r#"system.activationScripts.eats = "${pkgs.python3}/bin/python3 -c 'held = [bytearray(1 << 24) for _ in range(1 << 10)]'";"#,
        case: Case {
            id: "oom",
            happens: "The activation eats the memory until the kernel kills processes.",
            cause: "activation",
            told: &["Killed"],
            ..UNCONFIRMED
        },
        ..PLAIN
    },
    Attempt {
        host: "database",
        before: "services.pocketdb.enable = true;",
        change: r#"services.pocketdb = { enable = true; schema = 2; }; services.openssh.openFirewall = false;"#,
        proof: "journalctl -u pocketdb | grep 'refusing to go back'",
        case: Case {
            id: "Q",
            happens: "The new system migrates a database that the old one then refuses.",
            told: &["pocketdb.service"],
            ..UNCONFIRMED
        },
        ..PLAIN
    },
];

#[test]
fn that_take_what_the_way_back_needs() -> Result<()> {
    attempt(TAKEN)
}
