//! What `ip` and `/proc` print, what of it counts, and the words for a difference.

use proptest::prelude::*;

use super::*;

const ADDRESSES: &str = r#"[
{"ifindex":1,"ifname":"lo","flags":["LOOPBACK","UP","LOWER_UP"],"mtu":65536,"operstate":"UNKNOWN","addr_info":[
  {"family":"inet","local":"127.0.0.1","prefixlen":8,"scope":"host","label":"lo","valid_life_time":4294967295}]},
{"ifindex":2,"link_index":7,"ifname":"eth0","flags":["BROADCAST","UP","LOWER_UP"],"mtu":1500,"address":"02:00:00:00:00:01","addr_info":[
  {"family":"inet","local":"10.0.0.2","prefixlen":24,"scope":"global","dynamic":true,"valid_life_time":3600},
  {"family":"inet6","local":"fd00::2","prefixlen":64,"scope":"global","valid_life_time":100},
  {"family":"inet6","local":"fd00::abcd","prefixlen":64,"scope":"global","temporary":true},
  {"family":"inet6","local":"fd00::3","prefixlen":64,"scope":"global","tentative":true},
  {"family":"inet6","local":"fd00::4","prefixlen":64,"scope":"global","dadfailed":true}]},
{},
{"ifindex":9,"ifname":"veth12ab","flags":["UP"],"mtu":1500,"master":"docker0","addr_info":[
  {"family":"inet6","local":"fe80::1","prefixlen":64}]}]"#;
const ROUTES: &str = r#"[
{"dst":"default","gateway":"10.0.0.1","dev":"eth0","protocol":"dhcp","metric":100,"flags":[]},
{"dst":"10.0.0.0/24","dev":"eth0","protocol":"kernel","scope":"link","prefsrc":"10.0.0.2","flags":[],"expires":77},
{"dst":"172.17.0.0/16","dev":"docker0","protocol":"kernel","flags":["linkdown"]},
{"dst":"198.51.100.0/24","gateway":"10.0.0.9","dev":"eth0","protocol":"bird","flags":[]},
{"type":"local","dst":"10.0.0.2","dev":"eth0","table":"local","flags":[]}]"#;
const RULES: &str = r#"[{"priority":0,"src":"all","table":"local"},{"priority":5210,"src":"all","fwmark":"0x80000","not":null,"table":"52"}]"#;

fn facts_of(addresses: &str, routes: &str, rules: &str) -> NetworkFacts {
    let texts = NetworkTexts {
        addresses: Some(addresses.as_bytes()),
        routes4: Some(routes.as_bytes()),
        rules4: Some(rules.as_bytes()),
        ..NetworkTexts::default()
    };
    let sysctls = [("net/ipv4/ip_forward", "0\n"), ("net/ipv4/conf/veth12ab/rp_filter", "1")];
    let listeners = ["0.0.0.0:22", "[::]:80"].map(|listener| listener.parse().expect("an address"));
    NetworkFacts::new(texts, sysctls, listeners, &[22]).expect("facts")
}

fn facts() -> NetworkFacts {
    facts_of(ADDRESSES, ROUTES, RULES)
}

fn words(old: &NetworkFacts, new: &NetworkFacts) -> String {
    old.changes_to(new).iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[test]
fn what_counts_is_kept() {
    insta::assert_snapshot!(words(&NetworkFacts::default(), &facts()), @r"
    interface eth0 is new
    interface lo is new
    address 10.0.0.2/24 on eth0 is new
    address fd00::2/64 on eth0 is new
    address fd00::3/64 on eth0 is new
    address 127.0.0.1/8 on lo is new
    route IPv4 10.0.0.0/24 dev eth0 prefsrc 10.0.0.2 protocol kernel scope link is new
    route IPv4 default gateway 10.0.0.1 dev eth0 metric 100 protocol dhcp is new
    rule IPv4 priority 5210 src all fwmark 0x80000 not table 52 is new
    rule IPv4 priority 0 src all table local is new
    listener 0.0.0.0:22 is new
    ");
}

#[test]
fn what_changes_by_itself_does_not_count() {
    for (from, to) in [
        ("\"valid_life_time\":3600", "\"valid_life_time\":12"),
        ("fd00::abcd", "fd00::1234"),
        (r#","tentative":true"#, ""),
        (
            r#"{"family":"inet6","local":"fd00::2""#,
            r#"{"family":"inet6","local":"fe80::5","prefixlen":64},{"family":"inet6","local":"fd00::2""#,
        ),
        ("02:00:00:00:00:01", "02:00:00:00:00:02"),
        ("veth12ab", "veth99"),
        ("\"ifindex\":2", "\"ifindex\":3"),
    ] {
        assert_eq!(facts_of(&ADDRESSES.replace(from, to), ROUTES, RULES), facts(), "{from}");
    }
    for (from, to) in
        [("\"expires\":77", "\"expires\":76"), ("198.51.100.0/24", "203.0.113.0/24"), ("linkdown", "")]
    {
        assert_eq!(facts_of(ADDRESSES, &ROUTES.replace(from, to), RULES), facts(), "{from}");
    }
}

#[test]
fn a_difference_is_told_in_words() {
    let addresses = ADDRESSES
        .replace(
            "\"BROADCAST\",\"UP\",\"LOWER_UP\"],\"mtu\":1500",
            "\"BROADCAST\",\"UP\"],\"mtu\":1400,\"master\":\"br0\"",
        )
        .replace("10.0.0.2\",\"prefixlen", "10.0.0.3\",\"prefixlen");
    let mut now = facts_of(&addresses, &ROUTES.replace("\"metric\":100", "\"metric\":50"), "[]");
    now.sysctls.insert("net/ipv4/ip_forward".to_owned(), "1".to_owned());
    now.listeners = BTreeSet::new();
    insta::assert_snapshot!(words(&facts(), &now), @r"
    interface eth0 is now on without carrier, mtu 1400, in br0 (was on, mtu 1500)
    address 10.0.0.2/24 on eth0 is gone
    address 10.0.0.3/24 on eth0 is new
    route IPv4 default gateway 10.0.0.1 dev eth0 metric 100 protocol dhcp is gone
    route IPv4 default gateway 10.0.0.1 dev eth0 metric 50 protocol dhcp is new
    rule IPv4 priority 5210 src all fwmark 0x80000 not table 52 is gone
    rule IPv4 priority 0 src all table local is gone
    setting net/ipv4/ip_forward is now 1 (was 0)
    listener 0.0.0.0:22 is gone
    ");
    assert_eq!(words(&now, &now), "");
}

#[test]
fn listeners_are_read() {
    let tcp = b"  sl  local_address rem_address   st tx_queue rx_queue\n   0: 00000000:0016 00000000:0000 0A 0:0\n   1: 3500007F:0035 00000000:0000 0A 0:0\n   2: 0200000A:0016 0100000A:A2B4 01 0:0\n";
    let tcp6 = b"  sl  local_address\n   0: 00000000000000000000000000000000:0016 00000000000000000000000000000000:0000 0A 0:0\n";
    let mut proc = from_proc_net_tcp(tcp).expect("tcp");
    proc.append(&mut from_proc_net_tcp(tcp6).expect("tcp6"));
    let shown: Vec<String> = proc.iter().map(ToString::to_string).collect();
    assert_eq!(shown, ["0.0.0.0:22", "127.0.0.53:53", "[::]:22"]);
    let one = b"heading\n 0: 0000000000000000FFFF00000100007F:0016 x 0A\n";
    assert_eq!(
        from_proc_net_tcp(one).expect("one").first().map(ToString::to_string).as_deref(),
        Some("[::ffff:127.0.0.1]:22")
    );
    for bad in ["h\n 0: 0000:0016 x 0A", "h\n 0: zz000000:0016 x 0A", "h\nx"] {
        assert!(from_proc_net_tcp(bad.as_bytes()).is_err(), "{bad}");
    }
}

#[test]
fn settings_are_asked_for_by_interface() {
    let paths = sysctl_paths(["eth0", "eth0.7", "veth1", "..", "a/b", "br-lan", "br-0123456789ab"]);
    let has = |path: &str| paths.iter().any(|found| found == path);
    assert!(has("net/ipv6/conf/all/disable_ipv6") && has("net/ipv4/conf/eth0.7/rp_filter"));
    assert!(has("net/ipv4/conf/br-lan/forwarding"));
    for part in ["veth1", "..", "/b/", "br-0123456789ab"] {
        assert!(!paths.iter().any(|path| path.contains(part)), "{part}");
    }
}

#[test]
fn settings_of_one_side_only_say_nothing() {
    let facts = |settings: &[(&str, &str)]| {
        NetworkFacts::new(NetworkTexts::default(), settings.iter().copied(), [], &[]).expect("facts")
    };
    const FORWARD: &str = "net/ipv4/ip_forward";
    const MODULE: &str = "net/netfilter/nf_conntrack_max";
    const BRIDGE: &str = "net/bridge/bridge-nf-call-iptables";
    for (before, after, expected) in [
        (vec![(FORWARD, "0")], vec![(FORWARD, "1")], "setting net/ipv4/ip_forward is now 1 (was 0)"),
        (vec![], vec![(FORWARD, "1")], ""),
        (vec![(FORWARD, "1")], vec![], ""),
        (vec![], vec![(MODULE, "65536")], ""),
        (vec![], vec![(BRIDGE, "0")], ""),
        (vec![], vec![(BRIDGE, "1")], "setting net/bridge/bridge-nf-call-iptables is now 1 (was 0)"),
    ] {
        assert_eq!(words(&facts(&before), &facts(&after)), expected);
    }
}

#[test]
fn what_modules_and_containers_bring_does_not_count() {
    let with = |name: &str, flags: &str| {
        let link = format!(r#"{{"ifname":"{name}","flags":[{flags}],"mtu":1500}},{{"#);
        facts_of(&ADDRESSES.replacen('{', &link, 1), ROUTES, RULES)
    };
    for name in
        ["sit0", "tunl0", "ip6tnl0", "cilium_vxlan", "kube-ipvs0", "incusbr0", "podman0", "br-0123456789ab"]
    {
        assert_eq!(with(name, ""), facts(), "{name}");
    }
    for (name, flags) in [("sit0", r#""UP""#), ("br-left", ""), ("tunl1", ""), ("wg0", "")] {
        assert_ne!(with(name, flags), facts(), "{name}");
    }
}

#[test]
fn the_settings_of_a_system_are_found() {
    for (text, expected) in [
        ("net.ipv4.ip_default_ttl=1", vec!["net/ipv4/ip_default_ttl"]),
        (" -net.ipv4.ip_forward = 1", vec!["net/ipv4/ip_forward"]),
        ("net/ipv4/conf/eth0.1/forwarding=1", vec!["net/ipv4/conf/eth0.1/forwarding"]),
        ("net.ipv4.conf.eth0/1.forwarding=1", vec!["net/ipv4/conf/eth0.1/forwarding"]),
        (
            "net.ipv4.conf.*.rp_filter = 2",
            vec![
                "net/ipv4/conf/all/rp_filter",
                "net/ipv4/conf/default/rp_filter",
                "net/ipv4/conf/eth0/rp_filter",
            ],
        ),
        ("-net.ipv4.conf.all.rp_filter", vec!["net/ipv4/conf/all/rp_filter"]),
        ("net.ipv4.conf.veth1.rp_filter = 2", vec![]),
        (
            "net.*.conf.*.x = 2
net.ipv4.conf.eth?.x = 1",
            vec![],
        ),
        (
            "kernel.panic = 1
# net.ipv4.x = 1
; net.ipv4.y = 1

",
            vec![],
        ),
        (
            "net/../kernel/panic = 1
net//x = 1
net.a b = 1
net",
            vec![],
        ),
    ] {
        assert_eq!(sysctl_named_in(text, &["eth0"]), expected, "{text}");
    }
    assert!(sysctl_named_in(&format!("net.{}=1", "x".repeat(300)), &[]).is_empty());
}

#[test]
fn what_is_not_from_ip_is_refused() {
    for json in ["{", "{}", "[1]", r#"[{"ifname":1}]"#, r#"[{"mtu":1}]"#] {
        let texts = NetworkTexts { addresses: Some(json.as_bytes()), ..NetworkTexts::default() };
        let error = NetworkFacts::new(texts, [], [], &[]).expect_err("bad");
        assert_eq!(error.to_string(), "not the list of addresses that ip prints", "{json}");
    }
}

proptest! {
    #[test]
    fn the_order_does_not_count(turns in 0_usize..5) {
        let turned = |json: &str| {
            let mut rows: Vec<serde_json::Value> = serde_json::from_str(json).expect("rows");
            let length = rows.len();
            rows.rotate_left(turns % length);
            serde_json::to_string(&rows).expect("rows")
        };
        prop_assert_eq!(facts_of(&turned(ADDRESSES), &turned(ROUTES), &turned(RULES)), facts());
    }

    #[test]
    fn any_text_is_read_or_refused(text in r#"([\[\]{}",:0-9a-fA-F. \n]|"ifname"){0,60}"#) {
        let bytes = Some(text.as_bytes());
        let texts = NetworkTexts { addresses: bytes, routes4: bytes, routes6: bytes, rules4: bytes, rules6: bytes };
        drop(NetworkFacts::new(texts, [], [], &[]));
        drop(from_proc_net_tcp(text.as_bytes()));
    }
}
