//! The kernel settings that decide whether a host can be reached.

/// Settings of the whole host, below `/proc/sys`.
const GLOBAL: &[&str] = &[
    "net/core/bpf_jit_enable",
    "net/ipv4/icmp_echo_ignore_all",
    "net/ipv4/ip_forward",
    "net/ipv4/ip_local_port_range",
    "net/ipv4/ip_nonlocal_bind",
    "net/ipv4/ip_unprivileged_port_start",
    "net/ipv4/tcp_l3mdev_accept",
    "net/ipv4/tcp_mtu_probing",
    "net/ipv4/tcp_syncookies",
    "net/ipv6/bindv6only",
    "net/ipv6/ip_nonlocal_bind",
    "net/bridge/bridge-nf-call-iptables",
    "net/bridge/bridge-nf-call-ip6tables",
    "net/netfilter/nf_conntrack_max",
];
/// Settings of one interface for IPv4.
const IPV4: &[&str] = &[
    "accept_local",
    "accept_source_route",
    "arp_announce",
    "arp_filter",
    "arp_ignore",
    "forwarding",
    "proxy_arp",
    "route_localnet",
    "rp_filter",
    "src_valid_mark",
];
/// Settings of one interface for IPv6.
const IPV6: &[&str] = &[
    "accept_dad",
    "accept_ra",
    "accept_ra_defrtr",
    "accept_ra_pinfo",
    "addr_gen_mode",
    "autoconf",
    "disable_ipv6",
    "forwarding",
    "use_tempaddr",
];

/// The files below `/proc/sys` to read for a host with these interfaces; those that do not exist are left out of the
/// facts. Interfaces that come and go with containers are left out here already.
#[must_use]
pub fn sysctl_paths<'a>(interfaces: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let safe = |name: &&str| {
        !matches!(*name, "" | "." | "..") && !name.contains('/') && !super::parse::is_others(name)
    };
    let interfaces: Vec<&str> =
        ["all", "default"].into_iter().chain(interfaces.into_iter().filter(safe)).collect();
    let mut paths: Vec<String> = GLOBAL.iter().map(|path| (*path).to_owned()).collect();
    for (family, names) in [("ipv4", IPV4), ("ipv6", IPV6)] {
        for interface in &interfaces {
            paths.extend(names.iter().map(|name| format!("net/{family}/conf/{interface}/{name}")));
        }
    }
    paths.sort_unstable();
    paths.dedup();
    paths
}
