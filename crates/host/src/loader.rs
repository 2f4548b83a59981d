//! What this host would boot, by its boot loader's own files and variables.

use std::{fs, os::unix::fs::MetadataExt, path::Path};

use activate::{BootDefault, Fault};
use order::SystemPath;
use store::store_path::StoreDir;
use system::{
    boot::{self, EfiVariables},
    tree::Below,
};

use crate::{chain, efivars, links, paths, tree::Files};

/// What is booted again and again, as the loader's own files and variables say.
#[must_use]
pub fn boot_default() -> BootDefault {
    match efivars::read() {
        Ok(variables) => look(&paths::BOOTS, has_kernel(), &variables),
        Err(error) => unreadable(chain(&error)),
    }
}

/// The boot file system that has a loader's files, if it is exactly one; none in a container.
pub(crate) fn place(variables: &EfiVariables) -> Result<Option<&'static str>, Fault> {
    let mut places = distinct(&paths::BOOTS);
    places.retain(|place| look_at(place, variables).is_some());
    match places.as_slice() {
        [] if has_kernel() => Err(nothing_at(&paths::BOOTS)),
        [] => Ok(None),
        [place] => Ok(Some(place)),
        several => {
            Err(Fault::new(format!("boot loaders' files lie in several places: {}", several.join(", "))))
        }
    }
}

fn nothing_at(places: &[&str]) -> Fault {
    let places = places.join(", ");
    Fault::new(format!("no boot loader's files were found at {places}; is the boot file system mounted?"))
}

fn unreadable(why: String) -> BootDefault {
    BootDefault::Unreadable { why: Fault::new(why) }
}

/// Whether the running system has a kernel to boot: a container's has none. In doubt it has.
fn has_kernel() -> bool {
    links::running().is_none_or(|running| {
        Path::new(&format!("{}/kernel", links::folder(&running))).symlink_metadata().is_ok()
    })
}

/// What the boot file systems at `places` say together.
fn look(places: &[&str], has_kernel: bool, variables: &EfiVariables) -> BootDefault {
    let mut found: Vec<(&str, BootDefault)> = Vec::new();
    for place in distinct(places) {
        found.extend(look_at(place, variables).map(|default| (place, default)));
    }
    let all_same = found.windows(2).all(|pair| pair[0].1.system().is_some() && pair[0].1 == pair[1].1);
    match found.as_slice() {
        [] if has_kernel => BootDefault::Unreadable { why: nothing_at(places) },
        [] => BootDefault::None,
        [(_, default), ..] if all_same => default.clone(),
        several => {
            let each: Vec<String> =
                several.iter().map(|(place, default)| format!("{place} says {default}")).collect();
            unreadable(format!("boot loaders' files lie in several places: {}", each.join(", ")))
        }
    }
}

/// Folders that are not another name of one before.
pub(crate) fn distinct<'a>(places: &[&'a str]) -> Vec<&'a str> {
    let mut seen = Vec::new();
    let is_new = |place: &&str| {
        let Ok(found) = fs::metadata(place) else { return false };
        let identity = (found.dev(), found.ino());
        let is_new = !seen.contains(&identity);
        seen.push(identity);
        is_new
    };
    places.iter().copied().filter(is_new).collect()
}

/// What one boot file system says; nothing if no loader has left its files there.
fn look_at(place: &str, variables: &EfiVariables) -> Option<BootDefault> {
    let is_there = |name: &str| Path::new(place).join(name).exists();
    if is_there("loader/entries") && !is_there("loader/loader.conf") && !is_there("EFI") {
        // An extended boot partition (XBOOTLDR): which of its entries is the default stands on the other one.
        return Some(unreadable(format!(
            "{place} has systemd-boot's entries, but its loader.conf lies on another file system"
        )));
    }
    Some(match boot::boot_default(&Below::new(&Files, place), variables).map(|boot| boot.default) {
        Ok(boot::BootDefault::NoLoader) => return None,
        Ok(boot::BootDefault::Unreadable { why }) => unreadable(why.to_string()),
        Ok(boot::BootDefault::System { system, .. }) => SystemPath::parse(&StoreDir::default(), &system)
            .map_or_else(|error| unreadable(chain(&error)), BootDefault::System),
        Err(error) => unreadable(chain(&error)),
    })
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    const SYSTEM: &str = "/nix/store/00000000000000000000000000000000-nixos-system-a-1";

    /// `PATH TEXT`, one file for each line, in a folder of its own.
    fn files(name: &str, lines: &str) -> PathBuf {
        let root = std::env::temp_dir().join(format!("lockstep-loader-{}-{name}", std::process::id()));
        for line in lines.lines() {
            let (path, text) = line.trim().split_once(' ').expect("a path and a text");
            let file = root.join(path);
            fs::create_dir_all(file.parent().expect("a folder")).expect("written");
            fs::write(file, text.replace(';', "\n")).expect("written");
        }
        root
    }

    #[test]
    fn boot_file_systems_are_told_apart() {
        let entry = format!("loader/entries/a.conf linux /k;options init={SYSTEM}/init");
        let grub = "grub/grub.cfg set default=0";
        let cases = [
            ("esp-alone", format!("efi/{entry}\nefi/loader/loader.conf default a.conf\nefi/k k"), "system"),
            (
                "esp-below",
                format!("boot/efi/{entry}\nboot/efi/loader/loader.conf default a.conf\nboot/efi/k k"),
                "system",
            ),
            ("entries-alone", format!("boot/{entry}\nboot/k k"), "loader.conf lies on another"),
            (
                "xbootldr",
                format!("boot/{entry}\nboot/k k\nefi/loader/loader.conf default a.conf"),
                "several places",
            ),
            (
                "two",
                format!("boot/{grub}\nefi/{entry}\nefi/loader/loader.conf default a.conf\nefi/k k"),
                "several places",
            ),
            ("nothing", "boot/other x".to_owned(), "is the boot file system mounted?"),
        ];
        for (name, lines, expected) in cases {
            let root = files(name, &lines);
            let places = ["boot", "efi", "boot/efi"].map(|place| format!("{}/{place}", root.display()));
            let places: Vec<&str> = places.iter().map(String::as_str).collect();
            let found = look(&places, true, &EfiVariables::default());
            let without_kernel = look(&places, false, &EfiVariables::default());
            fs::remove_dir_all(&root).expect("removed");
            match found {
                BootDefault::System(_) => assert_eq!(expected, "system", "{name}"),
                BootDefault::Unreadable { why } => assert!(why.as_str().contains(expected), "{name}: {why}"),
                BootDefault::None => panic!("{name}: a machine with a kernel has a loader"),
            }
            assert_eq!(without_kernel == BootDefault::None, name == "nothing", "{name}");
        }
    }
}
