//! Changes of the network: leases, addresses, firewalls, jump hosts; and hosts whose clock is wrong.

use anyhow::Result;

use super::{
    CONFIRMED, Case, UNCONFIRMED,
    attempts::{Attempt, PLAIN, attempt},
};

const CLOSED: &str = "services.openssh.openFirewall = false;";
/// At most four new connections to sshd in a short time; who tries on and on does not come in.
const PENALTIES: &str = r#"networking.firewall.extraCommands = "nft insert rule inet nixos-fw input tcp dport 22 ct state new limit rate over 4/minute burst 1 packets drop";"#;
/// A network that is taken down and up by the switch.
const RESTARTS: &str = r#"lab.dhcp = { seconds = 3; timeout = 1; };"#;

/// What becomes of the line to the host, and of those who come over it.
const LINES: &[Attempt] = &[
    Attempt {
        host: "slow",
        settings: r#"confirmTimeout = "2m"; settle = "5s";"#,
        change: "lab.dhcp = { seconds = 40; timeout = 1; };",
        case: Case {
            id: "dhcp-slow",
            happens: "After the switch the lease takes 40 seconds to come.",
            ..CONFIRMED
        },
        ..PLAIN
    },
    Attempt {
        host: "lost",
        settings: r#"settle = "8s"; confirmTimeout = "25s";"#,
        change: "lab.dhcp.loseAfter = 5;",
        case: Case {
            id: "E",
            happens: "All is well when the switch returns, and 5 seconds later the address is gone.",
            ..UNCONFIRMED
        },
        ..PLAIN
    },
    Attempt {
        host: "none",
        change: "networking.useDHCP = lib.mkForce false;",
        case: Case { id: "address-removed", happens: "The new system has no address.", ..UNCONFIRMED },
        ..PLAIN
    },
    Attempt {
        host: "walled",
        change: CLOSED,
        case: Case {
            id: "firewall",
            happens: "The firewall keeps the connections that stand and drops new ones.",
            ..UNCONFIRMED
        },
        ..PLAIN
    },
    Attempt {
        host: "six",
        settings: r#"addresses = [ "six" "[ADDRESS6]" ]; confirmTimeout = "2m";"#,
        change: r#"lab.dhcp.family = "ipv6";"#,
        case: Case {
            id: "ipv6-only",
            happens: "The host is left with its IPv6 address, which the description names.",
            way: &["-o", "HostName=ADDRESS6"],
            ..CONFIRMED
        },
        ..PLAIN
    },
    Attempt {
        host: "four",
        change: r#"lab.dhcp.family = "ipv6";"#,
        case: Case {
            id: "ipv6-unknown",
            happens: "The host is left with an IPv6 address that the description does not tell.",
            ..UNCONFIRMED
        },
        ..PLAIN
    },
    Attempt {
        host: "early",
        prepare: Some(|host| host.set_clock("1970-01-01 00:00:00")),
        change: CLOSED,
        proof: "test $(date +%Y) = 1970",
        case: Case {
            id: "clock-1970",
            happens: "The host's clock stands at 1970, and the new system's firewall lets nobody in.",
            ..UNCONFIRMED
        },
        ..PLAIN
    },
    Attempt {
        host: "touch",
        settings: r#"sshOptions = [ "ProxyCommand=bash -c 'sleep 12; exec 3<>/dev/tcp/%h/%p; cat <&3 & exec cat >&3'" "ConnectTimeout=60" ]; confirmTimeout = "2m";"#,
        change: r#"environment.etc."motd".text = "touched";"#,
        case: Case {
            id: "L-touch",
            happens: "Each login takes 12 seconds, as with a key that wants to be touched.",
            ..CONFIRMED
        },
        ..PLAIN
    },
    Attempt {
        host: "strict",
        settings: r#"confirmTimeout = "2m";"#,
        change: PENALTIES,
        proof: "nft list ruleset | grep 'limit rate over 4/minute'",
        case: Case {
            id: "L",
            happens: "The new system punishes those who try to log in often.",
            ..CONFIRMED
        },
        ..PLAIN
    },
];

#[test]
fn addresses_and_firewalls() -> Result<()> {
    attempt(LINES)
}

/// Hosts that others are reached through.
const JUMPS: &[Attempt] = &[
    Attempt {
        host: "jump",
        settings: r#"gatewayFor = [ "behind" ]; confirmTimeout = "2m";"#,
        change: RESTARTS,
        case: Case {
            id: "K-gateway",
            happens: "A jump host restarts its network while it and a host behind it are deployed.",
            ..CONFIRMED
        },
        ..PLAIN
    },
    Attempt {
        host: "behind",
        settings: r#"sshOptions = [ "ProxyJump=jump" ]; confirmTimeout = "2m";"#,
        change: RESTARTS,
        case: Case { id: "K", happens: "The same, seen from the host behind it.", ..CONFIRMED },
        ..PLAIN
    },
    Attempt {
        host: "wall",
        settings: r#"gatewayFor = [ "beyond" ];"#,
        change: CLOSED,
        case: Case {
            id: "jump-host",
            happens: "A jump host deploys itself and lets nobody in any more.",
            ..UNCONFIRMED
        },
        ..PLAIN
    },
    Attempt {
        host: "beyond",
        settings: r#"sshOptions = [ "ProxyJump=wall" ]; confirmTimeout = "2m";"#,
        change: RESTARTS,
        case: Case {
            id: "jump-host-behind",
            happens: "The host behind it is deployed in the same run.",
            ..CONFIRMED
        },
        ..PLAIN
    },
];

#[test]
fn jump_hosts() -> Result<()> {
    attempt(JUMPS)
}
