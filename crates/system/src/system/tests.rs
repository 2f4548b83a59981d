//! A whole system in a map, as NixOS lays it out, and what is left out or broken.

use store::hash::Sha256;

use super::*;
use crate::{
    test_tree::TestTree,
    tree::{ReadError, TreeError},
};

pub(crate) const SYSTEM: &str = "/nix/store/0bkfhz0v2jcyj2m7hwzdzmywav298dl2-nixos-system-web-25.11";
const UNITS: &str = "/nix/store/1bkfhz0v2jcyj2m7hwzdzmywav298dl2-system-units";
const ETC: &str = "/nix/store/2bkfhz0v2jcyj2m7hwzdzmywav298dl2-etc";

fn store(name: &str) -> String {
    format!("/nix/store/3bkfhz0v2jcyj2m7hwzdzmywav298dl2-{name}")
}

/// A system that uses all that is read.
pub(crate) fn whole() -> TestTree {
    let top = |name: &str| format!("{SYSTEM}/{name}");
    let unit = |name: &str| format!("{UNITS}/{name}");
    TestTree::default()
        .link("/run/current-system", SYSTEM)
        .link(&top("kernel"), &store("linux-6.12.43/bzImage"))
        .link(&top("initrd"), &store("initrd-linux-6.12.43/initrd"))
        .link(&top("kernel-modules"), &store("linux-6.12.43-modules"))
        .link(&top("firmware"), &store("firmware/lib/firmware"))
        .link(&top("systemd"), &store("systemd-257.6"))
        .file(&top("kernel-params"), "loglevel=4 quiet\n")
        .file(&top("init-interface-version"), "systemd 2")
        .file(&top("nixos-version"), "25.11")
        .file(&top("system"), "x86_64-linux")
        .file(&top("bin/switch-to-configuration"), "#!")
        .link(&top("switch-inhibitors"), &store("switch-inhibitors"))
        .file(&store("switch-inhibitors"), r#"{"dbus-implementation": "broker", "systemd": "257"}"#)
        .file(&top("reboot-triggers"), r#"{"graphics": "570"}"#)
        .file(
            &top("activate"),
            format!("systemConfig='{SYSTEM}'\nsetup {ETC}/etc\nusers {}\n", store("users.json")),
        )
        .link(&top("specialisation/plain"), &store("nixos-system-web-plain"))
        .file(&store("nixos-system-web-plain/init"), "")
        .link(&top("etc"), &format!("{ETC}/etc"))
        .link(&format!("{ETC}/etc/systemd/system"), UNITS)
        .link(&format!("{ETC}/etc/ssh/sshd_config"), &store("sshd_config"))
        .file(&format!("{ETC}/etc/sudoers.mode"), "0440")
        .link(&format!("{ETC}/etc/motd"), &store("motd"))
        .link(&unit("web.service"), &store("unit-web.service/web.service"))
        .file(&store("unit-web.service/web.service"), "[Service]\nExecStart=/bin/web\n")
        .link(&unit("sshd.service"), &store("unit-sshd.service/sshd.service"))
        .file(&store("unit-sshd.service/sshd.service"), "[Service]\n")
        .link(&unit("tunnel.service"), &store("unit-tunnel.service"))
        .file(&store("unit-tunnel.service"), "[Service]\nAmbientCapabilities=CAP_NET_ADMIN\n")
        .link(&unit("www.service"), "web.service")
        .link(&unit("off.service"), &store("unit-off.service-disabled/off.service"))
        .link(&store("unit-off.service-disabled/off.service"), "/dev/null")
        .link(&unit("web.service.d/overrides.conf"), &store("unit-web-overrides"))
        .file(&store("unit-web-overrides"), "[Service]\nNice=1\n")
        .link(&unit("multi-user.target.wants/web.service"), "../web.service")
}

pub(crate) fn read(tree: &TestTree) -> System {
    System::read(tree, SYSTEM).expect("a system")
}

#[test]
fn a_system_is_read() {
    let system = System::read(&whole(), "/run/current-system").expect("a system");
    assert_eq!(system.path, SYSTEM);
    assert_eq!(system.kernel, Some(store("linux-6.12.43/bzImage")));
    assert_eq!(system.initrd, Some(store("initrd-linux-6.12.43/initrd")));
    assert_eq!(system.kernel_modules, Some(store("linux-6.12.43-modules")));
    assert_eq!(system.firmware, Some(store("firmware/lib/firmware")));
    assert_eq!(system.systemd, Some(store("systemd-257.6")));
    assert_eq!(system.kernel_params, Some(vec!["loglevel=4".to_owned(), "quiet".to_owned()]));
    let texts = [&system.init_interface, &system.nixos_version, &system.platform];
    assert_eq!(texts.map(|text| text.as_deref().unwrap_or("")), ["systemd 2", "25.11", "x86_64-linux"]);
    assert!(system.switchable);
    let inhibitors: Vec<_> =
        system.switch_inhibitors.iter().flatten().map(|(key, value)| format!("{key}={value}")).collect();
    assert_eq!(inhibitors, ["dbus-implementation=broker", "systemd=257"]);
    assert_eq!(
        system.reboot_triggers.as_ref().and_then(|keys| keys.get("graphics")).map(String::as_str),
        Some("570")
    );
    assert_eq!(system.specialisations.get("plain"), Some(&store("nixos-system-web-plain")));
    assert_eq!(system.etc.get("ssh/sshd_config"), Some(&EtcEntry::Link(store("sshd_config"))));
    assert_eq!(system.etc.get("sudoers.mode"), Some(&EtcEntry::File(Sha256::of(b"0440"))));
    assert_eq!(system.etc.len(), 3, "units are no files of /etc here");
}

#[test]
fn units_have_files_drop_ins_and_what_pulls_them_in() {
    let system = read(&whole());
    let names: Vec<&str> = system.units.keys().map(String::as_str).collect();
    assert_eq!(names, ["off.service", "sshd.service", "tunnel.service", "web.service", "www.service"]);
    let web = &system.units["web.service"];
    let target = web.file.as_ref().map(|file| file.target.as_str());
    assert_eq!(target, Some(store("unit-web.service/web.service").as_str()));
    assert_eq!(web.drop_ins["overrides.conf"].target, store("unit-web-overrides"));
    assert_eq!(web.pulled_in_by, ["multi-user.target.wants"]);
    assert_eq!(system.units["www.service"].file, web.file);
    let has_content = |unit: &Unit| unit.file.as_ref().map(|file| file.content.is_some());
    assert_eq!((has_content(&system.units["off.service"]), has_content(web)), (Some(false), Some(true)));
    assert!(system.units["tunnel.service"].speaks_of_network() && !web.speaks_of_network());
}

#[test]
fn what_is_absent_is_none() {
    let container = TestTree::default().file(&format!("{SYSTEM}/nixos-version"), "25.11");
    let system = read(&container);
    assert_eq!((system.kernel, system.kernel_params, system.switch_inhibitors), (None, None, None));
    assert_eq!((system.switchable, system.units.len(), system.etc.len()), (false, 0, 0));
}

#[test]
fn the_first_form_of_inhibitors_is_a_list() {
    let tree = whole().file(&store("switch-inhibitors"), "/nix/store/a\n\n/nix/store/b\n");
    let keys: Vec<String> = read(&tree).switch_inhibitors.into_iter().flatten().map(|(key, _)| key).collect();
    assert_eq!(keys, ["/nix/store/a", "/nix/store/b"]);
}

#[test]
fn the_activation_is_compared_without_the_systems_own_paths() {
    let other = |text: String| read(&whole().file(&format!("{SYSTEM}/activate"), text)).activation;
    let same = format!(
        "systemConfig='{}'\nsetup {}/etc\nusers {}\n",
        SYSTEM.replace("/0bk", "/9bk"),
        ETC.replace("/2bk", "/8bk"),
        store("users.json")
    );
    assert_eq!(other(same.clone()), read(&whole()).activation);
    assert_ne!(other(same.replace("/3bk", "/4bk")), read(&whole()).activation);
    // A name that only begins as the folder's does is another package.
    assert_ne!(other(format!("{ETC}-x")), other(format!("{}-x", ETC.replace("/2bk", "/8bk"))));
}

#[test]
fn errors_name_the_path() {
    let top = |name: &str| format!("{SYSTEM}/{name}");
    let unit = format!("{UNITS}/web.service");
    let cases = [
        (TestTree::default(), SYSTEM.to_owned()),
        (TestTree::default().file(SYSTEM, ""), SYSTEM.to_owned()),
        (whole().file(&top("kernel-params"), vec![b'a'; 300 << 10]), top("kernel-params")),
        (whole().file(&top("nixos-version"), b"\xff"), top("nixos-version")),
        (whole().file(&store("switch-inhibitors"), "{"), top("switch-inhibitors")),
        (whole().file(&store("switch-inhibitors"), r#"{"a": 1}"#), top("switch-inhibitors")),
        (whole().link(&top("kernel"), "kernel"), top("kernel")),
        (whole().link(&unit, &store("gone")), store("gone")),
    ];
    for (tree, path) in cases {
        let error = System::read(&tree, SYSTEM).expect_err("broken");
        assert!(error.to_string().contains(&path), "'{error}' names {path}");
    }
    let missing = System::read(&TestTree::default(), SYSTEM);
    assert!(matches!(missing, Err(ReadError::Tree { source: TreeError::NotFound, .. })));
}
