//! What boots a system once, and what was asked for: NixOS's own layouts, odd ones, and bytes that anybody wrote.

use proptest::prelude::*;

use super::{
    super::tests::{systemd_boot, with_hashes},
    *,
};
use crate::test_tree::TestTree;

/// A menu as NixOS writes it for GRUB.
const NIXOS_GRUB: &str = include_str!("golden/grub.cfg");
/// The part of a `grub.cfg` that boots an entry once.
const HEAD: &str = "if [ \"${next_entry}\" ]; then\nset default=\"${next_entry}\"\nelse\nset default=0\nfi\n";

fn grub(text: &str) -> TestTree {
    let kernels = ["0", "1", "2"].iter().fold(TestTree::default().file("/k", ""), |tree, number| {
        tree.file(&format!("/kernels/{number}-bzImage"), "").file(&format!("/kernels/{number}-initrd"), "")
    });
    let has_hashes = text.contains(&with_hashes("/nix/store/"));
    kernels.file("/grub/grub.cfg", if has_hashes { text.to_owned() } else { with_hashes(text) })
}

fn entry(title: &str, system: &str) -> String {
    format!("menuentry \"{title}\" {{\n linux /k init=/nix/store/{system}/init\n}}\n")
}

/// What boots a system, or why nothing does; what is written as GRUB's `next_entry` or the variable must name it.
fn way(tree: &TestTree, variables: &EfiVariables, system: &str) -> String {
    let system = with_hashes(&format!("/nix/store/{system}"));
    match entry_for(tree, variables, &system).expect("readable") {
        Err(none) => none.to_string(),
        Ok(OnceEntry { loader, entry }) => {
            let env = format!("# GRUB Environment Block\nnext_entry={entry}\n");
            let tree = tree.clone().file("/grub/grubenv", env);
            let variables = EfiVariables { one_shot: Some(entry.clone()), ..variables.clone() };
            let once = match loader {
                Loader::Grub => one_shot(&tree, &EfiVariables { one_shot: None, ..variables }),
                _ => one_shot(&tree, &variables),
            };
            assert_eq!(once.expect("readable"), Once::Set(system), "{entry}");
            entry
        }
    }
}

#[test]
fn nixos_layouts_have_an_entry_for_every_system() {
    let none = EfiVariables::default();
    let menu = grub(NIXOS_GRUB);
    let entries = systemd_boot(
        "timeout 5\ndefault nixos-generation-12.conf\nconsole-mode keep\n",
        &[
            ("nixos-generation-11.conf", "older"),
            ("nixos-generation-12.conf", "old"),
            ("nixos-generation-12-specialisation-quiet.conf", "old/specialisation/quiet"),
            ("nixos-lockstep-generation-1.conf", "new"),
        ],
    );
    let systems = ["new", "old", "older", "old/specialisation/quiet", "twice", "second", "gone"];
    let lines: Vec<String> =
        systems.iter().flat_map(|system| [way(&menu, &none, system), way(&entries, &none, system)]).collect();
    insta::assert_snapshot!(lines.join("\n"), @r"
    NixOS - Profile 'lockstep'>NixOS - Configuration 1 (2026-11-21 - 26.05)
    nixos-lockstep-generation-1.conf
    NixOS
    nixos-generation-12.conf
    NixOS - All configurations>NixOS - Configuration 11 (2026-11-19 - 26.05)
    nixos-generation-11.conf
    NixOS - quiet>NixOS - quiet (2026-11-20)
    nixos-generation-12-specialisation-quiet.conf
    NixOS - All configurations>NixOS - Configuration 10 (2026-11-18 - 26.05)
    systemd-boot does not list the system
    2>3
    systemd-boot does not list the system
    GRUB does not list the system
    systemd-boot does not list the system
    ");
}

#[test]
fn odd_configurations_have_none_or_the_right_one() {
    let none = EfiVariables::default();
    let two = [("nixos-generation-1.conf", "one"), ("nixos-generation-2.conf", "two")];
    let variable = |name: &str| EfiVariables { default: Some(name.into()), ..EfiVariables::default() };
    let started = |info: &str| EfiVariables { loader_info: Some(info.into()), ..EfiVariables::default() };
    let both = systemd_boot("default nixos-generation-1.conf\n", &two)
        .file("/grub/grub.cfg", with_hashes(&format!("{HEAD}{}", entry("a", "two"))));
    let broken = with_hashes("linux /k\ninitrd /gone\noptions init=/nix/store/two/init\n");
    let titles = |title: &str| grub(&format!("{HEAD}{}{}", entry("a", "one"), entry(title, "two")));
    let cases = [
        (TestTree::default(), &none),
        // lanzaboote's default, what was booted last, and no default that exists: the one that is tried may stay.
        (systemd_boot("default nixos-*\n", &two), &none),
        (systemd_boot("default @saved\n", &two), &none),
        (systemd_boot("", &two), &none),
        (systemd_boot("default gone.conf\n", &two), &none),
        (systemd_boot("default nixos-*\n", &two), &variable("nixos-generation-1.conf")),
        (systemd_boot("default nixos-generation-1.conf\n", &two), &variable("gone")),
        (systemd_boot("default nixos-generation-1.conf\n", &two), &variable("nixos-?")),
        // Boot counters are no part of an id, and a pattern in one may mean another entry.
        (systemd_boot("default a.conf\n", &[("a.conf", "one"), ("b+3-1.conf", "two")]), &none),
        (systemd_boot("default a.conf\n", &[("a.conf", "one"), ("[ab].conf", "two")]), &none),
        (
            systemd_boot("default a.conf\n", &[("a.conf", "one")]).file("/loader/entries/b.conf", &broken),
            &none,
        ),
        (
            systemd_boot("default a.conf\n", &[("a.conf", "one"), ("b.conf", "two")])
                .file("/EFI/Linux/b.efi", ""),
            &none,
        ),
        (both.clone(), &none),
        (both.clone(), &started("GRUB 2.12")),
        (both, &started("systemd-boot 258")),
        (grub(&entry("a", "two")), &none),
        (titles("two"), &none),
        (titles("2nd"), &none),
        (titles("a"), &none),
        (titles("b>c"), &none),
        (titles("grüße"), &none),
        (titles("$x"), &none),
        (titles(&"long ".repeat(70)), &none),
        (grub(&format!("{HEAD}submenu \"a\" {{\nsubmenu \"b\" {{\n{}}}\n}}\n", entry("c", "two"))), &none),
        (grub(&format!("{HEAD}{}", entry("a", "two")).replace("linux /k", "linux /gone")), &none),
        (TestTree::default().file("/extlinux/extlinux.conf", ""), &none),
        (TestTree::default().file("/limine/limine.conf", ""), &none),
    ];
    let lines: Vec<String> = cases
        .iter()
        .map(|(tree, variables)| way(tree, variables, "two").replace(&"long ".repeat(70), "LONG"))
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @r"
    no boot loader was found
    the default of systemd-boot is 'nixos-*', so what is tried would become the default
    the default of systemd-boot is '@saved', so what is tried would become the default
    the default of systemd-boot is '*', so what is tried would become the default
    the default of systemd-boot is '*', so what is tried would become the default
    nixos-generation-2.conf
    nixos-generation-2.conf
    the default of systemd-boot is 'nixos-?', so what is tried would become the default
    b.conf
    systemd-boot does not list the system
    its entry would not start: entry b.conf needs /gone, which is not there
    b.conf
    several boot loaders have left their files (systemd-boot and GRUB), and none has said that it started this boot
    a
    nixos-generation-2.conf
    GRUB's configuration here does not look at next_entry
    two
    1
    1
    1
    1
    1
    1
    a>b>c
    its entry would not start: entry 0 needs /gone, which is not there
    extlinux has no entry for one boot only
    Limine has no entry for one boot only
    ");
}

#[test]
fn what_was_asked_for_is_the_system_that_it_names() {
    let one_shot_of = |name: &str| EfiVariables { one_shot: Some(name.into()), ..EfiVariables::default() };
    let none = EfiVariables::default();
    let entries = systemd_boot("default a.conf\n", &[("a.conf", "one"), ("b.conf", "two")]);
    let env =
        |text: &str| grub(NIXOS_GRUB).file("/grub/grubenv", format!("# GRUB Environment Block\n{text}\n"));
    let deaf = |text: &str| grub(text).file("/grub/grubenv", "# GRUB Environment Block\nnext_entry=0\n");
    let cases = [
        (entries.clone(), none.clone(), "nothing"),
        (entries.clone(), one_shot_of("B"), "two"),
        (entries.clone(), one_shot_of("*"), "two"),
        (entries.clone(), one_shot_of("gone"), "nothing"),
        (entries.file("/EFI/Linux/c.efi", ""), one_shot_of("c"), "unreadable"),
        (env(""), none.clone(), "nothing"),
        (env("next_entry="), none.clone(), "nothing"),
        (env("next_entry=NixOS - Profile 'lockstep'>0"), none.clone(), "new"),
        (env("next_entry=3>0"), none.clone(), "new"),
        (env("next_entry=3"), none.clone(), "unreadable"),
        (env("next_entry=gone"), none.clone(), "old"),
        (deaf(&entry("a", "two")), none.clone(), "two"),
        (deaf(&format!("{HEAD}{}", entry("a", "two"))), none, "two"),
    ];
    for (position, (tree, variables, expected)) in cases.iter().enumerate() {
        let shown = match one_shot(tree, variables).expect("readable") {
            Once::Absent => "nothing".to_owned(),
            Once::Unreadable(_) => "unreadable".to_owned(),
            Once::Set(system) => system.replace(&with_hashes("/nix/store/"), ""),
        };
        assert_eq!(shown, *expected, "case {position}");
    }
}

proptest! {
    /// Whatever stands in a configuration: a way that is given leads to the system, and nothing else, and not for long.
    #[test]
    fn a_way_through_any_menu_leads_to_the_system(
        text in "(menuentry |submenu |\"[a-z0-9>'\\\\]{0,4}\" |\\{\n|\n\\}\n|linux /k init=/nix/store/(one|two)/init\n|[a-z0-9> ]|# ){0,60}",
        ids in prop::collection::vec("[a-cA-C*?+0-9-]{1,4}", 0..5),
    ) {
        let systems = ["one", "two"];
        let names: Vec<String> = ids.iter().map(|id| format!("{id}.conf")).collect();
        let entries: Vec<(&str, &str)> =
            names.iter().zip(systems.iter().cycle()).map(|(id, system)| (id.as_str(), *system)).collect();
        let trees = [grub(&format!("{HEAD}{text}")), systemd_boot("default a.conf\n", &entries)];
        for tree in &trees {
            for system in systems {
                drop(way(tree, &EfiVariables::default(), system));
            }
        }
    }

    #[test]
    fn environment_blocks_of_any_bytes_do_not_panic(bytes in prop::collection::vec(any::<u8>(), 0..1100)) {
        let block = [b"# GRUB Environment Block\nnext_entry=".as_slice(), &bytes].concat();
        let tree = grub(NIXOS_GRUB).file("/grub/grubenv", block);
        prop_assert!(one_shot(&tree, &EfiVariables::default()).is_ok());
    }
}
