//! The lab's table of boot file systems, what only real machines have, and that nothing panics.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde::Deserialize;

use super::*;
use crate::{test_tree::TestTree, tree::Below};

#[derive(Deserialize)]
struct Cases {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    files: BTreeMap<String, String>,
    #[serde(default)]
    kernels: Vec<String>,
    #[serde(default)]
    grubenv: BTreeMap<String, String>,
    #[serde(default)]
    variables: BTreeMap<String, String>,
    init: Option<String>,
    entry: Option<String>,
    #[serde(default, rename = "oneShot")]
    one_shot: bool,
    #[serde(default)]
    error: bool,
}

/// `/nix/store/two` of the table as a store path, which has a hash.
pub(super) fn with_hashes(text: &str) -> String {
    text.replace("/nix/store/", "/nix/store/0bkfhz0v2jcyj2m7hwzdzmywav298dl2-")
}

fn grubenv(variables: &BTreeMap<String, String>) -> String {
    let lines: String = variables.iter().map(|(name, value)| format!("{name}={value}\n")).collect();
    format!("{:#<1024}", format!("# GRUB Environment Block\n{lines}"))
}

fn tree_of(case: &Case) -> TestTree {
    let mut tree = TestTree::default().file("/boot/.keep", "");
    for (path, text) in &case.files {
        tree = tree.file(&format!("/boot/{path}"), with_hashes(text));
    }
    for path in &case.kernels {
        tree = tree.file(&format!("/boot/{path}"), "");
    }
    for (name, text) in &case.variables {
        tree = tree.file(&format!("/efivars/{}", variable_file(name)), variable_bytes(text));
    }
    match case.grubenv.is_empty() {
        true => tree,
        false => tree.file("/boot/grub/grubenv", grubenv(&case.grubenv)),
    }
}

fn read_case(case: &Case) -> Boot {
    let tree = tree_of(case);
    let variables = EfiVariables::read(&Below::new(&tree, "/efivars")).expect("variables");
    boot_default(&Below::new(&tree, "/boot"), &variables).expect("readable")
}

/// Two loaders' files are in one case: only the lab's firmware knows there which one is started.
const AMBIGUOUS: &str = "systemd-boot is not asked where GRUB is installed, though its files are there";

#[test]
fn the_labs_table() {
    let table = include_str!("../../../../lab/os/loader/cases.json");
    let cases: Cases = serde_json::from_str(table).expect("the table");
    assert!(cases.cases.len() > 20);
    for case in &cases.cases {
        let (name, boot) = (&case.name, read_case(case));
        if name == AMBIGUOUS {
            assert!(
                matches!(boot.default, BootDefault::Unreadable { why: Unreadable::Disagree(_) }),
                "{boot:?}"
            );
            continue;
        }
        let init = boot.next().system().map(|system| format!("{system}/init"));
        assert_eq!(init, case.init.as_deref().map(with_hashes), "{name}: {boot:?}");
        assert_eq!(init.is_none(), case.error, "{name}");
        assert_eq!(
            boot.one_shot.as_ref().is_some_and(|once| once.system().is_some()),
            case.one_shot,
            "{name}"
        );
        if let BootDefault::System { entry, .. } = boot.next() {
            assert_eq!(Some(entry), case.entry.as_ref(), "{name}");
        }
    }
}

#[test]
fn a_one_shot_does_not_hide_the_default() {
    let table = include_str!("../../../../lab/os/loader/cases.json");
    let cases: Cases = serde_json::from_str(table).expect("the table");
    for (name, default) in [
        ("systemd-boot: a one-shot entry goes before the default and is taken back", "one"),
        ("GRUB: one-shot by position in a submenu, taken back", "one"),
        ("GRUB: one-shot by title path", "one"),
        ("systemd-boot: an initrd that is missing ends the boot, and the one-shot is gone", "one"),
    ] {
        let case = cases.cases.iter().find(|case| case.name == name).expect("in the table");
        let boot = read_case(case);
        assert_eq!(
            boot.default.system(),
            Some(with_hashes(&format!("/nix/store/{default}")).as_str()),
            "{name}"
        );
        assert!(boot.one_shot.is_some());
    }
}

fn entry(name: &str, system: &str) -> (String, String) {
    let text = format!("linux /k\ninitrd /i\noptions init=/nix/store/{system}/init\n");
    (format!("/loader/entries/{name}"), with_hashes(&text))
}

pub(super) fn systemd_boot(default: &str, entries: &[(&str, &str)]) -> TestTree {
    let tree = TestTree::default().file("/k", "").file("/i", "").file("/loader/loader.conf", default);
    entries.iter().fold(tree, |tree, (name, system)| {
        let (path, text) = entry(name, system);
        tree.file(&path, text)
    })
}

fn shown(tree: &TestTree, variables: &EfiVariables) -> String {
    let text = boot_default(tree, variables).expect("readable").default.to_string();
    text.replace("0bkfhz0v2jcyj2m7hwzdzmywav298dl2-", "")
}

#[test]
fn what_the_lab_does_not_have() {
    let none = EfiVariables::default();
    let grub = |text: &str| TestTree::default().file("/k", "").file("/grub/grub.cfg", with_hashes(text));
    let two = [("nixos-generation-1.conf", "one"), ("nixos-generation-2.conf", "two")];
    let saved = EfiVariables { last_booted: Some("nixos-generation-1.conf".into()), ..none.clone() };
    let cases = [
        (TestTree::default(), &none),
        (systemd_boot("default nixos-*\n", &[]).file("/EFI/Linux/nixos-generation-3-x.efi", ""), &none),
        (
            systemd_boot("default NixOS-generation-1.conf\n", &two)
                .file("/EFI/Linux/nixos-generation-3-x.efi", ""),
            &none,
        ),
        (systemd_boot("default @saved\n", &two), &none),
        (systemd_boot("default @saved\n", &two), &saved),
        (systemd_boot("default nixos-*\n", &[("nixos-1.conf", "one"), ("nixos-2+0-3.conf", "bad")]), &none),
        (
            systemd_boot("default nixos-2.conf\n", &[("nixos-1.conf", "one"), ("nixos-2+2-1.conf", "two")]),
            &none,
        ),
        (TestTree::default().file("/limine/limine.conf", ""), &none),
        (TestTree::default().file("/config.txt", ""), &none),
        (grub("set default=$chosen\nmenuentry 'One' {\n linux /k init=/nix/store/one/init\n}\n"), &none),
        (grub("set default=1\nmenuentry 'One' {\n linux /k\n}\nsubmenu 'All' {\n}\n"), &none),
        (
            grub(
                "set default='Two words'\nfunction f {\n  true\n}\nmenuentry 'One' {\n  linux /x\n}\nmenuentry 'Two words' --id two {\n linux ($drive1)//boot/k init=/nix/store/two/init\n}\n",
            ),
            &none,
        ),
        (
            grub(
                "menuentry One {\n if true; then\n linux ($drive1)/nix/store/x/bzImage init=/nix/store/one/init init=/nix/store/two/init\n fi\n}\n",
            ),
            &none,
        ),
        (
            TestTree::default().file("/k", "").file(
                "/extlinux/extlinux.conf",
                with_hashes("default a\nlabel a\nkernel ../k\nappend init=/nix/store/one/init\n"),
            ),
            &none,
        ),
    ];
    let lines: Vec<String> = cases.iter().map(|(tree, variables)| shown(tree, variables)).collect();
    insta::assert_snapshot!(lines.join("\n"), @r"
    no boot loader was found
    the boot default cannot be told: it may be the unified kernel image nixos-generation-3-x.efi
    /nix/store/one (systemd-boot, entry nixos-generation-1.conf)
    the boot default cannot be told: it is what was booted last, and LoaderEntryLastBooted is not set
    /nix/store/one (systemd-boot, entry nixos-generation-1.conf)
    /nix/store/one (systemd-boot, entry nixos-1.conf)
    /nix/store/two (systemd-boot, entry nixos-2.conf)
    the boot default cannot be told: the configuration of Limine is not read
    the boot default cannot be told: the configuration of the Raspberry Pi's firmware is not read
    the boot default cannot be told: GRUB works it out at boot (set default=$chosen)
    the boot default cannot be told: GRUB names 'All', which is no entry
    /nix/store/two (GRUB, entry 1)
    the boot default cannot be told: entry 0 has several init=
    /nix/store/one (extlinux, entry a)
    ");
}

#[test]
fn several_loaders_must_agree_or_one_must_have_said_its_name() {
    let both = |system: &str| {
        let grub = format!("menuentry \"a\" {{\n linux /k init=/nix/store/{system}/init\n}}\n");
        systemd_boot("", &[("nixos-1.conf", "one")]).file("/grub/grub.cfg", with_hashes(&grub))
    };
    let started = |info: &str| EfiVariables { loader_info: Some(info.into()), ..EfiVariables::default() };
    let lines = [
        shown(&both("one"), &EfiVariables::default()),
        shown(&both("two"), &EfiVariables::default()),
        shown(&both("two"), &started("systemd-boot 257.6")),
        shown(&both("two"), &started("GRUB 2.12")),
        shown(&both("two"), &started("something else")),
    ];
    insta::assert_snapshot!(lines.join("\n"), @r"
    /nix/store/one (systemd-boot, entry nixos-1.conf)
    the boot default cannot be told: several boot loaders have left their files: systemd-boot names /nix/store/one and GRUB names /nix/store/two
    /nix/store/one (systemd-boot, entry nixos-1.conf)
    /nix/store/two (GRUB, entry 0)
    the boot default cannot be told: several boot loaders have left their files: systemd-boot names /nix/store/one and GRUB names /nix/store/two
    ");
}

#[test]
fn a_one_shot_counts_when_loaders_are_compared() {
    let grub = with_hashes("menuentry \"a\" {\n linux /k init=/nix/store/one/init\n}\n");
    let tree = systemd_boot("default nixos-1.conf\n", &[("nixos-1.conf", "one"), ("nixos-2.conf", "two")])
        .file("/grub/grub.cfg", grub);
    let once = EfiVariables { one_shot: Some("nixos-2.conf".into()), ..EfiVariables::default() };
    assert!(boot_default(&tree, &EfiVariables::default()).expect("readable").default.system().is_some());
    assert!(boot_default(&tree, &once).expect("readable").default.system().is_none());
}

proptest! {
    #[test]
    fn configurations_of_any_text_do_not_panic(
        text in "([a-z<>{}\"'\\\\$+~^.0-9 \n-]|linux|init=/nix/store/|menuentry |submenu |set default=|default |LABEL ){0,60}",
        name in "[a-z0-9+~^.é-]{1,12}",
    ) {
        let tree = TestTree::default()
            .file("/loader/loader.conf", &text)
            .file(&format!("/loader/entries/{name}.conf"), format!("linux /k\n{text}"))
            .file("/k", "")
            .file("/grub/grub.cfg", &text)
            .file("/grub/grubenv", format!("# GRUB Environment Block\nnext_entry={text}"))
            .file("/extlinux/extlinux.conf", &text);
        let variables = EfiVariables { default: Some(text), ..EfiVariables::default() };
        for loader in ["systemd-boot 1", "GRUB 2", ""] {
            let variables = EfiVariables { loader_info: Some(loader.to_owned()), ..variables.clone() };
            prop_assert!(boot_default(&tree, &variables).is_ok());
        }
    }

    #[test]
    fn variables_of_any_bytes_do_not_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        drop(variable_text(&bytes));
    }
}
