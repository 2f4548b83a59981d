//! The kernel settings that decide whether a host can be reached.

/// Settings of the whole host, below `/proc/sys`.
const GLOBAL: &[&str] = &[
    "net/core/bpf_jit_enable",
    "net/ipv4/icmp_echo_ignore_all",
    "net/ipv4/ip_default_ttl",
    "net/ipv4/ip_forward",
    "net/ipv4/ip_local_port_range",
    "net/ipv4/ip_nonlocal_bind",
    "net/ipv4/ip_unprivileged_port_start",
    "net/ipv4/tcp_l3mdev_accept",
    "net/ipv4/tcp_mtu_probing",
    "net/ipv4/neigh/default/gc_thresh3",
    "net/ipv4/tcp_syncookies",
    "net/ipv6/bindv6only",
    "net/ipv6/ip_nonlocal_bind",
    "net/ipv6/neigh/default/gc_thresh3",
    "net/ipv6/route/max_size",
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

/// The files below `/proc/sys` of the settings of the network that a text in the form of `sysctl.d(5)` names. A `*` in
/// the place of an interface stands for each of these, `all` and `default`; other patterns name nothing here.
#[must_use]
pub fn sysctl_named_in(text: &str, interfaces: &[&str]) -> Vec<String> {
    let key = |line: &str| {
        let line = line.trim();
        let key = line.split_once('=').map_or(line, |(key, _)| key).trim();
        (!line.starts_with(['#', ';'])).then(|| path_of(key.trim_start_matches('-')))
    };
    let mut paths = Vec::new();
    for path in text.lines().filter_map(key).filter(|path| is_safe(path)) {
        match path.split_once("/*/") {
            Some((before, after)) => {
                let every = ["all", "default"].into_iter().chain(interfaces.iter().copied());
                paths.extend(every.map(|interface| format!("{before}/{interface}/{after}")));
            }
            None => paths.push(path),
        }
    }
    paths.retain(|path| !path.contains(['*', '?', '[']) && !super::parse::is_others_setting(path));
    paths
}

/// `net.ipv4.conf.eth0/1.forwarding` is a file below `eth0.1`: where the first separator is a dot, dots and slashes
/// stand for each other.
fn path_of(key: &str) -> String {
    let dotted = key.find(['.', '/']).is_some_and(|first| key[first..].starts_with('.'));
    let swap = |letter| match letter {
        '.' => '/',
        '/' => '.',
        other => other,
    };
    if dotted { key.chars().map(swap).collect() } else { key.to_owned() }
}

/// Whether a path stays below `net` and reads as a setting.
fn is_safe(path: &str) -> bool {
    /// Longest path of a setting.
    const LONGEST: usize = 200;
    path.starts_with("net/")
        && path.len() <= LONGEST
        && !path.contains(char::is_whitespace)
        && path.split('/').all(|component| !matches!(component, "" | "." | ".."))
}
