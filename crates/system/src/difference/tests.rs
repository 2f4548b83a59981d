//! What counts as a change, and which changes touch the way in.

use super::*;
use crate::{
    system::tests::{SYSTEM, read, whole},
    test_tree::TestTree,
};

const UNITS: &str = "/nix/store/1bkfhz0v2jcyj2m7hwzdzmywav298dl2-system-units";
const ETC: &str = "/nix/store/2bkfhz0v2jcyj2m7hwzdzmywav298dl2-etc/etc";
const STORE: &str = "/nix/store/3bkfhz0v2jcyj2m7hwzdzmywav298dl2";

fn change(edit: impl FnOnce(TestTree) -> TestTree) -> Difference {
    difference(&read(&whole()), &read(&edit(whole())))
}

fn with_unit(name: &'static str, text: &'static str) -> Difference {
    change(|tree| tree.file(&format!("{UNITS}/{name}"), text))
}

#[test]
fn equal_systems_differ_in_nothing() {
    let same = change(|tree| tree);
    assert!(same.is_empty() && same.touches_reach().is_empty());
    assert_eq!(same.to_string(), "nothing that is compared differs");
}

#[test]
fn a_unit_that_only_moved_in_the_store_is_the_same() {
    let moved = change(|tree| {
        tree.file(&format!("{STORE}-moved"), "[Service]\nExecStart=/bin/web\n")
            .link(&format!("{UNITS}/web.service"), &format!("{STORE}-moved"))
    });
    assert!(moved.is_empty(), "{moved:?}");
}

#[test]
fn a_service_of_its_own_touches_nothing() {
    for found in [
        with_unit("shop.service", "[Service]\n"),
        with_unit("web.service", "[Service]\nExecStart=/bin/web2\n"),
        change(|tree| tree.without(&format!("{UNITS}/multi-user.target.wants/web.service"))),
        change(|tree| tree.file(&format!("{STORE}-unit-web-overrides"), "[Service]\nNice=2\n")),
        change(|tree| tree.link(&format!("{ETC}/motd"), "/nix/store/other")),
    ] {
        assert!(!found.is_empty());
        assert_eq!(found.touches_reach(), Vec::<String>::new(), "{found:?}");
    }
}

#[test]
fn what_touches_the_way_in_is_named() {
    let cases = [
        with_unit("sshd.service", "[Service]\nNice=1\n"),
        with_unit("sshd.socket", ""),
        with_unit("network-addresses-eth0.service", ""),
        with_unit("br0-netdev.service", ""),
        with_unit("firewall.service", ""),
        with_unit("data.mount", ""),
        with_unit("userborn.service", ""),
        with_unit("systemd-sysctl.service", ""),
        with_unit("tunnel.service", "[Service]\n"),
        with_unit("odd.service", "[Unit]\nBefore=network-pre.target\n"),
        change(|tree| tree.without(&format!("{UNITS}/sshd.service"))),
        change(|tree| tree.file(&format!("{UNITS}/sshd.service.d/x.conf"), "")),
        change(|tree| tree.link(&format!("{ETC}/ssh/sshd_config"), "/nix/store/other")),
        change(|tree| tree.link(&format!("{ETC}/ssh/authorized_keys.d/root"), "/nix/store/other")),
        change(|tree| tree.file(&format!("{ETC}/sudoers.mode"), "0400")),
        change(|tree| tree.link(&format!("{ETC}/pam.d/sshd"), "/nix/store/other")),
        change(|tree| tree.link(&format!("{ETC}/sysctl.d/60-nixos.conf"), "/nix/store/other")),
        change(|tree| tree.link(&format!("{ETC}/fstab"), "/nix/store/other")),
        change(|tree| tree.link(&format!("{ETC}/systemd/system.conf"), "/nix/store/other")),
        change(|tree| tree.link(&format!("{ETC}/systemd/network"), "/nix/store/other")),
        change(|tree| tree.link(&format!("{SYSTEM}/systemd"), "/nix/store/other")),
        change(|tree| tree.file(&format!("{SYSTEM}/activate"), "other")),
    ];
    let lines: Vec<String> = cases.iter().map(|found| found.touches_reach().join("; ")).collect();
    insta::assert_snapshot!(lines.join("\n"), @r"
    unit sshd.service (ssh)
    unit sshd.socket (ssh)
    unit network-addresses-eth0.service (network)
    unit br0-netdev.service (network)
    unit firewall.service (firewall)
    unit data.mount (mounts)
    unit userborn.service (users)
    unit systemd-sysctl.service (sysctl)
    unit tunnel.service (network)
    unit odd.service (network)
    unit sshd.service (ssh)
    unit sshd.service (ssh)
    /etc/ssh/sshd_config (ssh)
    /etc/ssh/authorized_keys.d/root (ssh)
    /etc/sudoers.mode (sudo and PAM)
    /etc/pam.d/sshd (sudo and PAM)
    /etc/sysctl.d/60-nixos.conf (sysctl)
    /etc/fstab (mounts)
    /etc/systemd/system.conf (systemd)
    /etc/systemd/network (network)
    systemd itself
    the activation script (users, wrappers)
    ");
}

#[test]
fn the_sentence_counts() {
    let found = change(|tree| {
        tree.file(&format!("{UNITS}/a.service"), "")
            .file(&format!("{UNITS}/b.service"), "")
            .without(&format!("{UNITS}/www.service"))
            .file(&format!("{UNITS}/web.service"), "x")
            .without(&format!("{ETC}/motd"))
    });
    assert_eq!(found.to_string(), "2 units added, 1 unit removed, 1 unit changed and 1 other file of /etc");
    assert_eq!(found.units().collect::<Vec<_>>(), ["a.service", "b.service", "web.service", "www.service"]);
}
