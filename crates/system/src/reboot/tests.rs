//! Sentences for every reason, and what is no reason.

use super::*;
use crate::{
    system::tests::{SYSTEM, read, whole},
    test_tree::TestTree,
};

fn path(name: &str) -> String {
    format!("{SYSTEM}/{name}")
}

fn sentences(check: &RebootCheck) -> String {
    let reasons = check.reasons.iter().map(ToString::to_string);
    reasons.chain(check.not_compared.iter().map(ToString::to_string)).collect::<Vec<_>>().join("\n")
}

const OTHER: &str = "/nix/store/7bkfhz0v2jcyj2m7hwzdzmywav298dl2";

#[test]
fn every_reason_is_a_sentence() {
    let next = whole()
        .link(&path("kernel"), &format!("{OTHER}-linux-6.12.44/bzImage"))
        .link(&path("initrd"), &format!("{OTHER}-initrd-linux-6.12.43/initrd"))
        .link(&path("kernel-modules"), &format!("{OTHER}-linux-6.12.44-modules"))
        .link(&path("firmware"), &format!("{OTHER}-firmware/lib/firmware"))
        .link(&path("systemd"), &format!("{OTHER}-systemd-258"))
        .file(&path("kernel-params"), "quiet console=ttyS0")
        .file(&path("init-interface-version"), "systemd 3")
        .file(&path("reboot-triggers"), r#"{"graphics": "575", "new": "1"}"#)
        .file(
            "/nix/store/3bkfhz0v2jcyj2m7hwzdzmywav298dl2-switch-inhibitors",
            r#"{"dbus-implementation": "dbus"}"#,
        );
    let check = reboot_reasons(&read(&whole()), &read(&next));
    insta::assert_snapshot!(sentences(&check), @r"
    the kernel changes from linux-6.12.43 to linux-6.12.44
    the initrd changes (both are initrd-linux-6.12.43)
    the kernel modules change from linux-6.12.43-modules to linux-6.12.44-modules
    the firmware changes (both are firmware)
    the kernel parameters gain console=ttyS0 and lose loglevel=4
    the init interface changes from systemd 2 to systemd 3
    the reboot trigger graphics changes from '570' to '575'
    the switch inhibitor dbus-implementation changes from 'broker' to 'dbus'
    ");
}

#[test]
fn parameters_are_compared_as_words() {
    for (next, expected) in [
        ("loglevel=4  quiet ", ""),
        ("quiet loglevel=4", "the kernel parameters change their order"),
        ("loglevel=4 quiet quiet", "the kernel parameters gain quiet"),
        ("", "the kernel parameters lose loglevel=4 and quiet"),
    ] {
        let next = read(&whole().file(&path("kernel-params"), next));
        assert_eq!(sentences(&reboot_reasons(&read(&whole()), &next)), expected);
    }
}

#[test]
fn what_one_system_lacks_is_no_reason_but_said() {
    let container = read(&TestTree::default().file(&path("nixos-version"), "25.11"));
    assert_eq!(reboot_reasons(&container, &container), RebootCheck::default());
    let check = reboot_reasons(&container, &read(&whole()));
    assert!(check.reasons.is_empty());
    insta::assert_snapshot!(sentences(&check), @r"
    the kernel was not compared: the booted system has none
    the initrd was not compared: the booted system has none
    the kernel modules were not compared: the booted system has none
    the firmware was not compared: the booted system has none
    the kernel parameters were not compared: the booted system has none
    the init interface was not compared: the booted system has none
    the list of reboot triggers was not compared: the booted system has none
    the list of switch inhibitors was not compared: the booted system has none
    ");
    assert!(!reboot_reasons(&read(&whole()), &container).not_compared.iter().any(|item| !item.booted_has_it));
}

#[test]
fn another_systemd_alone_is_no_reason() {
    let next = read(&whole().link(&path("systemd"), &format!("{OTHER}-systemd-258")));
    assert_eq!(reboot_reasons(&read(&whole()), &next), RebootCheck::default());
}
