//! Which units and files carry the way to a host. The lists err on the side of yes.
//!
//! D-Bus and the unit of polkit are left out on purpose: NixOS gives both the list of all installed packages as a
//! trigger, so every new package would count, and neither takes an address or a login away later.

use std::fmt;

/// A part of what one needs to log in from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Area {
    Network,
    Firewall,
    Ssh,
    Users,
    Elevation,
    Sysctl,
    Mounts,
    Systemd,
    Secrets,
}

impl fmt::Display for Area {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Network => "network",
            Self::Firewall => "firewall",
            Self::Ssh => "ssh",
            Self::Users => "users",
            Self::Elevation => "sudo and PAM",
            Self::Sysctl => "sysctl",
            Self::Mounts => "mounts",
            Self::Systemd => "systemd",
            Self::Secrets => "secrets",
        })
    }
}

/// Beginnings of units' names, without what stands behind the last dot.
const UNITS: &[(&str, Area)] = &[
    ("sshd", Area::Ssh),
    ("ssh-", Area::Ssh),
    ("dropbear", Area::Ssh),
    ("teleport", Area::Ssh),
    ("fail2ban", Area::Firewall),
    ("sshguard", Area::Firewall),
    ("crowdsec", Area::Firewall),
    ("firewall", Area::Firewall),
    ("nftables", Area::Firewall),
    ("iptables", Area::Firewall),
    ("ip6tables", Area::Firewall),
    ("ferm", Area::Firewall),
    ("shorewall", Area::Firewall),
    ("opensnitch", Area::Firewall),
    ("nat", Area::Firewall),
    ("network", Area::Network),
    ("NetworkManager", Area::Network),
    ("ModemManager", Area::Network),
    ("systemd-network", Area::Network),
    ("systemd-resolved", Area::Network),
    ("systemd-udev", Area::Network),
    ("resolvconf", Area::Network),
    ("dhcp", Area::Network),
    ("kea", Area::Network),
    ("radvd", Area::Network),
    ("corerad", Area::Network),
    ("wpa_supplicant", Area::Network),
    ("iwd", Area::Network),
    ("hostapd", Area::Network),
    ("wireguard", Area::Network),
    ("wg-", Area::Network),
    ("openvpn", Area::Network),
    ("openconnect", Area::Network),
    ("strongswan", Area::Network),
    ("ipsec", Area::Network),
    ("tailscale", Area::Network),
    ("headscale", Area::Network),
    ("zerotier", Area::Network),
    ("nebula", Area::Network),
    ("netbird", Area::Network),
    ("netns", Area::Network),
    ("tinc", Area::Network),
    ("yggdrasil", Area::Network),
    ("cloudflared", Area::Network),
    ("tor", Area::Network),
    ("frp", Area::Network),
    ("autossh", Area::Network),
    ("bird", Area::Network),
    ("frr", Area::Network),
    ("zebra", Area::Network),
    ("keepalived", Area::Network),
    ("ucarp", Area::Network),
    ("pppd", Area::Network),
    ("vlan", Area::Network),
    ("docker", Area::Network),
    ("podman", Area::Network),
    ("libvirt", Area::Network),
    ("virt", Area::Network),
    ("lxd", Area::Network),
    ("incus", Area::Network),
    ("k3s", Area::Network),
    ("kube", Area::Network),
    ("cloud-init", Area::Network),
    ("userborn", Area::Users),
    ("systemd-sysusers", Area::Users),
    ("systemd-homed", Area::Users),
    ("systemd-userdbd", Area::Users),
    ("nscd", Area::Users),
    ("nsncd", Area::Users),
    ("nslcd", Area::Users),
    ("sssd", Area::Users),
    ("kanidm", Area::Users),
    ("ypbind", Area::Users),
    ("suid-sgid-wrappers", Area::Elevation),
    ("systemd-sysctl", Area::Sysctl),
    ("systemd-modules-load", Area::Sysctl),
    ("systemd-remount", Area::Mounts),
    ("systemd-fsck", Area::Mounts),
    ("systemd-cryptsetup", Area::Mounts),
    ("systemd-tmpfiles", Area::Mounts),
    ("zfs", Area::Mounts),
    ("rpcbind", Area::Mounts),
    ("nfs", Area::Mounts),
    ("local-fs", Area::Mounts),
    ("remote-fs", Area::Mounts),
    ("initrd", Area::Mounts),
    ("systemd-logind", Area::Systemd),
    ("systemd-user", Area::Systemd),
    ("user@", Area::Systemd),
    ("sysinit", Area::Systemd),
    ("basic", Area::Systemd),
    ("multi-user", Area::Systemd),
    ("default", Area::Systemd),
    ("rescue", Area::Systemd),
    ("emergency", Area::Systemd),
    ("sops-", Area::Secrets),
    ("agenix", Area::Secrets),
    ("vault-agent", Area::Secrets),
];

/// Parts anywhere in units' names.
const UNIT_PARTS: &[(&str, Area)] = &[
    ("-netdev", Area::Network),
    ("ifstate", Area::Network),
    ("bridge", Area::Network),
    ("vpn", Area::Network),
    ("firewall", Area::Firewall),
    ("iptables", Area::Firewall),
    ("nftables", Area::Firewall),
    ("sshd", Area::Ssh),
    ("sysctl", Area::Sysctl),
];

/// Files and folders of `/etc`; a folder ends in `/`.
const ETC: &[(&str, Area)] = &[
    ("ssh/", Area::Ssh),
    ("hosts.allow", Area::Ssh),
    ("hosts.deny", Area::Ssh),
    ("fail2ban/", Area::Firewall),
    ("nftables", Area::Firewall),
    ("iptables", Area::Firewall),
    ("NetworkManager/", Area::Network),
    ("systemd/network/", Area::Network),
    ("systemd/resolved.conf", Area::Network),
    ("systemd/networkd.conf", Area::Network),
    ("dhcpcd", Area::Network),
    ("hostname", Area::Network),
    ("resolv", Area::Network),
    ("iproute2/", Area::Network),
    ("udev/", Area::Network),
    ("wpa_supplicant", Area::Network),
    ("wireguard/", Area::Network),
    ("ppp/", Area::Network),
    ("bird", Area::Network),
    ("frr/", Area::Network),
    ("gai.conf", Area::Network),
    ("modprobe.d/", Area::Network),
    ("modules-load.d/", Area::Network),
    ("passwd", Area::Users),
    ("group", Area::Users),
    ("shadow", Area::Users),
    ("subuid", Area::Users),
    ("subgid", Area::Users),
    ("shells", Area::Users),
    ("nsswitch.conf", Area::Users),
    ("nscd", Area::Users),
    ("userdb/", Area::Users),
    ("userborn", Area::Users),
    ("sysusers.d/", Area::Users),
    ("login.defs", Area::Users),
    ("krb5", Area::Users),
    ("sssd/", Area::Users),
    ("ldap", Area::Users),
    ("profile", Area::Users),
    ("set-environment", Area::Users),
    ("bashrc", Area::Users),
    ("zshenv", Area::Users),
    ("fish/", Area::Users),
    ("sudo", Area::Elevation),
    ("doas", Area::Elevation),
    ("pam", Area::Elevation),
    ("security/", Area::Elevation),
    ("polkit-1/", Area::Elevation),
    ("apparmor.d/", Area::Elevation),
    ("sysctl", Area::Sysctl),
    ("fstab", Area::Mounts),
    ("crypttab", Area::Mounts),
    ("tmpfiles.d/", Area::Mounts),
    ("exports", Area::Mounts),
    ("zfs/", Area::Mounts),
    ("systemd/", Area::Systemd),
    ("machine-id", Area::Systemd),
];

/// Below `systemd/`, what is nobody's way in.
const ETC_HARMLESS: &[&str] = &[
    "systemd/user/",
    "systemd/user",
    "systemd/journald",
    "systemd/coredump",
    "systemd/timesyncd",
    "systemd/user-generators/",
    "systemd/user-preset/",
];

/// The part of the way in that a unit is, if it is one.
pub(super) fn of_unit(name: &str) -> Option<Area> {
    let (stem, kind) = name.rsplit_once('.').unwrap_or((name, ""));
    if matches!(kind, "mount" | "automount" | "swap") {
        return Some(Area::Mounts);
    }
    if kind == "device" || kind == "netdev" {
        return Some(Area::Network);
    }
    let begins = UNITS.iter().find(|(prefix, _)| stem.starts_with(prefix));
    begins.or_else(|| UNIT_PARTS.iter().find(|(part, _)| stem.contains(part))).map(|(_, area)| *area)
}

/// The part of the way in that a file of `/etc` is, if it is one.
pub(super) fn of_etc(path: &str) -> Option<Area> {
    if ETC_HARMLESS.iter().any(|prefix| path.starts_with(prefix)) {
        return None;
    }
    // A whole folder may be one link: `ssh` as well as `ssh/sshd_config`.
    ETC.iter()
        .find(|(prefix, _)| path.starts_with(prefix) || prefix.strip_suffix('/') == Some(path))
        .map(|(_, area)| *area)
}
