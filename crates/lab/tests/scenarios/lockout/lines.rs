//! Changes of the network: leases, addresses, firewalls, jump hosts; and hosts whose clock is wrong.

use anyhow::Result;

use super::{
    Case,
    attempts::{Attempt, attempt},
};

const DEFAULTS: &str = r#"confirmTimeout = "20s"; settle = "0s"; sshOptions = [ "ConnectTimeout=3" ];"#;
const CLOSED: &str = "services.openssh.openFirewall = false;";
/// At most four new connections to sshd in a short time; who tries on and on does not come in.
const PENALTIES: &str = r#"networking.firewall.extraCommands = "nft insert rule inet nixos-fw input tcp dport 22 ct state new limit rate over 4/minute burst 1 packets drop";"#;
/// A network that is taken down and up by the switch.
const RESTARTS: &str = r#"lab.dhcp = { seconds = 3; timeout = 1; };"#;

const UNCONFIRMED: Case =
    Case { id: "", happens: "", ending: "rolled_back", cause: "unconfirmed", told: &[], way: &[] };
const CONFIRMED: Case = Case { id: "", happens: "", ending: "confirmed", cause: "", told: &[], way: &[] };

#[test]
fn addresses_and_firewalls() -> Result<()> {
    attempt(
        DEFAULTS,
        &[
            Attempt {
                host: "slow",
                settings: r#"confirmTimeout = "2m"; settle = "5s";"#,
                change: "lab.dhcp = { seconds = 40; timeout = 1; };",
                case: Case {
                    id: "dhcp-slow",
                    happens: "After the switch the lease takes 40 seconds to come.",
                    ..CONFIRMED
                },
                ..Attempt::default()
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
                ..Attempt::default()
            },
            Attempt {
                host: "none",
                change: "networking.useDHCP = lib.mkForce false;",
                case: Case {
                    id: "address-removed",
                    happens: "The new system has no address.",
                    ..UNCONFIRMED
                },
                ..Attempt::default()
            },
            Attempt {
                host: "walled",
                change: CLOSED,
                case: Case {
                    id: "firewall",
                    happens: "The firewall keeps the connections that stand and drops new ones.",
                    ..UNCONFIRMED
                },
                ..Attempt::default()
            },
            Attempt {
                host: "six",
                settings: r#"addresses = [ "six" "[ADDRESS6]" ];"#,
                change: r#"lab.dhcp.family = "ipv6";"#,
                case: Case {
                    id: "ipv6-only",
                    happens: "The host is left with its IPv6 address, which the description names.",
                    way: &["-o", "HostName=ADDRESS6"],
                    ..CONFIRMED
                },
                ..Attempt::default()
            },
            Attempt {
                host: "four",
                change: r#"lab.dhcp.family = "ipv6";"#,
                case: Case {
                    id: "ipv6-unknown",
                    happens: "The host is left with an IPv6 address that the description does not tell.",
                    ..UNCONFIRMED
                },
                ..Attempt::default()
            },
            Attempt {
                host: "early",
                prepare: Some(|host| host.set_clock("1970-01-01 00:00:00")),
                change: CLOSED,
                case: Case {
                    id: "clock-1970",
                    happens: "The host's clock stands at 1970, and the new system's firewall lets nobody in.",
                    ..UNCONFIRMED
                },
                ..Attempt::default()
            },
            Attempt {
                host: "touch",
                settings: r#"sshOptions = [ "ProxyCommand=sleep 12; exec busybox nc %h %p" "ConnectTimeout=60" ]; confirmTimeout = "2m";"#,
                change: r#"environment.etc."motd".text = "touched";"#,
                case: Case {
                    id: "L-touch",
                    happens: "Each login takes 12 seconds, as with a key that wants to be touched.",
                    ..CONFIRMED
                },
                ..Attempt::default()
            },
            Attempt {
                host: "strict",
                settings: r#"confirmTimeout = "2m";"#,
                change: PENALTIES,
                case: Case {
                    id: "L",
                    happens: "The new system punishes those who try to log in often.",
                    ..CONFIRMED
                },
                ..Attempt::default()
            },
        ],
    )
}

#[test]
fn jump_hosts() -> Result<()> {
    let settings = [r#"gatewayFor = [ "behind" ];"#, r#"gatewayFor = [ "beyond" ];"#];
    let behind = [r#"sshOptions = [ "ProxyJump=jump" ];"#, r#"sshOptions = [ "ProxyJump=wall" ];"#];
    attempt(
        DEFAULTS,
        &[
            Attempt {
                host: "jump",
                settings: settings[0],
                change: RESTARTS,
                case: Case {
                    id: "K-gateway",
                    happens: "A jump host restarts its network while it and a host behind it are deployed.",
                    ..CONFIRMED
                },
                ..Attempt::default()
            },
            Attempt {
                host: "behind",
                settings: behind[0],
                change: RESTARTS,
                case: Case { id: "K", happens: "The same, seen from the host behind it.", ..CONFIRMED },
                ..Attempt::default()
            },
            Attempt {
                host: "wall",
                settings: settings[1],
                change: CLOSED,
                case: Case {
                    id: "jump-host",
                    happens: "A jump host deploys itself and lets nobody in any more.",
                    ..UNCONFIRMED
                },
                ..Attempt::default()
            },
            Attempt {
                host: "beyond",
                settings: behind[1],
                change: RESTARTS,
                case: Case {
                    id: "jump-host-behind",
                    happens: "The host behind it is deployed in the same run.",
                    ..CONFIRMED
                },
                ..Attempt::default()
            },
        ],
    )
}
